"""Chevrons: signal over detuning and duration, beside the fit, with the resonance and the lobes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, grid, house_style, new_sheet
from kubecal_tasks.figures.heatmap import colour_bar, heat_map, robust_limits
from kubecal_tasks.figures.series import fit_label
from kubecal_tasks.fits.chevron import ChevronFit
from kubecal_tasks.fits.oscillation import fit_oscillations

_HEIGHT_IN = 4.9
_LINE = "#FFFFFF"
_CLEAR = 0.2
"""Relative error beyond which an oscillation of its own is not worth a point."""
_DURATION = Axis("Duration", "ns", 1e-9)


def chevron_figure(fit: ChevronFit, context: Context, drive_hz: float, z: Axis, name: str = "chevron") -> Figure:
    """Data on the left, the fitted model on the right, on one scale of colours.

    Parameters
    ----------
    drive_hz
        The frequency that detunings are counted from.
    z
        What the colours are.
    """
    detuning = Axis(f"Detuning from {drive_hz / 1e9:.6g} GHz", "MHz", 1e6)
    data = z.shown(fit.image(fit.evidence.y))
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 1, 3, _HEIGHT_IN, width_ratios=[1, 1, 0.045], wspace=0.23, right=0.865)
        limits = robust_limits(data)
        left = sheet.panel(places[0], "data", detuning, _DURATION)
        drawn = heat_map(left, fit.detuning, fit.time, data, limits)
        right = sheet.panel(places[1], "fit", detuning, _DURATION, sharex=left.axes, sharey=left.axes)
        heat_map(right, fit.detuning, fit.time, z.shown(fit.model(fit.detuning, fit.time)), limits, "fit")
        right.axes.set_ylabel("")
        right.axes.tick_params(labelleft=False)
        _title(left, "data")
        _title(right, "best fit, no better than flat" if context.verdict == NO_SIGNAL else "fit")
        if context.verdict != NO_SIGNAL:
            for panel in (left, right):
                _marks(panel, fit)
        colour_bar(sheet, places[2], drawn, z)
        return sheet.finished(name)


def rates_figure(fit: ChevronFit, context: Context, drive_hz: float, name: str = "rates") -> Figure:
    """The Rabi rate at each detuning, from its own oscillation, on the hyperbola of all of them together.

    Parameters
    ----------
    drive_hz
        The frequency that detunings are counted from, and at which the resonance was before.
    """
    detuning, rate = Axis(f"Detuning from {drive_hz / 1e9:.6g} GHz", "MHz", 1e6), Axis("Rabi rate", "MHz", 1e6)
    seen = fit.evidence
    rows = fit_oscillations(fit.time, fit.image(seen.y), fit.image(seen.sigma) ** 2)
    values = np.asarray([each.frequency.value for each in rows])
    errors = np.asarray([each.frequency.error for each in rows])
    clear = errors < _CLEAR * values
    fine = np.linspace(float(fit.detuning.min()), float(fit.detuning.max()), style.FINE_POINTS)
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "rates", detuning, rate)
        panel.points(fit.detuning, np.where(clear, values, np.nan), np.where(clear, errors, np.nan))
        if context.verdict != NO_SIGNAL:
            panel.line(fine, np.hypot(fit.rabi_rate.value, fine - fit.centre.value))
            low, high = panel.axes.get_xlim()
            if low <= fit.centre.value / detuning.scale <= high:
                panel.marker(fit.centre.value, "resonance", style.NEW)
        panel.marker(0.0, "previous", style.PREVIOUS, dashed=True)
        panel.legend()
        return sheet.finished(name)


def scan_figure(
    fit: ChevronFit, context: Context, drive_hz: float, y: Axis, name: str = "scan", photons: int = 1
) -> Figure:
    """Signal against drive frequency, the mean over the durations of the drive, with the resonance and its width.

    Parameters
    ----------
    drive_hz
        The frequency that detunings are counted from, and at which the resonance was expected.
    photons
        How many together are resonant; detunings are those of all of them.
    """
    frequency = Axis("Drive frequency", "GHz", 1e9)
    seen = fit.evidence
    # A mean without one of its durations is another mean: such a point is marked as the clipped one that it has.
    kept = np.asarray(seen.kept.reshape(fit.detuning.size, fit.time.size).all(axis=1))
    mean = fit.image(seen.y).mean(axis=1)
    sigma = np.sqrt(np.sum(fit.image(seen.sigma) ** 2, axis=1)) / fit.time.size
    low, high = float(fit.detuning.min()), float(fit.detuning.max())
    fine = np.linspace(low, high, style.FINE_POINTS)

    def drive(detuning: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(drive_hz + detuning / photons)

    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "scan", frequency, y)
        panel.points(drive(fit.detuning), mean, sigma, kept)
        dashes = "--" if context.verdict == NO_SIGNAL else "-"
        panel.line(drive(fine), fit.model(fine, fit.time).mean(axis=1), fit_label(seen, context), ls=dashes)
        panel.axes.set_xlim(*frequency.shown(drive(np.asarray([1.03 * low - 0.03 * high, 1.03 * high - 0.03 * low]))))
        if context.verdict != NO_SIGNAL and low <= fit.centre.value <= high:
            centre = drive(np.asarray(fit.centre.value))
            panel.marker(float(centre), "resonance", style.NEW)
            width = fit.centre.value + np.asarray([-1.0, 1.0]) * fit.rabi_rate.value
            panel.axes.axvspan(*frequency.shown(drive(width)), color=style.FAINT, alpha=0.5, lw=0, zorder=0)
        if photons == 1:
            panel.marker(drive_hz, "expected", style.PREVIOUS, dashed=True)
        panel.legend()
        return sheet.finished(name)


def _title(panel: Panel, text: str) -> None:
    panel.axes.set_title(text, loc="left", fontsize=style.SETTINGS["legend.fontsize"], color=style.INK, pad=4)


def _marks(panel: Panel, fit: ChevronFit) -> None:
    """The resonance, and along which durations the qubit has made an odd number of half turns."""
    low, high = float(fit.detuning.min()), float(fit.detuning.max())
    if low <= fit.centre.value <= high:
        panel.marker(fit.centre.value, "resonance", style.ORANGE)
    fine = np.linspace(low, high, style.FINE_POINTS)
    turned = np.hypot(fit.rabi_rate.value, fine - fit.centre.value)
    top = float(fit.time.max())
    for lobe in range(4):
        at = (lobe + 0.5) / turned
        seen = at <= top
        if seen.any():
            panel.line(fine, np.where(seen, at, np.nan), f"lobe {lobe + 1}", color=_LINE, lw=1.1, ls=(0, (4, 3)))
    step = float(np.median(np.diff(np.sort(fit.time)))) if fit.time.size > 1 else top
    panel.axes.set_xlim(*panel.x.shown(np.asarray([low, high])))
    panel.axes.set_ylim(*panel.y.shown(np.asarray([float(fit.time.min()) - step / 2, top + step / 2])))
