"""One qubit's spectrum, from the scans that were stored of it: pure functions, the same while measuring and after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.chevron import ChevronFit, fit_chevron, scan_checks
from kubecal_tasks.fits.lines import LineFound, find_line
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.programs import Acquisition, readout_line
from kubecal_tasks.tasks.detuned import driven_at, driven_with
from kubecal_tasks.tasks.dressing import line_shift_hz, pair_rate_hz, pair_shift_hz, undressed_rate
from kubecal_tasks.tasks.qubit_task import TARGET_RATE_HZ
from kubecal_tasks.tasks.trace import measured_trace

COARSE, MAP, PAIR = "coarse", "map", "two photons"
LINE_HZ = 60e6
"""The part of the map on either side of the line that it is fitted in."""
HIGHEST_RATE_HZ = 20e6
"""Rows driven harder are not used: the third level moves their line too far."""
PAIR_RATE_HZ = 3e6
"""Rabi rate wanted of the two-photon line: about half a turn within its durations."""
TYPICAL_ANHARMONICITY_HZ = -310e6
_PAIR_HZ = 8e6
"""On either side of the two-photon line it is fitted; what lies beyond only adds noise."""
_WEAKEST_PAIR = 0.4
"""Of the wanted two-photon rate: where the strongest drive does not even do that, there is nothing to see."""
_NEGLECTED_LINE, _NEGLECTED_RATE, _NEGLECTED_PAIR = 0.15, 1.5, 0.3
"""Parts of what other levels do to frequency, Rabi rate and two-photon line that are added to the errors."""


@dataclass(frozen=True)
class Row:
    """The qubit's line at one power."""

    amplitude: float
    fit: ChevronFit
    drive_hz: float
    """The frequency that its detunings are counted from."""

    @property
    def rate(self) -> Measured:
        """Rabi rate of the drive, Hz."""
        return undressed_rate(self.fit.rabi_rate, TYPICAL_ANHARMONICITY_HZ, _NEGLECTED_RATE)

    @property
    def needed(self) -> Measured:
        """The amplitude for 12.5 MHz."""
        value = self.amplitude * TARGET_RATE_HZ / self.rate.value
        return Measured(value, value * self.rate.error / self.rate.value)

    @property
    def spread_hz(self) -> float:
        """What is not known of the shift by the third level."""
        return _NEGLECTED_LINE * line_shift_hz(self.rate.value, TYPICAL_ANHARMONICITY_HZ)

    @property
    def frequency(self) -> Measured:
        """Of the qubit, without what the drive does to it, Hz."""
        shift = line_shift_hz(self.rate.value, TYPICAL_ANHARMONICITY_HZ)
        found = self.drive_hz + self.fit.centre.value - shift
        return Measured(found, math.hypot(self.fit.centre.error, self.spread_hz))

    @property
    def quality(self) -> Measured:
        """Height of the line over the noise of one point."""
        noise = float(np.median(self.fit.evidence.sigma))
        height = abs(self.fit.excited.value - self.fit.ground.value)
        return Measured(height / noise, math.hypot(self.fit.excited.error, self.fit.ground.error) / noise)

    @property
    def ok(self) -> bool:
        """Whether it is one line as a driven qubit has it."""
        return self.rate.value <= HIGHEST_RATE_HZ and all(check.ok for check in scan_checks(self.fit))


@dataclass(frozen=True)
class PairLine:
    """The line where two photons reach |2>."""

    line: LineFound
    """Where it shows in its scan."""
    fit: ChevronFit
    """About there, over the detuning of two photons: twice that of the drive."""
    drive_hz: float
    anharmonicity: Measured
    """Hz."""


def scans_of(result: Sequence[Acquisition], label: str, qubit: str) -> list[Acquisition]:
    """The scans of one kind in which a qubit was read, as if it alone had been."""
    line = readout_line(qubit)
    return [
        each.tone(line)
        for each in result
        if each.label.startswith(label) and any(tone.line == line for tone in each.program.readout.tones)
    ]


def coarse_line(scan: Acquisition, qubit: str) -> LineFound:
    """The strongest line of a coarse scan, in Hz."""
    return find_line(driven_at(scan, qubit) + scan.data.axes[0], scan.iq, scan.covariance)


def rows_of(scan: Acquisition, qubit: str) -> list[Row]:
    """The line about the middle of a map, at its powers from the weakest to the first that is too strong."""
    amplitudes, detunings, durations = scan.data.axes
    near = np.abs(detunings) <= LINE_HZ
    found: list[Row] = []
    for number in np.argsort(amplitudes):
        fit = _fitted(detunings[near], durations, scan.iq[number, near], scan.covariance[number, near])
        found.append(Row(float(amplitudes[number]), fit, driven_at(scan, qubit)))
        if found[-1].fit.rabi_rate.value > HIGHEST_RATE_HZ and all(check.ok for check in scan_checks(fit)):
            break
    return found


def best_row(rows: Sequence[Row]) -> Row:
    """The one that tells the frequency best; where none is what it should be, the one with the clearest signal."""
    good = [row for row in rows if row.ok]
    if good:
        return min(good, key=lambda row: row.frequency.error)
    return max(rows, key=lambda row: row.fit.statistics.delta_chi2)


def amplitude_row(rows: Sequence[Row]) -> Row:
    """The one that tells the Rabi rate best; it is driven harder than the one that tells the frequency best."""
    return min([row for row in rows if row.ok] or [best_row(rows)], key=lambda row: row.needed.error)


def pair_amplitude(row: Row, strongest: float) -> float | None:
    """The amplitude at which to look for the two-photon line; None where there is not enough."""
    wanted = math.sqrt(PAIR_RATE_HZ * abs(TYPICAL_ANHARMONICITY_HZ) / math.sqrt(2))
    amplitude = min(row.amplitude * wanted / row.rate.value, strongest)
    rate = pair_rate_hz(row.rate.value * amplitude / row.amplitude, TYPICAL_ANHARMONICITY_HZ)
    return amplitude if rate >= _WEAKEST_PAIR * PAIR_RATE_HZ else None


def pair_line(scan: Acquisition, qubit: str, row: Row) -> PairLine:
    """The two-photon line, and the anharmonicity that puts it there."""
    detunings, durations = scan.data.axes
    line = find_line(detunings, scan.iq, scan.covariance)
    near = np.abs(detunings - line.at) <= _PAIR_HZ
    fit = _fitted(2 * detunings[near], durations, scan.iq[near], scan.covariance[near])
    drive_hz = driven_at(scan, qubit)
    rate = row.rate.value * driven_with(scan, qubit) / row.amplitude
    shift = pair_shift_hz(rate, TYPICAL_ANHARMONICITY_HZ)
    away = 2 * (row.frequency.value - drive_hz)
    error = math.hypot(fit.centre.error, 2 * row.frequency.error, _NEGLECTED_PAIR * shift)
    return PairLine(line, fit, drive_hz, Measured(fit.centre.value + shift - away, error))


def _fitted(detunings: Array, durations: Array, iq: Array, covariance: Array) -> ChevronFit:
    trace = measured_trace(np.arange(float(iq[..., 0].size)), iq.reshape(-1, 2), covariance.reshape(-1, 2, 2), None)
    shape = (detunings.size, durations.size)
    return fit_chevron(detunings, durations, trace.signal.reshape(shape), trace.variance.reshape(shape))
