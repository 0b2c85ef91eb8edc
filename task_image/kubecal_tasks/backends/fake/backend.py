"""The simulated chip as a backend: truth in, raw data out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from kubecal.api.request import RequestSite, TaskRequest
from kubecal_tasks.backends.base import BackendUnusable, DesignValue, InstrumentError, ModuleStatus, ProgramRefused
from kubecal_tasks.backends.capabilities import Band, Capabilities
from kubecal_tasks.backends.fake.config import FakeConfig, FaultKind, Profile
from kubecal_tasks.backends.fake.design import design_values
from kubecal_tasks.backends.fake.faults import GLITCHED_SHARE, HANG_S, active_faults, glitched, narrowed
from kubecal_tasks.physics.drift import drifted
from kubecal_tasks.physics.evolution import Evolution
from kubecal_tasks.physics.readout import ADC_FULL_SCALE, Readout, sample_averages, sample_shots, shot_sigma
from kubecal_tasks.physics.truth import DEFAULT, LONG, QubitTruth, draw_truth
from kubecal_tasks.programs.acquisition import Acquired
from kubecal_tasks.programs.operations import drive_line, readout_line
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.timeline import timeline, total_duration_s
from kubecal_tasks.programs.wanted import Average

DRIVE_BAND = Band(3.5e9, 6.5e9)
READOUT_BAND = Band(6.0e9, 8.0e9)
_COHERENCE = {Profile.DEFAULT: DEFAULT, Profile.LONG: LONG}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_SLEEP_S = 3600.0


class FakeBackend:
    """One qubit of a simulated chip, for one request.

    Every other qubit stays in |0>, and what runs side by side does not disturb it.
    """

    def __init__(self, request: TaskRequest, config: FakeConfig) -> None:
        self._request = request
        self._config = config
        self._site = find_site(request, request.qubits[0])
        self._faults = active_faults(config, request)
        self._connected = False
        self._configured: tuple[str, ...] = ()
        self._programs_run = 0

    # ------------------------------------------------------------ what it is

    def capabilities(self) -> Capabilities:
        """One qubit's drive line and readout channel."""
        return Capabilities(
            bands={drive_line(self._site.id): DRIVE_BAND, readout_line(self._site.id): READOUT_BAND},
            sample_rate_hz=10e9,
            duration_step_s=0.1e-9,
            max_shot_s=1.0,
            adc_full_scale=ADC_FULL_SCALE,
        )

    def design(self, target: str) -> Mapping[str, DesignValue]:
        """The truth as it was drawn, but for what the priors' errors make of it; a coupling has no design values."""
        if "-" in target:
            return {}
        return design_values(self._drawn(target), self._config)

    # ------------------------------------------------------------ its state

    def connect(self) -> None:
        """Nothing to connect to, but programs are refused before it."""
        self._connected = True

    def link_up(self) -> None:
        """There are no links that could be down."""
        self._require_connection()

    def configure(self, targets: Sequence[str]) -> None:
        """Note whose settings are pushed; a program on another qubit is refused."""
        self._require_connection()
        for target in targets:
            find_site(self._request, target)
        self._configured = tuple(targets)

    def status(self) -> Sequence[ModuleStatus]:
        """One simulated module, which is well unless a fault says otherwise."""
        self._require_connection()
        broken = FaultKind.INSTRUMENT_ERROR in self._faults
        return (ModuleStatus("simulator", not broken, "planted fault InstrumentError" if broken else ""),)

    def noise(self) -> Mapping[str, float]:
        """Scatter of one shot at the design length."""
        self._require_connection()
        return {readout_line(self._site.id): 20.0 * math.log10(shot_sigma(self._truth()) / ADC_FULL_SCALE)}

    def dump(self) -> Mapping[str, object]:
        """Its configuration and what it can do: nothing of the truth."""
        self._require_connection()
        return {
            "config": self._config.model_dump(mode="json", by_alias=True),
            "capabilities": asdict(self.capabilities()),
        }

    def park(self) -> None:
        """Silence the line: nothing plays beyond a program's end."""

    def disconnect(self) -> None:
        """Refuse further programs."""
        self._connected, self._configured = False, ()

    # ------------------------------------------------------------ running

    def run(self, program: Program) -> Acquired:
        """Simulate a program; see ``Backend.run``."""
        self._require_connection()
        if self._site.id not in self._configured:
            raise InstrumentError(f"qubit {self._site.id} is not configured: call configure before run")
        problem = self.capabilities().problem(program)
        if problem is not None:
            raise ProgramRefused(problem)
        self._fail_as_planted()
        mistake = self._faults.get(FaultKind.WRONG_WINDOW)
        played = self.capabilities().snapped(program if mistake is None else narrowed(program, mistake.value))
        acquired = self._measure(played)
        if self._config.time_scale > 0:
            _sleep(self._config.time_scale * total_duration_s(played))
        return acquired

    def _measure(self, program: Program) -> Acquired:
        key = np.random.SeedSequence([*self._attempt_key(), self._programs_run])
        detuning_rng, shot_rng, glitch_rng = (np.random.default_rng(each) for each in key.spawn(3))
        self._programs_run += 1
        truth = self._truth()
        populations = Evolution(truth).populations(program, detuning_rng)
        readouts = self._readouts(program, truth)
        iq, covariance, clipped = _sampled(program, readouts, populations, shot_rng)
        glitches = self._faults.get(FaultKind.GLITCHES)
        if glitches is not None:
            share = GLITCHED_SHARE if glitches.value is None else glitches.value
            iq = glitched(iq, share, ADC_FULL_SCALE, np.random.default_rng(self._attempt_key()), glitch_rng)
        return Acquired(
            axes=tuple(np.asarray(axis.values, dtype=np.float64) for axis in program.axes),
            iq=iq.reshape(*program.shape, *iq.shape[1:-1], 1, 2),
            covariance=None if covariance is None else covariance.reshape(*program.shape, 1, 2, 2),
            clipped=np.asarray([clipped]),
            duration_s=total_duration_s(program),
        )

    def _readouts(self, program: Program, truth: QubitTruth) -> list[Readout]:
        """The readout at every point: a tone's frequency, amplitude or length may be swept."""
        alive = FaultKind.DEAD_QUBIT not in self._faults
        found: dict[tuple[float, float, float], Readout] = {}
        readouts = []
        for point in program.points():
            shot = timeline(program, point)
            tone = shot.tones[0]
            key = (tone.frequency_hz, tone.amplitude, shot.readout_length_s)
            if key not in found:
                found[key] = Readout.of(truth, *key, alive=alive)
            readouts.append(found[key])
        return readouts

    def _truth(self) -> QubitTruth:
        truth = self._drawn(self._site.id)
        if self._config.drift:
            truth = drifted(truth, self._config.seed, self._request.measure_at)
        return silent(truth) if FaultKind.NO_LINE in self._faults else truth

    def _drawn(self, target: str) -> QubitTruth:
        return draw_truth(self._config.seed, find_site(self._request, target), _COHERENCE[self._config.profile])

    def _attempt_key(self) -> list[int]:
        """With the program's number, what makes the same measurement the same data, and any other one other data."""
        request = self._request
        text = "\0".join((request.task, request.target, request.step))
        return [
            self._config.seed,
            (request.measure_at - _EPOCH) // timedelta(microseconds=1) + 2**63,
            crc32(text.encode()),
            request.ordinal,
            request.charged_retries,
        ]

    def _fail_as_planted(self) -> None:
        hang = self._faults.get(FaultKind.INSTRUMENT_HANG)
        if hang is not None:
            seconds = HANG_S if hang.value is None else hang.value
            _sleep(seconds)
            raise InstrumentError(f"the instrument did not answer for {seconds:g} s (planted fault InstrumentHang)")
        if FaultKind.INSTRUMENT_ERROR in self._faults:
            raise InstrumentError("the instrument reports an error (planted fault InstrumentError)")

    def _require_connection(self) -> None:
        if not self._connected:
            raise InstrumentError("the simulated chip is not connected: call connect first")


def find_site(request: TaskRequest, target: str) -> RequestSite:
    """Where a qubit is.

    Raises
    ------
    BackendUnusable
        If the chip has no such qubit.
    """
    for site in request.chip.sites:
        if site.id == target:
            return site
    raise BackendUnusable(f"chip {request.chip.chip_id!r} has no qubit {target!r}: correct the target")


def silent(truth: QubitTruth) -> QubitTruth:
    """The qubit with nothing of its drive arriving."""
    return replace(truth, drive_hz=0.0)


def _sampled(
    program: Program, readouts: Sequence[Readout], populations: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, float]:
    """(points, ..., 2) data, their covariances if they are means, and the fraction of clipped shots."""
    shots, averaged = program.acquisition.shots, isinstance(program.acquisition, Average)
    iq = np.zeros((len(populations), 2) if averaged else (len(populations), shots, 2))
    covariance = np.zeros((len(populations), 2, 2)) if averaged else None
    clipped = 0.0
    for readout in dict.fromkeys(map(id, readouts)):
        where = [number for number, each in enumerate(readouts) if id(each) == readout]
        one = readouts[where[0]]
        if covariance is not None:
            means = sample_averages(one, populations[where], shots, rng)
            iq[where], covariance[where], share = means.iq, means.covariance, means.clipped
        else:
            iq[where], share = sample_shots(one, populations[where], shots, rng)
        clipped += share * len(where) / len(readouts)
    return iq, covariance, clipped


def _sleep(seconds: float) -> None:
    """Sleep so long; in pieces, since one sleep has a limit."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _LONGEST_SLEEP_S))
