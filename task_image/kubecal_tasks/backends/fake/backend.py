"""The simulated chip as a backend: truth in, raw data out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32

import numpy as np

from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.base import DesignValue, InstrumentError, ModuleStatus, ProgramRefused
from kubecal_tasks.backends.capabilities import Band, Capabilities
from kubecal_tasks.backends.fake.chip import Chip
from kubecal_tasks.backends.fake.config import FakeConfig, FaultKind
from kubecal_tasks.backends.fake.design import design_values
from kubecal_tasks.backends.fake.faults import GLITCHED_SHARE, HANG_S, glitched, narrowed, readout_gain
from kubecal_tasks.backends.fake.groups import read_states
from kubecal_tasks.backends.fake.tones import Tones
from kubecal_tasks.physics.readout import ADC_FULL_SCALE, Real, shot_sigma
from kubecal_tasks.physics.sampling import States, sample_averages, sample_shots, sample_traces
from kubecal_tasks.programs.acquisition import Acquired
from kubecal_tasks.programs.operations import drive_line, qubit_of, readout_line
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.timeline import total_duration_s
from kubecal_tasks.programs.wanted import Average, Shots, Trace, Wanted

DRIVE_BAND = Band(3.5e9, 6.5e9)
READOUT_BAND = Band(6.0e9, 8.0e9)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_SLEEP_S = 3600.0
_NOISE_SHOTS = 1000
_REMEMBERED = 8
"""Programs that are not simulated again when they come again: a measurement that is made several times has a few."""
_BROKEN = "planted fault InstrumentError"


@dataclass(frozen=True)
class _Simulated:
    """A program before its shots are drawn."""

    played: Program
    """As the instrument can play it, and with the mistake that is planted."""
    states: tuple[States, ...]


class FakeBackend:
    """The qubits of one request, on a simulated chip.

    What is neither driven nor read stays in |0>, and what runs side by side does not disturb it.
    """

    def __init__(self, request: TaskRequest, config: FakeConfig) -> None:
        self._request = request
        self._config = config
        self._chip = Chip(request, config)
        self._qubits = tuple(self._chip.site(qubit).id for qubit in request.qubits)
        self._connected = False
        self._configured: frozenset[str] = frozenset()
        self._answers = 0
        """Programs run and noise listened to: each has random numbers of its own."""
        self._simulated: dict[Program, _Simulated] = {}
        """By the program as it was asked for, the newest last."""

    # ------------------------------------------------------------ what it is

    def capabilities(self) -> Capabilities:
        """The drive line and the readout channel of every qubit of the request."""
        drive = {drive_line(qubit): DRIVE_BAND for qubit in self._qubits}
        return Capabilities(
            bands=drive | {readout_line(qubit): READOUT_BAND for qubit in self._qubits},
            sample_rate_hz=10e9,
            duration_step_s=0.1e-9,
            max_shot_s=1.0,
            adc_full_scale=ADC_FULL_SCALE,
        )

    def design(self, target: str) -> Mapping[str, DesignValue]:
        """The truth as it was drawn, but for what the priors' errors make of it; a coupling has no design values."""
        if "-" in target:
            return {}
        return design_values(self._chip.drawn(target), self._config)

    # ------------------------------------------------------------ its state

    def connect(self) -> None:
        """Nothing to connect to, but programs are refused before it."""
        self._connected = True

    def link_up(self) -> None:
        """There are no links that could be down."""
        self._require_answer()

    def configure(self, targets: Sequence[str]) -> None:
        """Note whose settings are pushed; a program on other lines is refused."""
        self._require_connection()
        for target in targets:
            whole = "/" not in target
            self._chip.site(target if whole else qubit_of(target))
            self._configured |= {drive_line(target), readout_line(target)} if whole else {target}

    def status(self) -> Sequence[ModuleStatus]:
        """A control module for each qubit and a readout module for each MUX; well unless a fault says otherwise."""
        self._require_answer()
        rows = []
        for qubit in self._qubits:
            broken = self._chip.faults.on(FaultKind.INSTRUMENT_ERROR, qubit) is not None
            rows.append(ModuleStatus(f"control-{qubit}", not broken, _BROKEN if broken else ""))
        muxes = dict.fromkeys(self._chip.site(qubit).mux for qubit in self._qubits)
        return (*rows, *(ModuleStatus(f"readout-mux-{mux}", True) for mux in muxes))

    def noise(self) -> Mapping[str, float]:
        """Scatter of a thousand shots of the design length, of every qubit's readout channel."""
        self._require_answer()
        self._fail_as_planted()
        rng = np.random.default_rng([*self._attempt_key(), self._answers])
        self._answers += 1
        levels = {}
        for qubit in self._qubits:
            sigma = shot_sigma(self._chip.truth(qubit)) * readout_gain(qubit, self._chip.faults)
            heard = sigma * math.sqrt(np.mean(rng.standard_normal((_NOISE_SHOTS, 2)) ** 2))
            levels[readout_line(qubit)] = 20.0 * math.log10(heard / ADC_FULL_SCALE)
        return levels

    def dump(self) -> Mapping[str, object]:
        """Its configuration and what it can do: nothing of the truth."""
        self._require_answer()
        self._fail_as_planted()
        return {
            "config": self._config.model_dump(mode="json", by_alias=True),
            "capabilities": asdict(self.capabilities()),
        }

    def park(self) -> None:
        """Silence the line: nothing plays beyond a program's end."""

    def disconnect(self) -> None:
        """Refuse further programs."""
        self._connected, self._configured = False, frozenset()

    # ------------------------------------------------------------ running

    def run(self, program: Program) -> Acquired:
        """Simulate a program; see ``Backend.run``."""
        self._require_connection()
        problem = self.capabilities().problem(program)
        if problem is not None:
            raise ProgramRefused(problem)
        for line in (*(frame.line for frame in program.frames), *(tone.line for tone in program.readout.tones)):
            if line not in self._configured:
                raise InstrumentError(f"{line} is not configured: call configure before run")
        self._require_answer()
        self._fail_as_planted()
        acquired = self._measure(program)
        if self._config.time_scale > 0:
            _sleep(self._config.time_scale * acquired.duration_s)
        return acquired

    def _simulate(self, program: Program, rng: np.random.Generator) -> _Simulated:
        """The same program again has the same states: a request meets the chip at one moment, and shots are new."""
        found = self._simulated.get(program)
        if found is None:
            mistake = self._chip.faults.anywhere(FaultKind.WRONG_WINDOW)
            played = self.capabilities().snapped(program if mistake is None else narrowed(program, mistake.value))
            found = _Simulated(played, read_states(self._chip, played, rng))
            if len(self._simulated) == _REMEMBERED:
                del self._simulated[next(iter(self._simulated))]
            self._simulated[program] = found
        return found

    def _measure(self, asked: Program) -> Acquired:
        key = np.random.SeedSequence([*self._attempt_key(), self._answers])
        detuning_rng, shot_rng, glitch_rng = (np.random.default_rng(each) for each in key.spawn(3))
        self._answers += 1
        simulated = self._simulate(asked, detuning_rng)
        program, states = simulated.played, simulated.states
        tones = Tones(self._chip, program)
        iq, covariance, times = _sampled(tones, states, program.acquisition, shot_rng)
        iq = self._glitched(program, iq, glitch_rng)
        return Acquired(
            axes=tuple(np.asarray(axis.values, dtype=np.float64) for axis in program.axes),
            iq=iq.reshape(*program.shape, *iq.shape[1:]),
            covariance=None if covariance is None else covariance.reshape(*program.shape, *covariance.shape[1:]),
            clipped=tones.clipped(),
            duration_s=total_duration_s(program),
            times_s=times,
        )

    def _glitched(self, program: Program, iq: Real, rng: np.random.Generator) -> Real:
        """The data (points, ..., T, 2) with the garbage that is planted on its tones."""
        found = iq.copy()
        for number, tone in enumerate(program.readout.tones):
            fault = self._chip.faults.on(FaultKind.GLITCHES, qubit_of(tone.line))
            if fault is None:
                continue
            share = GLITCHED_SHARE if fault.value is None else fault.value
            place = np.random.default_rng(self._attempt_key())
            own = iq[..., number, :]
            # A trace's samples and single shots are hit as the points of any other sweep.
            hit = own if isinstance(program.acquisition, Average) else own.reshape(-1, 2)
            found[..., number, :] = glitched(hit, share, ADC_FULL_SCALE, place, rng).reshape(own.shape)
        return found

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
        if self._chip.faults.anywhere(FaultKind.INSTRUMENT_ERROR) is not None:
            raise InstrumentError(f"the instrument reports an error ({_BROKEN})")

    def _require_answer(self) -> None:
        """Refuse before ``connect``, and say nothing for as long as is planted."""
        self._require_connection()
        hang = self._chip.faults.anywhere(FaultKind.INSTRUMENT_HANG)
        if hang is not None:
            seconds = HANG_S if hang.value is None else hang.value
            _sleep(seconds)
            raise InstrumentError(f"the instrument did not answer for {seconds:g} s (planted fault InstrumentHang)")

    def _require_connection(self) -> None:
        if not self._connected:
            raise InstrumentError("the simulated chip is not connected: call connect first")


def _sampled(
    tones: Tones, states: Sequence[States], wanted: Wanted, rng: np.random.Generator
) -> tuple[Real, Real | None, Real | None]:
    """Data (points, ..., T, 2), their covariances if they are means, and the times of a trace."""
    readouts = tones.readouts
    match wanted:
        case Average():
            means = sample_averages(readouts, states, wanted.shots, rng, tones.leaks)
            return means.iq, means.covariance, None
        case Trace():
            times = np.asarray(wanted.times_s(tones.length_s))
            means = sample_traces(readouts, states, wanted, times, tones.cables, rng)
            return means.iq, means.covariance, times
        case Shots():
            return sample_shots(readouts, states, wanted.shots, rng, tones.leaks), None, None


def _sleep(seconds: float) -> None:
    """Sleep so long; in pieces, since one sleep has a limit."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _LONGEST_SLEEP_S))
