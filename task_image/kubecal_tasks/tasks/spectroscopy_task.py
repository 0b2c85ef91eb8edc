"""Qubit spectroscopy of one qubit or of several at once: a coarse scan, a map over powers, and the two-photon line.

Every scan follows from the ones before it by the same functions that judge them (``spectrum.py``). The drives of
several qubits are swept together: the coarse scan goes through the band, the others about what that found of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.chevron import scan_checks
from kubecal_tasks.fits.lines import LineFound, line_check
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import PostProcessed, PostProcessResult
from kubecal_tasks.programs import Acquisition, Program, ProgramError, drive_line
from kubecal_tasks.tasks.chevron_task import NANOSECOND, READOUT_INPUTS, qubit_frequency
from kubecal_tasks.tasks.declared import INTERVAL, MAX_POINTS, MAX_SHOTS, duration_s, pulse_amplitude, shots, sweep
from kubecal_tasks.tasks.detuned import detuned_drives, driven_at
from kubecal_tasks.tasks.findings import as_checks, could_show, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.maps import Marks, line_picture, power_map_picture, scan_picture
from kubecal_tasks.tasks.pictures import Draw
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import GIGAHERTZ, MEGAHERTZ, QubitTask
from kubecal_tasks.tasks.spectrum import (
    COARSE,
    MAP,
    PAIR,
    PairLine,
    Row,
    amplitude_row,
    best_row,
    coarse_line,
    pair_amplitude,
    pair_line,
    rows_of,
    scans_of,
)

COARSE_STEP_HZ = 5e6
COARSE_DB = (-20.0, -10.0, 0.0)
"""Below the strongest drive, tried in turn until a line is seen: at the first the line of most qubits is broader than
the steps, and no other line shows."""
DURATIONS_S = np.asarray([50.0, 90.0]) * NANOSECOND
"""Long enough to turn the qubit, too short for a line narrower than the steps of the coarse scan."""
MAP_HZ = np.linspace(-200e6, 60e6, 105)
"""About the line; down to where two photons reach |2>."""
PAIR_HZ = np.linspace(-182e6, -128e6, 55)
"""About the line: half of any transmon's anharmonicity."""
PAIR_DURATIONS_S = np.asarray([130.0, 230.0]) * NANOSECOND
_SHOTS_STEP = 4


@dataclass(frozen=True)
class Spectrum:
    """What all scans say of one qubit."""

    line: LineFound
    """Of the coarse scan that decided."""
    rows: tuple[Row, ...] = ()
    pair: PairLine | None = None

    @property
    def best(self) -> Row | None:
        """The row that tells the qubit's frequency."""
        return best_row(self.rows) if self.rows else None


class SpectroscopyTask(QubitTask):
    """Where qubits are within their band, and what else shows there."""

    inputs: ClassVar[tuple[InputParameter, ...]] = READOUT_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        qubit_frequency("line", "coarse_qubit_frequency"),
        OutputParameter(
            "anharmonicity", "GHz", required=False, description="from the line where two photons reach |2>"
        ),
        OutputParameter(
            "f01_quality_level", "", required=False, minimum=0.0, description="height of the line over its noise"
        ),
        replace(
            pulse_amplitude("coarse_control_amplitude", "", "amplitude that drives Rabi oscillations at 12.5 MHz"),
            required=False,
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "frequency_range",
            "GHz",
            None,
            0.1,
            20.0,
            "of the coarse scan; the qubit band of the chip's design in steps of 5 MHz, else the backend's",
        ),
        sweep("power_range", "dB", {"start": -40, "stop": 0, "num": 9}, -80.0, 0.0, "of the map, below full scale"),
        shots(1024),
        INTERVAL,
    )
    timeout_s = 7200.0

    # ------------------------------------------------------------ measuring

    def preprocess(self, backend: Backend) -> None:
        """Where the coarse scan goes; everything after follows from what it finds."""
        self.frequencies = self._frequencies(backend)
        self.amplitudes = 10.0 ** (np.sort(self.sweep("power_range")) / 20.0)

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Coarse scans until every qubit is seen, a map of those that are, and their two-photon lines."""
        result: list[Acquisition] = []
        lost = list(self.members)
        for decibels in COARSE_DB:
            if lost:
                amplitude = float(self.amplitudes[-1]) * 10.0 ** (decibels / 20.0)
                result.append(self.acquire(backend, f"{COARSE} {decibels:g} dB", self._coarse(lost, amplitude)))
                lost = [one for one in lost if not self.spectrum(result, one).line.found]
        seen = [one for one in self.members if one not in lost]
        if not seen:
            return result
        result.append(self.acquire(backend, MAP, self._map(backend, result, seen)))
        pairs = self._pairs(backend, result, seen)
        if pairs is not None:
            result.append(self.acquire(backend, PAIR, pairs))
        return result

    def _coarse(self, qubits: Sequence[str], amplitude: float) -> Program:
        middle = self._middle()
        driven = [(self.members[one].pulses_at(middle), amplitude) for one in qubits]
        return detuned_drives(driven, self.frequencies - middle, DURATIONS_S, share=DURATIONS_S.size)

    def _map(self, backend: Backend, result: Sequence[Acquisition], qubits: Sequence[str]) -> Program:
        at = {one: self.spectrum(result, one).line.at for one in qubits}
        driven = [(self.members[one].pulses_at(hertz), 1.0) for one, hertz in at.items()]
        detunings = _playable(backend, at, MAP_HZ)
        return detuned_drives(driven, detunings, DURATIONS_S, DURATIONS_S.size, self.amplitudes)

    def _pairs(self, backend: Backend, result: Sequence[Acquisition], qubits: Sequence[str]) -> Program | None:
        """Of those whose line is certain and whose drive is strong enough."""
        driven: list[tuple[Pulses, float]] = []
        for one in qubits:
            row = self.spectrum(result, one).best
            amplitude = pair_amplitude(row, float(self.amplitudes[-1])) if row is not None and row.ok else None
            if row is not None and amplitude is not None:
                driven.append((self.members[one].pulses_at(row.frequency.value), amplitude))
        if not driven:
            return None
        detunings = _playable(backend, {pulses.qubit: pulses.drive_hz for pulses, _ in driven}, PAIR_HZ)
        return detuned_drives(driven, detunings, PAIR_DURATIONS_S, PAIR_DURATIONS_S.size)

    def pulses_at(self, drive_hz: float) -> Pulses:
        """This qubit's readout, and its drive at a frequency."""
        return Pulses(
            qubit=self.target,
            drive_hz=drive_hz,
            readout_hz=self.value("readout_frequency"),
            readout_amplitude=self.value("readout_amplitude"),
            readout_s=self.value("readout_length"),
            interval_s=self.interval_s(),
            shots=self.integer("shots"),
        )

    def _frequencies(self, backend: Backend) -> Array:
        """(F,) of the coarse scan, Hz."""
        if "frequency_range" in self.binding.parameters:
            return np.sort(self.sweep("frequency_range"))
        low, high = self._band(backend)
        return np.linspace(low, high, min(round((high - low) / COARSE_STEP_HZ) + 1, MAX_POINTS))

    def _band(self, backend: Backend) -> tuple[float, float]:
        """Of the chip's design; else where all drive lines can play."""
        if "qubit" in self.binding.bands:
            return self.binding.bands["qubit"]
        known = backend.capabilities().bands
        for one in self.members:
            if drive_line(one) not in known:
                raise ProgramError(f"the backend has no drive line of qubit {one}: correct its wiring")
        bands = [known[drive_line(one)] for one in self.members]
        return max(band.minimum_hz for band in bands), min(band.maximum_hz for band in bands)

    def _middle(self) -> float:
        return float(round((self.frequencies[0] + self.frequencies[-1]) / 2 / MEGAHERTZ) * MEGAHERTZ)

    # ------------------------------------------------------------ judging

    def spectrum(self, result: Sequence[Acquisition], qubit: str) -> Spectrum:
        """What the scans so far say of a qubit."""
        line = coarse_line(scans_of(result, COARSE, qubit)[-1], qubit)
        maps, pairs = scans_of(result, MAP, qubit), scans_of(result, PAIR, qubit)
        rows = tuple(rows_of(maps[0], qubit)) if maps else ()
        pair = pair_line(pairs[0], qubit, best_row(rows)) if pairs and rows else None
        return Spectrum(line, rows, pair)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessed:
        """Each qubit by itself."""
        found = self.each(lambda member: member.judged(backend, result))
        return found if self.binding.members else found[self.target]

    def judged(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """This qubit's lines, or that there is none."""
        spectrum = self.spectrum(result, self.target)
        coarse = scans_of(result, COARSE, self.target)[-1]
        frequencies = coarse.data.axes[0] + driven_at(coarse, self.target)
        low, high = float(frequencies.min()), float(frequencies.max())
        where = f"between {low / GIGAHERTZ:.4g} and {high / GIGAHERTZ:.4g} GHz"
        seen = could_show(
            as_checks([line_check(spectrum.line, where)], prefix="coarse "),
            self._is_whole(backend, low, high),
            f"no line {where}, which is only a part of the band: let frequency_range hold all of it",
        )
        row = spectrum.best
        if row is None:
            return PostProcessResult(
                checks=seen,
                suggestion=self._louder(backend, low, high),
                lines=(f"no line {where}",),
                figures=(line_picture(spectrum.line, Marks()),),
            )
        checks = (*as_checks(scan_checks(row.fit)), *seen, _within(row, low, high))
        estimates: tuple[Estimate, ...] = (
            Estimate("coarse_qubit_frequency", row.frequency.value, row.frequency.error, row.spread_hz),
            estimate("f01_quality_level", row.quality),
            estimate("coarse_control_amplitude", amplitude_row(spectrum.rows).needed),
        )
        lines = [value_line("qubit frequency", row.frequency, "GHz", GIGAHERTZ)]
        if spectrum.pair is not None:
            lines_seen = [line_check(spectrum.pair.line, "of two photons"), *scan_checks(spectrum.pair.fit)]
            checks += as_checks(lines_seen, "anharmonicity")
            estimates += (estimate("anharmonicity", spectrum.pair.anharmonicity),)
            lines.append(value_line("anharmonicity", spectrum.pair.anharmonicity, "MHz", MEGAHERTZ))
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=row.fit.statistics.r2,
            metrics=metrics(row.fit.statistics),
            suggestion=self._next(backend, checks, (low, high)),
            lines=(*lines, quality_line(row.fit.statistics)),
            figures=self._pictures(result, spectrum, row),
        )

    def _pictures(self, result: Sequence[Acquisition], spectrum: Spectrum, row: Row) -> tuple[Draw, ...]:
        found = row.frequency.value
        pair = spectrum.pair
        marks = Marks(found) if pair is None else Marks(found, found + pair.anharmonicity.value)
        scan = scans_of(result, MAP, self.target)[0]
        drawn = [
            scan_picture(row.fit, False, row.drive_hz),
            power_map_picture(scan, row.drive_hz, marks),
            line_picture(spectrum.line, marks),
        ]
        if pair is not None:
            drawn.append(scan_picture(pair.fit, False, pair.drive_hz, photons=2, name="two_photons"))
        return tuple(drawn)

    def _next(self, backend: Backend, checks: Sequence[Check], scanned: tuple[float, float]) -> Suggestion | None:
        failed = {check.verdict for check in checks if not check.ok and check.output != "anharmonicity"}
        return self._louder(backend, *scanned) if failed & {Verdict.NO_SIGNAL, Verdict.WINDOW} else None

    def _louder(self, backend: Backend, low: float, high: float) -> Suggestion | None:
        """The whole band where only a part was scanned, and more shots as far as allowed."""
        more = min(_SHOTS_STEP * self.integer("shots"), MAX_SHOTS)
        parameters: dict[str, object] = {}
        reason = f"{more} shots"
        band = self._band(backend)
        if not self._is_whole(backend, low, high):
            start, stop = (round(each / GIGAHERTZ, 6) for each in band)
            num = min(round((band[1] - band[0]) / COARSE_STEP_HZ) + 1, MAX_POINTS)
            parameters["frequency_range"] = {"start": start, "stop": stop, "num": num, "scale": "linear"}
            reason = f"the whole band, {start:g} ... {stop:g} GHz, with {more} shots"
        if more > self.integer("shots"):
            parameters["shots"] = more
        return Suggestion(parameters, f"no certain line: {reason}") if parameters else None

    def _is_whole(self, backend: Backend, low: float, high: float) -> bool:
        """Whether the qubit cannot lie within its band and beyond the scan."""
        band = self._band(backend)
        return low - band[0] <= COARSE_STEP_HZ and band[1] - high <= COARSE_STEP_HZ

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps, for a band of 1 GHz."""
        return duration_s(201 + 9 * MAP_HZ.size + PAIR_HZ.size, 1024, 0.1e-6)


def _within(row: Row, low: float, high: float) -> Check:
    """Whether the line is where it was looked for, and not a wing of one beyond."""
    found = row.frequency.value
    limit = low if found < low else high
    inside = low <= found <= high
    text = (
        f"the line, at {found / GIGAHERTZ:.6g} GHz, lies beyond the scan, which ends at {limit / GIGAHERTZ:.6g} GHz: "
        "widen frequency_range"
    )
    return Check("window", found, limit, inside, Verdict.WINDOW, message="" if inside else text)


def _playable(backend: Backend, at: Mapping[str, float], detunings: Array) -> Array:
    """Those detunings that the lines of all these qubits can play."""
    known = backend.capabilities().bands
    fits = np.ones(detunings.size, dtype=bool)
    for one, hertz in at.items():
        band = known[drive_line(one)]
        fits &= (hertz + detunings >= band.minimum_hz) & (hertz + detunings <= band.maximum_hz)
    return detunings[fits]
