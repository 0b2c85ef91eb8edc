"""What tests and benches compare results with: the truth, and exact runs of the simulator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from kubecal_tasks.physics.evolution import TURN, Evolution
from kubecal_tasks.physics.propagation import Relaxation, pulse_superoperators, slice_unitaries, slices
from kubecal_tasks.physics.readout import Readout, Resonator
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.envelopes import Envelope, Gaussian
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.swept import Swept

HALF_PI = math.pi / 2


@dataclass(frozen=True)
class Oracle:
    """The answers, for one qubit as it is at one moment."""

    truth: QubitTruth

    @property
    def t1_s(self) -> float:
        """Relaxation time."""
        return self.truth.t1_s

    @property
    def t2_echo_s(self) -> float:
        """Coherence time under an echo."""
        return self.truth.t2_echo_s

    @property
    def t2_star_s(self) -> float:
        """Time after which fringes have fallen to 1/e."""
        return self.truth.t2_star_s

    @property
    def qubit_frequency_hz(self) -> float:
        """Of |0> to |1>."""
        return self.truth.frequency_hz

    @cached_property
    def _evolution(self) -> Evolution:
        return Evolution(self.truth)

    def populations(self, program: Program) -> NDArray[np.float64]:
        """(points, 3) populations before the readout, without any noise of drawing."""
        return self._evolution.populations(program, None)

    def angle(
        self,
        amplitude: float,
        drive_hz: float,
        duration_s: float,
        envelope: Envelope | None = None,
        beta_s: float = 0.0,
    ) -> float:
        """By how much one pulse of a train turns the qubit, rad (0 ... 2 pi), about whatever axis it is tilted to.

        The difference of the two phases that the pulse gives to its own eigenstates, which is what many equal
        pulses in a row add up.
        """
        values, states = self._eigen(amplitude, drive_hz, duration_s, envelope or Gaussian(), beta_s)
        difference = float(np.angle(values[0] / values[1]))
        # Beyond half a turn only the sense of the axis tells how far it went; a pulse of nothing has none.
        return abs(difference) if abs(_bloch(states[:, 1])[0]) < _NO_AXIS else difference % TURN

    def tilt(self, amplitude: float, drive_hz: float, duration_s: float, beta_s: float = 0.0) -> float:
        """Component along Z of the axis of one Gaussian pulse, in units of that along X."""
        _, states = self._eigen(amplitude, drive_hz, duration_s, Gaussian(), beta_s)
        x, _, z = _bloch(states[:, 1])
        return z / x

    def leakage(self, amplitude: float, drive_hz: float, duration_s: float, beta_s: float = 0.0) -> float:
        """Population that one Gaussian pulse brings out of the qubit, mean of |0> and |1>."""
        whole = self._propagator(amplitude, drive_hz, duration_s, Gaussian(), beta_s)
        return float(np.sum(np.abs(whole[2, :2]) ** 2) / 2)

    def pulse_amplitude(self, angle: float, drive_hz: float, duration_s: float, beta_s: float = 0.0) -> float:
        """Amplitude of the Gaussian pulse that turns by an angle up to pi, driven at this frequency.

        Raises
        ------
        ValueError
            If no amplitude near the resonant estimate does.
        """
        estimate = angle / TURN / (self.truth.drive_hz * Gaussian().area_s(duration_s))

        def missed(amplitude: float) -> float:
            return self.angle(amplitude, drive_hz, duration_s, beta_s=beta_s) - angle

        return float(brentq(missed, 0.2 * estimate, 1.5 * estimate, xtol=1e-12))

    def half_pi_amplitude(self, drive_hz: float, duration_s: float) -> float:
        """Amplitude of the Gaussian pulse that turns by pi/2, driven at this frequency."""
        return self.pulse_amplitude(HALF_PI, drive_hz, duration_s)

    def drag_beta(self, amplitude: float, drive_hz: float, duration_s: float) -> float:
        """DRAG coefficient, s, with which the axis of a Gaussian pulse lies in the plane.

        Raises
        ------
        ValueError
            If none of a few anharmonic periods does.
        """
        period = 1.0 / (TURN * abs(self.truth.anharmonicity_hz))

        def tilted(beta_s: float) -> float:
            return self.tilt(amplitude, drive_hz, duration_s, beta_s)

        return float(brentq(tilted, -3.0 * period, 4.0 * period, xtol=1e-15))

    def assigned_excited(
        self, program: Program, angle: float, threshold: float, others: Sequence[Resonator] = ()
    ) -> NDArray[np.float64]:
        """(points,) how often a shot's I cos(angle) + Q sin(angle) lies above a threshold, at the program's readout.

        ``others`` are the other resonators of the cable, whose tails move both states.
        """
        tone, length_s = program.readout.tones[0], program.readout.length_s
        assert not isinstance(tone.frequency_hz, Swept)
        assert not isinstance(tone.amplitude, Swept)
        assert not isinstance(length_s, Swept)
        readout = Readout.of(self.truth, tone.frequency_hz, tone.amplitude, length_s, others=others)
        centres, given = readout.classes()
        along = (centres * np.exp(-1j * angle)).real
        above = ndtr((along - threshold) / readout.sigma)
        return np.asarray(self.populations(program) @ given @ above)

    def infidelity(
        self, angle: float, amplitude: float, drive_hz: float, duration_s: float, beta_s: float = 0.0
    ) -> float:
        """1 - average fidelity of one Gaussian pulse with a turn by an angle about X, noise included.

        From what it does to the six states on the axes; the slow detuning is averaged over by Gauss-Hermite nodes.
        """
        truth = self.truth
        amplitudes, slice_s = slices(Gaussian(), amplitude, duration_s, beta_s)
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        maps = pulse_superoperators(
            TURN * (truth.frequency_hz - drive_hz + truth.slow_detuning_hz * nodes),
            TURN * truth.anharmonicity_hz,
            TURN * truth.drive_hz * amplitudes[None],
            np.asarray([slice_s]),
            Relaxation.of(truth),
        )[0]
        channel = np.einsum("k,kij->ij", weights / weights.sum(), maps)
        ideal = np.asarray([[math.cos(angle / 2), -1j * math.sin(angle / 2)]] * 2)
        ideal[1] = ideal[1, ::-1]
        kept = 0.0
        for state in _AXES:
            begun, wanted = np.append(state, 0.0), np.append(ideal @ state, 0.0)
            ended = (channel @ np.outer(begun, begun.conj()).ravel()).reshape(3, 3)
            kept += float((wanted.conj() @ ended @ wanted).real) / len(_AXES)
        return 1.0 - kept

    def _propagator(
        self, amplitude: float, drive_hz: float, duration_s: float, envelope: Envelope, beta_s: float
    ) -> NDArray[np.complex128]:
        """(3, 3) of one pulse, without relaxation."""
        truth = self.truth
        amplitudes, slice_s = slices(envelope, amplitude, duration_s, beta_s)
        steps = slice_unitaries(
            np.asarray([TURN * (truth.frequency_hz - drive_hz)]),
            TURN * truth.anharmonicity_hz,
            TURN * truth.drive_hz * amplitudes[None],
            np.asarray([slice_s]),
        )[0, :, 0]
        whole = np.eye(3, dtype=np.complex128)
        for step in steps:
            whole = step @ whole
        return whole

    def _eigen(
        self, amplitude: float, drive_hz: float, duration_s: float, envelope: Envelope, beta_s: float
    ) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """(2,) phases and (3, 2) states of the qubit's two eigenstates, the one along the drive last."""
        values, states = np.linalg.eig(self._propagator(amplitude, drive_hz, duration_s, envelope, beta_s))
        qubit = sorted(np.argsort(np.abs(states[2]))[:2], key=lambda k: _bloch(states[:, k])[0])
        return values[qubit], states[:, qubit]


_NO_AXIS = 1e-6
_NODES = 5
_ROOT = math.sqrt(0.5)
_AXES = np.asarray([(1, 0), (0, 1), (_ROOT, _ROOT), (_ROOT, -_ROOT), (_ROOT, 1j * _ROOT), (_ROOT, -1j * _ROOT)])
"""The states along +-Z, +-X, +-Y."""


def _bloch(state: NDArray[np.complex128]) -> tuple[float, float, float]:
    """Vector of a state's part within the qubit."""
    coherence = 2.0 * np.conj(state[0]) * state[1]
    return float(coherence.real), float(coherence.imag), float(abs(state[0]) ** 2 - abs(state[1]) ** 2)
