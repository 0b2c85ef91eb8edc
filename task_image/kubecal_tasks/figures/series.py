"""Figures of one signal against one swept quantity: decays, oscillations, amplitude sweeps, repeated pulses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, Sheet, grid, house_style, new_sheet
from kubecal_tasks.fits.amplitude import AmplitudeFit
from kubecal_tasks.fits.decay import DecayFit
from kubecal_tasks.fits.oscillation import OscillationFit
from kubecal_tasks.fits.repetition import RepetitionFit
from kubecal_tasks.fits.suggestions import sweep_of
from kubecal_tasks.fits.values import Evidence

DELAY_US = Axis("Delay", "us", 1e-6)
DURATION_NS = Axis("Duration", "ns", 1e-9)
AMPLITUDE = Axis("Amplitude", "a.u.")
PULSES = Axis("Number of pulses")
POPULATION = Axis("P(1)")
SIGNAL = Axis("Signal", "a.u.")
_RESIDUALS = Axis("Residual", "σ")


@dataclass(frozen=True)
class IQPlane:
    """Mean IQ points of a sweep and the centres found in them."""

    points: NDArray[np.float64]
    """(N, 2)."""
    ground: tuple[float, float]
    excited: tuple[float, float]


def decay_figure(
    fit: DecayFit,
    context: Context,
    x: Axis = DELAY_US,
    y: Axis = POPULATION,
    name: str = "decay",
    previous: float | None = None,
) -> Figure:
    """Signal against delay, logarithmic where the delays are.

    Parameters
    ----------
    previous
        Decay time known before, in the data's unit.
    """
    with house_style():
        sheet, main = _with_residuals(fit.evidence, context, x, y)
        _marker(main, fit.tau.value, "1/e time", context)
        _previous(main, previous)
        main.legend()
        return sheet.finished(name)


def oscillation_figure(
    fit: OscillationFit,
    context: Context,
    x: Axis = DURATION_NS,
    y: Axis = SIGNAL,
    name: str = "oscillation",
    previous: float | None = None,
    iq: IQPlane | None = None,
) -> Figure:
    """Signal against duration; the marker is where the oscillation has made half a turn.

    Parameters
    ----------
    previous
        Frequency expected before the measurement, in cycles of the data's unit.
    iq
        Shown beside it where given.
    """
    with house_style():
        sheet, main = _with_residuals(fit.evidence, context, x, y, beside=iq is not None)
        _marker(main, _half_turn(fit.frequency.value), "half a turn", context)
        _previous(main, None if previous is None else _half_turn(previous))
        main.legend()
        if iq is not None:
            _iq_panel(sheet, iq)
        return sheet.finished(name)


def amplitude_figure(
    fit: AmplitudeFit,
    context: Context,
    x: Axis = AMPLITUDE,
    y: Axis = POPULATION,
    name: str = "amplitude",
    chosen: float | None = None,
    previous: float | None = None,
) -> Figure:
    """Signal against amplitude with the amplitude chosen from it.

    Parameters
    ----------
    chosen
        The amplitude that is reported; None: the half-pi amplitude of the fit.
    previous
        The amplitude known before.
    """
    with house_style():
        sheet, main = _with_residuals(fit.evidence, context, x, y)
        _marker(main, fit.half_pi_amplitude.value if chosen is None else chosen, "chosen", context)
        _previous(main, previous)
        main.legend()
        return sheet.finished(name)


def repetition_figure(fit: RepetitionFit, context: Context, y: Axis = POPULATION, name: str = "repetition") -> Figure:
    """Signal against number of pulses; levels of |0> and |1> as lines."""
    with house_style():
        pulses = np.isfinite(fit.x)
        seen = fit.evidence
        only = Evidence(
            seen.x[pulses], seen.y[pulses], seen.sigma[pulses], seen.kept[pulses], seen.residuals[pulses],
            seen.curve, seen.statistics,
        )  # fmt: skip
        sheet, main = _with_residuals(only, context, PULSES, y)
        main.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        main.marker(fit.ground.value, "|0⟩", style.GREY, dashed=True, horizontal=True)
        main.marker(fit.excited.value, "|1⟩", style.SKY, dashed=True, horizontal=True)
        main.legend()
        return sheet.finished(name)


def points_figure(
    x_values: NDArray[np.float64],
    y_values: NDArray[np.float64],
    sigma: NDArray[np.float64] | None,
    context: Context,
    x: Axis,
    y: Axis,
    name: str = "data",
) -> Figure:
    """What was measured, where no fit could be made of it."""
    with house_style():
        sheet = new_sheet(context)
        main = sheet.panel(grid(sheet, 1, 1)[0], "data", x, y)
        main.points(x_values, y_values, sigma)
        return sheet.finished(name)


def _with_residuals(seen: Evidence, context: Context, x: Axis, y: Axis, beside: bool = False) -> tuple[Sheet, Panel]:
    """Data and fit above, residuals in sigmas below, on one x axis."""
    sheet = new_sheet(context)
    right = 0.65 if beside else 0.975
    places = grid(sheet, 2, 1, height_ratios=[3.3, 1], hspace=0.1, right=right)
    main = sheet.panel(places[0], "data", x, y)
    below = sheet.panel(places[1], "residuals", x, _RESIDUALS, sharex=main.axes)
    main.axes.set_xlabel("")
    main.axes.tick_params(labelbottom=False)
    fine = _fine(seen.x)
    main.points(seen.x, seen.y, seen.sigma, seen.kept)
    main.line(fine, seen.curve(fine), fit_label(seen, context), ls="--" if context.verdict == NO_SIGNAL else "-")
    _residuals(below, seen)
    if sweep_of(seen.x).scale == "log":
        main.log_x()
    sheet.canvas.align_ylabels()
    return sheet, main


def fit_label(seen: Evidence, context: Context) -> str:
    """What the curve is called: by the richer model where one had to help, and plainly where there is no signal."""
    if context.verdict == NO_SIGNAL:
        return "best fit, no better than flat"
    return f"fit ({seen.alternative.replace('_', ' ')})" if seen.alternative else "fit"


def _residuals(panel: Panel, seen: Evidence) -> None:
    scaled = seen.residuals / np.where(seen.sigma > 0, seen.sigma, np.nan)
    panel.axes.axhspan(-1, 1, color=style.FAINT, alpha=0.55, lw=0, zorder=0)
    panel.axes.axhline(0, color=style.FIT, lw=1.2, zorder=1)
    panel.points(seen.x, np.clip(scaled, -6, 6), None, seen.kept)
    reach = float(np.clip(np.nanmax(np.abs(np.where(seen.kept, scaled, 0.0)), initial=3.0), 3.0, 6.0))
    panel.axes.set_ylim(-1.4 * reach, 1.4 * reach)  # clipped points are drawn up to 1.24 times as far out


def _iq_panel(sheet: Sheet, iq: IQPlane) -> None:
    place = grid(sheet, 1, 1, left=0.76, right=0.96)[0]
    panel = sheet.panel(place, "iq", Axis("I", "a.u."), Axis("Q", "a.u."))
    panel.points(iq.points[:, 0], iq.points[:, 1], None, label="means", colour=style.SKY)
    for centre, label, colour in ((iq.ground, "|0⟩", style.GREY), (iq.excited, "|1⟩", style.ORANGE)):
        x, y = np.asarray(centre[:1]), np.asarray(centre[1:])
        panel.axes.plot(x, y, "o", ms=10, mfc="none", mec=colour, mew=2.2, label=label, zorder=5)
        panel.entry["markers"].append({"label": label, "at": [float(centre[0]), float(centre[1])], "axis": "xy"})
    panel.axes.set_aspect("equal", adjustable="datalim")
    panel.axes.locator_params(nbins=4)
    panel.axes.xaxis.set_major_locator(MaxNLocator(2))
    panel.legend(columnspacing=0.7)


def _fine(x: NDArray[np.float64]) -> NDArray[np.float64]:
    own = sweep_of(x)
    if own.scale == "log":
        return np.geomspace(own.start, own.stop, style.FINE_POINTS)
    return np.linspace(own.start, own.stop, style.FINE_POINTS)


def _half_turn(frequency: float) -> float:
    return 0.5 / frequency if frequency > 0 else float("nan")


def _marker(panel: Panel, at: float, label: str, context: Context) -> None:
    if context.verdict == NO_SIGNAL:
        return
    low, high = panel.axes.get_xlim()
    if low <= float(panel.x.shown(np.asarray(at))) <= high:
        panel.marker(at, label, style.NEW)


def _previous(panel: Panel, at: float | None) -> None:
    if at is None:
        return
    low, high = panel.axes.get_xlim()
    if low <= float(panel.x.shown(np.asarray(at))) <= high:
        panel.marker(at, "previous", style.PREVIOUS, dashed=True)
