"""The readout of |0> and of |1> against frequency or amplitude: how they differ, and where they differ most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, Sheet, grid, house_style, new_sheet
from kubecal_tasks.figures.resonator import FREQUENCY_GHZ, plain_frequencies
from kubecal_tasks.figures.series import fit_label
from kubecal_tasks.fits.dispersive import DispersiveFit, as_complex
from kubecal_tasks.fits.readout_power import SHARE, ReadoutPowerFit
from kubecal_tasks.fits.separation import SeparationFit

Array = NDArray[np.float64]
SEPARATION = Axis("|S1 − S0|", "σ of a shot")
_HEIGHT_IN = 6.6
_COLOURS = (style.DATA, style.SECOND_DATA)


def separation_figure(
    fit: SeparationFit,
    iq: Array,
    shot_sigma: float,
    context: Context,
    previous: float | None = None,
    name: str = "separation",
) -> Figure:
    """Distance of |0> and |1> against frequency on the left, both in the IQ plane on the right.

    Parameters
    ----------
    iq
        (2, N, 2) means of |0> and of |1>.
    shot_sigma
        Scatter of one shot.
    previous
        Readout frequency before, Hz.
    """
    with house_style():
        sheet = new_sheet(context)
        left = sheet.panel(
            grid(sheet, 1, 1, right=0.6)[0], "separation", FREQUENCY_GHZ, Axis(*_named(SEPARATION), shot_sigma)
        )
        seen = fit.evidence
        size = np.hypot(*seen.y)
        # Across the difference the noise does not change its length, so one quadrature is what it is known to.
        sigma = np.sqrt(np.mean(seen.sigma**2, axis=0))
        left.points(fit.x, size, sigma, np.asarray(seen.kept.all(axis=0)))
        fine = np.linspace(float(fit.x.min()), float(fit.x.max()), style.FINE_POINTS)
        left.line(
            fine, fit.separation(fine), fit_label(seen, context), ls="--" if context.verdict == NO_SIGNAL else "-"
        )
        _marked(left, fit.middle.value, context, previous)
        left.axes.set_ylim(bottom=0.0)
        plain_frequencies(left.axes)
        left.axes.locator_params(axis="x", nbins=4)
        left.legend()
        at = None if context.verdict == NO_SIGNAL else int(np.argmin(np.abs(fit.x - fit.middle.value)))
        _plane(sheet, iq, at, "readout point")
        return sheet.finished(name)


def readout_power_figure(
    fit: ReadoutPowerFit,
    shot_sigma: float,
    context: Context,
    previous: float | None = None,
    name: str = "readout_power",
) -> Figure:
    """Distance of |0> and |1> against readout amplitude, with the amplitude chosen and the largest distance.

    Parameters
    ----------
    shot_sigma
        Scatter of one shot.
    previous
        Readout amplitude before.
    """
    with house_style():
        sheet = new_sheet(context)
        axis = Axis(*_named(SEPARATION), shot_sigma)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "separation", Axis("Readout amplitude", "a.u."), axis)
        seen = fit.evidence
        panel.points(fit.x, seen.y, seen.sigma, seen.kept)
        fine = np.linspace(float(fit.x.min()), float(fit.x.max()), style.FINE_POINTS)
        dashes = "--" if context.verdict == NO_SIGNAL else "-"
        panel.line(fine, fit.separation(fine), fit_label(seen, context), ls=dashes)
        if context.verdict != NO_SIGNAL:
            top = float(fit.separation(np.asarray([fit.peak_amplitude]))[0])
            panel.marker(SHARE * top, f"{SHARE:.0%} of the largest", style.SKY, dashed=True, horizontal=True)
        _marked(panel, fit.amplitude.value, context, previous)
        panel.axes.set_ylim(bottom=0.0)
        panel.legend()
        return sheet.finished(name)


def _named(axis: Axis) -> tuple[str, str]:
    return axis.quantity, axis.unit


def _marked(panel: Panel, at: float, context: Context, previous: float | None) -> None:
    low, high = panel.axes.get_xlim()
    for value, label, colour, dashed in (
        (at, "readout point", style.NEW, False),
        (previous, "previous", style.PREVIOUS, True),
    ):
        invented = context.verdict == NO_SIGNAL and not dashed
        if value is not None and not invented and low <= float(panel.x.shown(np.asarray(value))) <= high:
            panel.marker(value, label, colour, dashed=dashed)


def _plane(sheet: Sheet, iq: Array, chosen: int | None, label: str) -> None:
    """Both sweeps in the IQ plane, joined where the readout point is."""
    place = grid(sheet, 1, 1, left=0.72)[0]
    panel = sheet.panel(place, "iq", Axis("I", "a.u."), Axis("Q", "a.u."))
    for points, name, colour in zip(iq, ("|0⟩", "|1⟩"), _COLOURS, strict=True):
        panel.points(points[:, 0], points[:, 1], None, label=name, colour=colour)
    if chosen is not None:
        panel.line(iq[:, chosen, 0], iq[:, chosen, 1], label, color=style.NEW, lw=2.0)
    panel.axes.set_aspect("equal", adjustable="datalim")
    panel.axes.locator_params(nbins=4)
    panel.legend()


def dispersive_figure(
    fit: DispersiveFit, context: Context, previous: float | None = None, name: str = "dispersive_shift"
) -> Figure:
    """Magnitude and phase of |0> and |1> above, what they differ by below."""
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 3, 1, _HEIGHT_IN, hspace=0.16)
        magnitude = sheet.panel(places[0], "magnitude", FREQUENCY_GHZ, Axis("|S|", "a.u."))
        shared = {"sharex": magnitude.axes}
        phase = sheet.panel(places[1], "phase", FREQUENCY_GHZ, Axis("Phase", "rad"), **shared)
        difference = sheet.panel(places[2], "difference", FREQUENCY_GHZ, Axis("|S1 − S0|", "a.u."), **shared)
        seen = fit.evidence
        fine = np.linspace(float(fit.x.min()), float(fit.x.max()), style.FINE_POINTS)
        data, curves = as_complex(np.asarray(seen.y)), fit.states(fine)
        sigma = np.sqrt(np.mean(seen.sigma**2, axis=0))
        kept = np.asarray(seen.kept.all(axis=0))
        for state, (points, curve) in enumerate(zip(data, curves, strict=True)):
            label, colour = f"|{state}⟩", _COLOURS[state]
            magnitude.points(fit.x, np.abs(points), sigma, kept, label, colour)
            magnitude.line(fine, np.abs(curve), "fit" if state else "", color=style.INK, lw=1.2)
            near = np.interp(fit.x, fine, np.unwrap(np.angle(curve)))
            turned = near + (np.angle(points) - near + np.pi) % (2 * np.pi) - np.pi
            phase.points(fit.x, turned, sigma / np.maximum(np.abs(points), 1e-300), kept, label, colour)
            phase.line(fine, np.unwrap(np.angle(curve)), "fit", color=style.INK, lw=1.2)
        difference.points(fit.x, np.abs(data[1] - data[0]), np.sqrt(2) * sigma, kept, "data", style.SKY)
        difference.line(fine, np.abs(curves[1] - curves[0]), "fit", color=style.INK, lw=1.2)
        for panel in (magnitude, phase, difference):
            _lines(panel, fit, context)
            _marked(panel, fit.middle.value, context, previous)
            panel.axes.locator_params(axis="y", nbins=4)
        for panel in (magnitude, phase):
            panel.axes.set_xlabel("")
            panel.axes.tick_params(labelbottom=False)
        plain_frequencies(difference.axes)
        magnitude.legend(columnspacing=1.0)
        sheet.canvas.align_ylabels()
        return sheet.finished(name)


def _lines(panel: Panel, fit: DispersiveFit, context: Context) -> None:
    """Where the resonances are with |0> and with |1>."""
    low, high = float(fit.x.min()), float(fit.x.max())
    for at, label, colour in ((fit.ground, "f0", _COLOURS[0]), (fit.excited, "f1", _COLOURS[1])):
        if context.verdict != NO_SIGNAL and low <= at.value <= high:
            panel.marker(at.value, label, colour)
