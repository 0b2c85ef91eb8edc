"""Readout bands: the phase against frequency with its jumps, and the same against power as a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, Sheet, grid, house_style, new_sheet
from kubecal_tasks.figures.resonator import FREQUENCY_GHZ, plain_frequencies
from kubecal_tasks.fits.punch_out import LineTrack, PunchOutFit
from kubecal_tasks.fits.resonator import ResonatorFit
from kubecal_tasks.fits.resonator_lines import without_delay

Array = NDArray[np.float64]
POWER = Axis("Power", "dB")
PHASE_TURNS = Axis("Phase", "turns")
_HEIGHT_IN = 5.3
_MARGIN_HZ = 40e6
_ZOOM_HZ = 30e6
_CYCLIC = "twilight"


@dataclass(frozen=True)
class PowerMap:
    """A band measured at several powers, and whose the lines in it are."""

    frequencies: Array
    """(N,) Hz."""
    amplitudes: Array
    """(R,) rising."""
    iq: Array
    """(R, N, 2)."""
    tracks: Sequence[LineTrack]
    names: Sequence[str]
    """Whose each line is; empty where nobody's."""

    @property
    def powers(self) -> Array:
        """(R,) dB."""
        return np.asarray(20 * np.log10(self.amplitudes))

    def phase(self) -> Array:
        """(R, N) of each row without the delay, about its own median direction; radians in -pi ... pi."""
        points = without_delay(self.iq)
        middle = np.sum(points / np.maximum(np.abs(points), 1e-300), axis=1, keepdims=True)
        return np.asarray(np.angle(points * middle.conj()))


def power_map_figure(measured: PowerMap, fit: PunchOutFit | None, context: Context, name: str = "power_map") -> Figure:
    """All lines of the cable on the left, the qubit's own with its way from dressed to bare on the right."""
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        lines = [track.lowest for track in measured.tracks]
        ends = (min(lines) - _MARGIN_HZ, max(lines) + _MARGIN_HZ) if lines else (-np.inf, np.inf)
        left = sheet.panel(grid(sheet, 1, 1, _HEIGHT_IN, right=0.56 if fit else 0.86)[0], "band", FREQUENCY_GHZ, POWER)
        drawn = _map(left, measured, *ends)
        for track, whose in zip(measured.tracks, measured.names, strict=True):
            mine = whose == context.target
            left.axes.text(
                track.lowest / FREQUENCY_GHZ.scale, 1.012, whose or "?", transform=left.axes.get_xaxis_transform(),
                ha="center", va="bottom", color=style.NEW if mine else style.GREY, weight="bold" if mine else "normal",
            )  # fmt: skip
        if fit is not None:
            _own(sheet, measured, fit, context)
        place = sheet.canvas.add_axes((0.945 if fit else 0.9, 0.6 / _HEIGHT_IN, 0.012, 1 - 2.0 / _HEIGHT_IN))
        bar = sheet.canvas.colorbar(drawn, cax=place, ticks=[-np.pi, 0, np.pi])
        bar.ax.set_yticklabels(["−π", "0", "π"])
        bar.ax.set_xlabel("phase", fontsize=10)
        bar.outline.set_visible(False)
        return sheet.finished(name)


def _map(panel: Panel, measured: PowerMap, low: float, high: float) -> QuadMesh:
    """The phase between two frequencies as colours; returns what a colour bar needs."""
    inside = (measured.frequencies >= low) & (measured.frequencies <= high)
    shown = panel.x.shown(measured.frequencies[inside])
    phase, powers = measured.phase()[:, inside], measured.powers
    drawn = panel.axes.pcolormesh(
        shown, powers, phase, cmap=_CYCLIC, norm=Normalize(-np.pi, np.pi), shading="nearest", rasterized=True
    )
    panel.axes.grid(visible=False)
    plain_frequencies(panel.axes)
    panel.axes.locator_params(axis="x", nbins=4)
    panel.entry["map"] = {
        "quantity": "phase",
        "unit": "rad",
        "x": [float(f"{each:.9g}") for each in shown],
        "y": [float(f"{each:.6g}") for each in powers],
        "z": [[float(f"{each:.4g}") for each in row] for row in phase],
    }
    return drawn


def _own(sheet: Sheet, measured: PowerMap, fit: PunchOutFit, context: Context) -> None:
    """The qubit's line, what it was fitted by, and the readout point."""
    place = grid(sheet, 1, 1, _HEIGHT_IN, left=0.66, right=0.925)[0]
    panel = sheet.panel(place, "own line", FREQUENCY_GHZ, POWER)
    # What was found of the line, not what was fitted to it: a fit that failed may end anywhere.
    found = fit.track.frequency
    _map(panel, measured, float(found.min()) - _ZOOM_HZ / 2, float(found.max()) + _ZOOM_HZ / 2)
    limits = panel.axes.get_xlim(), panel.axes.get_ylim()
    powers = np.linspace(float(measured.powers.min()), float(measured.powers.max()), style.FINE_POINTS)
    track = 20 * np.log10(fit.track.amplitudes)
    panel.points(fit.track.frequency, track, None, label="line", colour=style.SKY)
    dashes = "--" if context.verdict == NO_SIGNAL else "-"
    panel.line(fit.line(10 ** (powers / 20)), powers, "fit", ls=dashes, lw=1.6)
    if context.verdict != NO_SIGNAL:
        at = 20 * np.log10(fit.amplitude.value)
        x = fit.frequency.value / FREQUENCY_GHZ.scale
        panel.axes.plot([x], [at], "o", ms=11, mfc="none", mec=style.GREEN, mew=2.4, label="readout", zorder=6)
        panel.entry["markers"].append({"label": "readout", "at": [x, float(at)], "axis": "xy"})
    panel.axes.set_xlim(limits[0])
    panel.axes.set_ylim(limits[1])
    panel.axes.set_ylabel("")
    panel.axes.locator_params(axis="x", nbins=3)
    panel.legend()


def band_figure(
    frequencies: Array,
    iq: Array,
    lines: Sequence[ResonatorFit],
    own: ResonatorFit | None,
    context: Context,
    previous: float | None = None,
    name: str = "band",
) -> Figure:
    """The phase over the whole band above, that of the qubit's own line below.

    Parameters
    ----------
    frequencies, iq
        (N,) Hz and (N, 2).
    lines, own
        Every line found, and the one that is the qubit's.
    previous
        Where the design has it, Hz.
    """
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 2 if own else 1, 1, _HEIGHT_IN, hspace=0.5)
        above = sheet.panel(places[0], "band", FREQUENCY_GHZ, PHASE_TURNS)
        phase = np.unwrap(np.angle(without_delay(iq[None])[0])) / (2 * np.pi)
        above.line(frequencies, phase, "phase", color=style.DATA, lw=1.4)
        for number, fit in enumerate(lines):
            if fit is not own:
                above.marker(fit.frequency.value, "other lines" if number == _first(lines, own) else "", style.SKY)
        _marked(above, own, context, previous)
        above.legend()
        plain_frequencies(above.axes)
        if own is not None:
            below = sheet.panel(places[1], "own line", FREQUENCY_GHZ, Axis("Phase of S11", "rad"))
            _own_phase(below, own)
            _marked(below, own, context, previous)
            plain_frequencies(below.axes)
        sheet.canvas.align_ylabels()
        return sheet.finished(name)


def _first(lines: Sequence[ResonatorFit], own: ResonatorFit | None) -> int:
    return next((number for number, fit in enumerate(lines) if fit is not own), -1)


def _own_phase(panel: Panel, own: ResonatorFit) -> None:
    seen = own.evidence
    fine = np.linspace(float(own.x.min()), float(own.x.max()), style.FINE_POINTS)
    curve = np.unwrap(np.angle(own.normalised(fine, np.stack(tuple(own.curve(fine)), axis=-1))))
    points = own.normalised(own.x, np.stack(tuple(seen.y), axis=-1))
    near = np.interp(own.x, fine, curve)
    sigma = np.sqrt(np.mean(seen.sigma**2, axis=0)) / np.abs(own.background(own.x))
    kept = np.asarray(seen.kept.all(axis=0))
    panel.points(own.x, near + (np.angle(points) - near + np.pi) % (2 * np.pi) - np.pi, sigma, kept)
    panel.line(fine, curve)


def _marked(panel: Panel, own: ResonatorFit | None, context: Context, previous: float | None) -> None:
    low, high = panel.axes.get_xlim()
    if own is not None and context.verdict != NO_SIGNAL:
        panel.marker(own.frequency.value, "resonator", style.NEW)
    if previous is not None and low <= previous / FREQUENCY_GHZ.scale <= high:
        panel.marker(previous, "design", style.PREVIOUS, dashed=True)
