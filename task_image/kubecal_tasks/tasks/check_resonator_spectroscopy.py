"""All resonators of a readout line against frequency and power: which is whose, and how hard it may be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter, TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.punch_out import FEWEST_ROWS, LineTrack, fit_punch_out, follow_lines, punch_out_checks
from kubecal_tasks.fits.resonator_lines import assigned
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check, Suggestion
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Average, Axis, Program, ProgramError, Readout, Swept, Tone, readout_line
from kubecal_tasks.tasks.band import FREQUENCY_RANGE, band_frequencies, glitch_check, line_check
from kubecal_tasks.tasks.declared import INTERVAL, MAX_SHOTS, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ
from kubecal_tasks.tasks.readout_pictures import PowerMap, power_map_picture
from kubecal_tasks.tasks.readout_task import (
    READOUT_LENGTH,
    ReadoutTask,
    readout_amplitude,
    readout_frequency,
    with_spread,
)

NEARLY_FULL = 0.95
"""Of the ADC's full scale: rows whose points reach it were cut off."""
FARTHEST_MHZ = 25.0
"""From where the design has a line: less than half way to the next one."""
_DB_PER_NEPER = 20 / math.log(10)
_POINTS, _POWERS = 1001, 13


class CheckResonatorSpectroscopy(ReadoutTask):
    """Readout frequency and amplitude of every qubit of a MUX, from one map of frequency and power."""

    name = "CheckResonatorSpectroscopy"
    kind = TargetKind.MUX
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        InputParameter("readout_frequency", "GHz", required=False),
        READOUT_LENGTH,
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        readout_frequency("readout_frequency", "resonance with the qubit in |0>, at readout_amplitude", "readout"),
        readout_amplitude("at which the line has moved by 2 % of its way from dressed to bare", "readout"),
        OutputParameter("optimal_power", "dB", description="readout_amplitude in dB of full scale"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        FREQUENCY_RANGE,
        sweep(
            "power_range",
            "dB",
            {"start": -60, "stop": 0, "num": _POWERS},
            -120.0,
            0.0,
            "powers of the tone below full scale",
        ),
        shots(1024),
        INTERVAL,
    )
    timeout_s = 7200.0
    judges_clipping = True

    def preprocess(self, backend: Backend) -> None:
        """One tone over the whole band, at every power; it passes all resonators of the line on its way."""
        first = next(iter(self.members))
        powers = np.unique(self.sweep("power_range"))
        if powers.size < FEWEST_ROWS:
            raise ProgramError(f"power_range has {powers.size} powers, {FEWEST_ROWS} are needed to see a line move")
        tone = Tone(readout_line(first), Swept("frequency"), Swept("amplitude"))
        self.program = Program(
            frames=(),
            body=(),
            readout=Readout((tone,), self.members[first].value("readout_length")),
            acquisition=Average(self.integer("shots")),
            interval_s=self.interval_s(),
            axes=(
                Axis("amplitude", tuple(10 ** (powers / 20)), "a.u."),
                Axis("frequency", tuple(band_frequencies(self, backend, first)), "Hz"),
            ),
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One map for all."""
        return (self.acquire(backend, "map", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> dict[str, PostProcessResult]:
        """Lines are followed over power once, then each qubit is judged on the one that is its own."""
        acquired = result[0]
        amplitudes, frequencies = acquired.data.axes
        tracks = follow_lines(frequencies, amplitudes, acquired.iq, acquired.covariance, len(self.members))
        owners = dict(zip(self.members, self._assigned(tracks), strict=True))
        largest = unclipped(amplitudes, acquired.iq, backend.capabilities().adc_full_scale)
        expected = {q: m.value("readout_frequency") for q, m in self.members.items() if m.has("readout_frequency")}
        whole = PowerMap(frequencies, amplitudes, acquired.iq, tracks, owners, expected)
        return self.each(lambda member: member.judged(whole, largest))

    def _assigned(self, tracks: Sequence[LineTrack]) -> tuple[int | None, ...]:
        """The line of each member: in the design's order, or in the members' own where there is no design."""
        found = np.asarray([track.lowest for track in tracks])
        members = list(self.members.values())
        if all(member.has("readout_frequency") for member in members):
            return assigned(found, np.asarray([member.value("readout_frequency") for member in members]))
        if found.size != len(members):
            return (None,) * len(members)
        return tuple(range(found.size))

    def judged(self, whole: PowerMap, largest: float) -> PostProcessResult:
        """What the map says of one member.

        Parameters
        ----------
        largest
            The largest amplitude that the ADC did not cut off.
        """
        lines = np.asarray([track.lowest for track in whole.tracks])
        number = whole.owners[self.target]
        clean = glitch_check(whole.iq)
        if not clean.ok:
            return PostProcessResult(checks=(clean,), figures=(power_map_picture(whole, None),))
        design = whole.expected.get(self.target)
        mine = line_check("line", lines, f"qubit {self.target}", number is not None, whole.frequencies, design)
        if number is None:
            return PostProcessResult(
                checks=(clean, mine), suggestion=self.better((mine,)), figures=(power_map_picture(whole, None),)
            )
        track = whole.tracks[number]
        seen = (clean, mine, self._in_order(whole, track), _at_enough_powers(track))
        if not seen[-1].ok:
            return PostProcessResult(
                checks=seen, suggestion=self.better(seen), figures=(power_map_picture(whole, None),)
            )
        fit = fit_punch_out(track)
        checks = (*seen, *as_checks(punch_out_checks(fit)), _clipped(fit.amplitude.value, largest))
        amplitude = fit.amplitude
        relative = amplitude.error / amplitude.value
        power = Measured(_DB_PER_NEPER * math.log(amplitude.value), _DB_PER_NEPER * relative)
        return PostProcessResult(
            estimates=(
                with_spread(estimate("readout_frequency", fit.frequency), fit.thermal_doubt),
                estimate("readout_amplitude", amplitude),
                estimate("optimal_power", power),
            ),
            checks=checks,
            r2=fit.model.statistics.r2,
            metrics=metrics(fit.model.statistics),
            suggestion=self.better(checks),
            lines=(
                value_line("readout frequency", fit.frequency, "GHz", GIGAHERTZ),
                value_line("power", power, "dB"),
                quality_line(fit.model.statistics),
            ),
            figures=(power_map_picture(whole, fit),),
        )

    def _in_order(self, whole: PowerMap, track: LineTrack) -> Check:
        """Whether the line is where the design has it, but for a shift that all lines of the cable have."""
        away = track.lowest - whole.expected.get(self.target, track.lowest)
        text = (
            f"the line left for qubit {self.target}, at {track.lowest / GIGAHERTZ:.6g} GHz, is {away / MEGAHERTZ:.3g} "
            "MHz from where the design has it: widen frequency_range, or correct the design"
        )
        off = abs(away - whole.shift) / MEGAHERTZ
        return Check("order", off, FARTHEST_MHZ, off <= FARTHEST_MHZ, Verdict.NO_SIGNAL, message=text)

    def better(self, checks: Sequence[Check]) -> Suggestion | None:
        """More shots where a line is missing, more powers where it does not get bare or was bare from the start."""
        failed = {check.name for check in checks if not check.ok and check.name != "order"}
        unseen = any(not check.ok and check.verdict is Verdict.NO_SIGNAL and check.name != "order" for check in checks)
        powers = np.unique(self.sweep("power_range"))
        number = self.integer("shots")
        if failed & {"window", "window_start", "powers"}:
            start, stop = max(-120.0, float(powers[0]) - 20.0), 0.0
            if (start, stop) != (float(powers[0]), float(powers[-1])):
                swept = {"start": start, "stop": stop, "num": max(_POWERS, powers.size), "scale": "linear"}
                return Suggestion({"power_range": swept}, f"powers from {start:g} dB to {stop:g} dB")
        if (unseen or "powers" in failed) and number < MAX_SHOTS:
            more = min(4 * number, MAX_SHOTS)
            return Suggestion({"shots": more}, f"no line seen, or none that moves: {more} shots instead of {number}")
        return None

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps, of a band of 2 GHz."""
        return duration_s(_POINTS * _POWERS, 1024, 0.0)


def unclipped(amplitudes: Array, iq: Array, full_scale: float) -> float:
    """The largest amplitude (R,) whose points (R, N, 2) stay within the ADC's full scale; 0 where none does."""
    reached = np.median(np.hypot(iq[..., 0], iq[..., 1]), axis=1) >= NEARLY_FULL * full_scale
    return float(amplitudes[~reached].max(initial=0.0))


def _at_enough_powers(track: LineTrack) -> Check:
    number = track.amplitudes.size
    text = (
        f"the line near {track.lowest / GIGAHERTZ:.6g} GHz shows at {number} powers, {FEWEST_ROWS} are needed to see "
        "it move: use higher powers, or more shots"
    )
    ok = number >= FEWEST_ROWS
    return Check("powers", float(number), float(FEWEST_ROWS), ok, Verdict.WINDOW, message="" if ok else text)


def _clipped(amplitude: float, largest: float) -> Check:
    text = (
        f"readout_amplitude would be {amplitude:.3g}, but from {largest:.3g} on the ADC is full: lower the gain of the "
        "readout line"
    )
    ok = amplitude <= largest
    return Check("clipped", amplitude, largest, ok, Verdict.UNPHYSICAL, message="" if ok else text)
