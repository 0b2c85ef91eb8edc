"""A resonator in reflection: magnitude and phase against frequency, and the circle it makes in the plane."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, Sheet, grid, house_style, new_sheet
from kubecal_tasks.figures.series import fit_label
from kubecal_tasks.fits.resonator import ResonatorFit

Complex = NDArray[np.complex128]
FREQUENCY_GHZ = Axis("Readout frequency", "GHz", 1e9)
MAGNITUDE = Axis("|S11|")
PHASE = Axis("Phase", "rad")
_HEIGHT_IN = 5.3


def resonator_figure(
    fit: ResonatorFit, context: Context, previous: float | None = None, name: str = "resonator"
) -> Figure:
    """|S11| and phase without the cable on the left, the resonance circle on the right.

    Parameters
    ----------
    previous
        Frequency known before, Hz.
    """
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 2, 1, _HEIGHT_IN, hspace=0.12, right=0.6)
        above = sheet.panel(places[0], "magnitude", FREQUENCY_GHZ, MAGNITUDE)
        below = sheet.panel(places[1], "phase", FREQUENCY_GHZ, PHASE, sharex=above.axes)
        points, sigma, curve, fine = _normalised(fit)
        kept = np.asarray(fit.evidence.kept.all(axis=0))
        above.points(fit.x, np.abs(points), sigma, kept)
        below.points(fit.x, _unwrapped(np.angle(points), np.angle(curve), fit.x, fine), sigma, kept)
        dashes = "--" if context.verdict == NO_SIGNAL else "-"
        above.line(fine, np.abs(curve), fit_label(fit.evidence, context), ls=dashes)
        below.line(fine, np.unwrap(np.angle(curve)), "fit", ls=dashes)
        for panel in (above, below):
            _markers(panel, fit, context, previous)
        above.axes.set_xlabel("")
        above.axes.tick_params(labelbottom=False)
        plain_frequencies(below.axes)
        above.legend()
        sheet.canvas.align_ylabels()
        _circle(sheet, points, curve, kept)
        return sheet.finished(name)


def plain_frequencies(axes: Axes) -> None:
    """Frequencies written out, few enough to be read."""
    axes.ticklabel_format(axis="x", useOffset=False, style="plain")
    axes.xaxis.set_major_locator(MaxNLocator(5))


def _normalised(fit: ResonatorFit) -> tuple[Complex, NDArray[np.float64], Complex, NDArray[np.float64]]:
    """Points, their errors and the curve over the background, and the frequencies of the curve."""
    seen = fit.evidence
    fine = np.linspace(float(fit.x.min()), float(fit.x.max()), 2 * style.FINE_POINTS)
    points = fit.normalised(fit.x, np.stack(tuple(seen.y), axis=-1))
    sigma = np.sqrt(np.mean(seen.sigma**2, axis=0)) / np.abs(fit.background(fit.x))
    return points, sigma, fit.normalised(fine, np.stack(tuple(fit.curve(fine)), axis=-1)), fine


def _unwrapped(
    phase: NDArray[np.float64], curve: NDArray[np.float64], x: NDArray[np.float64], fine: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Phases of points as near to the curve as whole turns allow."""
    near = np.interp(x, fine, np.unwrap(curve))
    return np.asarray(near + (phase - near + np.pi) % (2 * np.pi) - np.pi)


def _markers(panel: Panel, fit: ResonatorFit, context: Context, previous: float | None) -> None:
    low, high = float(fit.x.min()), float(fit.x.max())
    if context.verdict != NO_SIGNAL and low <= fit.frequency.value <= high:
        panel.marker(fit.frequency.value, "resonator", style.NEW)
    if previous is not None and low <= previous <= high:
        panel.marker(previous, "previous", style.PREVIOUS, dashed=True)


def _circle(sheet: Sheet, points: Complex, curve: Complex, kept: NDArray[np.bool_]) -> None:
    place = grid(sheet, 1, 1, _HEIGHT_IN, left=0.7)[0]
    panel = sheet.panel(place, "circle", Axis("Re S11"), Axis("Im S11"))
    panel.points(points.real[kept], points.imag[kept], None, label="data", colour=style.DATA)
    panel.line(curve.real, curve.imag, "fit")
    panel.axes.set_aspect("equal", adjustable="datalim")
    panel.axes.locator_params(nbins=5)
    panel.legend()
