"""Lines of signal against the DRAG coefficient, that cross where the pulse's axis lies in the plane."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, grid, house_style, new_sheet
from kubecal_tasks.figures.series import POPULATION, fit_label
from kubecal_tasks.fits.drag import DragFit

BETA_NS = Axis("DRAG coefficient β", "ns", 1e-9)
_COLOURS = (style.SKY, style.AMBER, style.BLUE)


def drag_figure(fit: DragFit, context: Context, x: Axis = BETA_NS, y: Axis = POPULATION, name: str = "drag") -> Figure:
    """A line for each number of pairs of opposite pi rotations, and the coefficient at which they cross."""
    seen, lines = fit.evidence, len(fit.counts)
    fine = np.linspace(float(fit.x.min()), float(fit.x.max()), style.FINE_POINTS)
    curves = fit.curve(fine).reshape(lines, -1)
    points, sigma, kept = (each.reshape(lines, -1) for each in (seen.y, seen.sigma, seen.kept))
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "lines", x, y)
        dashes = "--" if context.verdict == NO_SIGNAL else "-"
        for k, count in enumerate(fit.counts):
            colour = _COLOURS[k % len(_COLOURS)]
            # One entry says what all curves are, where that is not plain; an underscore keeps the others out.
            label = fit_label(seen, context) if k == 0 else "fit"
            panel.line(fine, curves[k], label if label != "fit" else f"_fit {count}", color=colour, lw=1.4, ls=dashes)
            panel.points(fit.x, points[k], sigma[k], kept[k], label=f"{count} pairs", colour=colour)
        low, high = panel.axes.get_xlim()
        if context.verdict != NO_SIGNAL and low <= float(x.shown(np.asarray(fit.beta.value))) <= high:
            panel.marker(fit.beta.value, "chosen", style.NEW)
        panel.legend()
        return sheet.finished(name)
