"""Ramsey fringes: X and Y against delay, and the trajectory they make in the plane."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Sheet, grid, house_style, new_sheet
from kubecal_tasks.figures.series import DELAY_US, POPULATION, fit_label
from kubecal_tasks.fits.ramsey import RamseyFit

_HEIGHT_IN = 5.3


def ramsey_figure(
    fit: RamseyFit,
    context: Context,
    x: Axis = DELAY_US,
    y: Axis = POPULATION,
    name: str = "ramsey",
    previous: float | None = None,
) -> Figure:
    """Both fringes with fit and envelope time on the left, the XY trajectory on the right.

    Parameters
    ----------
    previous
        T2* known before, in the data's unit.
    """
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        _fringes(sheet, fit, x, y, previous)
        _trajectory(sheet, fit, y)
        return sheet.finished(name)


def _fringes(sheet: Sheet, fit: RamseyFit, x: Axis, y: Axis, previous: float | None) -> None:
    places = grid(sheet, 2, 1, _HEIGHT_IN, hspace=0.1, right=0.585)
    seen = fit.evidence
    fine = np.linspace(float(fit.x.min()), float(fit.x.max()), style.FINE_POINTS)
    curves = fit.curve(fine)
    first = None
    for i, (axis, colour) in enumerate((("X", style.DATA), ("Y", style.SECOND_DATA))):
        quantity = Axis(f"{axis}: {y.quantity}", y.unit, y.scale)
        panel = sheet.panel(places[i], axis, x, quantity, **({"sharex": first} if first is not None else {}))
        panel.points(fit.x, seen.y[i], seen.sigma[i], seen.kept[i], label="data", colour=colour)
        panel.line(fine, curves[i], fit_label(seen, sheet.context), color=style.INK, lw=1.4)
        low, high = panel.axes.get_xlim()
        for at, label, line, dashed in (
            (fit.t2_star.value, "T2*", style.NEW, False),
            (previous, "previous", style.PREVIOUS, True),
        ):
            invented = sheet.context.verdict == NO_SIGNAL and not dashed
            if at is not None and not invented and low <= float(x.shown(np.asarray(at))) <= high:
                panel.marker(at, label, line, dashed=dashed)
        if first is None:
            panel.legend()
            first = panel.axes
            panel.axes.set_xlabel("")
            panel.axes.tick_params(labelbottom=False)


def _trajectory(sheet: Sheet, fit: RamseyFit, y: Axis) -> None:
    place = grid(sheet, 1, 1, _HEIGHT_IN, left=0.685)[0]
    panel = sheet.panel(
        place, "trajectory", Axis(f"X: {y.quantity}", y.unit, y.scale), Axis(f"Y: {y.quantity}", y.unit, y.scale)
    )
    seen = fit.evidence
    good = seen.kept[0] & seen.kept[1]
    fine = np.linspace(float(fit.x.min()), float(fit.x.max()), 4 * style.FINE_POINTS)
    along, across = fit.curve(fine)
    panel.line(along, across, "fit", lw=1.2)
    panel.points(seen.y[0][good], seen.y[1][good], None, label="data", colour=style.DATA)
    start = fit.curve(fit.x[:1])
    panel.axes.plot(*y.shown(start), "o", ms=10, mfc="none", mec=style.NEW, mew=2.0, label="start", zorder=5)
    panel.axes.set_aspect("equal", adjustable="box", anchor="N")
    panel.axes.locator_params(nbins=5)
    panel.legend()
