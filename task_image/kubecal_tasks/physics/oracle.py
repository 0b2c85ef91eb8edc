"""What tests and benches compare results with: the truth, and exact runs of the simulator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from kubecal_tasks.physics.evolution import TURN, Evolution
from kubecal_tasks.physics.propagation import slice_unitaries, slices
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs.envelopes import Envelope, Gaussian
from kubecal_tasks.programs.program import Program

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

    def angle(self, amplitude: float, drive_hz: float, duration_s: float, envelope: Envelope | None = None) -> float:
        """By how much one pulse of a train turns the qubit, rad, about whatever axis its detuning tilts it to.

        The difference of the two phases that the pulse gives to its own eigenstates, which is what many equal
        pulses in a row add up.
        """
        truth = self.truth
        amplitudes, slice_s = slices(envelope or Gaussian(), amplitude, duration_s, 0.0)
        steps = slice_unitaries(
            np.asarray([TURN * (truth.frequency_hz - drive_hz)]),
            TURN * truth.anharmonicity_hz,
            TURN * truth.drive_hz * amplitudes[None],
            np.asarray([slice_s]),
        )[0, :, 0]
        whole = np.eye(3, dtype=np.complex128)
        for step in steps:
            whole = step @ whole
        values, vectors = np.linalg.eig(whole)
        qubit = np.argsort(np.abs(vectors[2]))[:2]
        difference = float(np.angle(values[qubit[0]] / values[qubit[1]]))
        return abs(difference)

    def half_pi_amplitude(self, drive_hz: float, duration_s: float) -> float:
        """Amplitude of the Gaussian pulse that turns by pi/2, driven at this frequency.

        Raises
        ------
        ValueError
            If no amplitude between nothing and twice the resonant estimate does.
        """
        estimate = 0.25 / (self.truth.drive_hz * Gaussian().area_s(duration_s))
        return float(
            brentq(lambda a: self.angle(a, drive_hz, duration_s) - HALF_PI, 0.2 * estimate, 1.5 * estimate, xtol=1e-12)
        )
