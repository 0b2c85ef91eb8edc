"""A simulated qubit whose pulses with DRAG are calibrated, for benchmarking tests: no task has to run before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from kubecal.api.request import RequestSite
from kubecal.api.topology import square_lattice
from kubecal_tasks.physics.evolution import TURN
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.propagation import slice_unitaries, slices
from kubecal_tasks.physics.readout import Readout, design_readout_hz
from kubecal_tasks.physics.truth import QubitTruth, draw_truth
from kubecal_tasks.programs.envelopes import Gaussian
from tests.bench.closed_loop import ClosedLoop

LATTICE = square_lattice(2, 2, 4)
LENGTHS_S = {math.pi / 2: 16e-9, math.pi: 24e-9}


def truth_of(qubit: str, seed: int) -> QubitTruth:
    """The answers."""
    site = LATTICE.site_by_id[qubit]
    return draw_truth(seed, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))


def reference(truth: QubitTruth) -> dict[str, float]:
    """Where |0> and |1> lie in the IQ plane, as CheckRabi would find them."""
    readout = Readout.of(truth, design_readout_hz(truth), truth.resonator.design_amplitude, 384e-9)
    ground, excited = readout.centres[:2]
    return {
        "iq_ground_i": float(ground.real),
        "iq_ground_q": float(ground.imag),
        "iq_excited_i": float(excited.real),
        "iq_excited_q": float(excited.imag),
    }


def drag_beta(truth: QubitTruth) -> float:
    """Phase-optimal: 1 / (2 |alpha|), s."""
    return 0.5 / (TURN * abs(truth.anharmonicity_hz))


def drag_amplitude(truth: QubitTruth, angle: float) -> float:
    """Amplitude of the pulse with DRAG that turns by pi / 2 or by pi."""
    guess = angle / TURN / (truth.drive_hz * Gaussian().area_s(LENGTHS_S[angle]))

    def stays(scale: float) -> float:
        amplitudes, slice_s = slices(Gaussian(), scale * guess, LENGTHS_S[angle], drag_beta(truth))
        steps = slice_unitaries(
            np.zeros(1), TURN * truth.anharmonicity_hz, TURN * truth.drive_hz * amplitudes[None], np.asarray([slice_s])
        )[0, :, 0]
        whole = np.eye(3, dtype=np.complex128)
        for step in steps:
            whole = step @ whole
        return float(abs(whole[0, 0]) ** 2)

    if angle < 2:
        return guess * float(brentq(lambda scale: stays(scale) - 0.5, 0.8, 1.2, xtol=1e-9))
    found = minimize_scalar(stays, bounds=(0.8, 1.2), method="bounded", options={"xatol": 1e-9})
    return guess * float(found.x)


def gate_error(truth: QubitTruth, angle: float, scale: float = 1.0, beta_s: float | None = None) -> float:
    """Average infidelity of a pulse about X, so many times as strong as the right one."""
    beta = drag_beta(truth) if beta_s is None else beta_s
    amplitude = scale * drag_amplitude(truth, angle)
    return Oracle(truth).infidelity(angle, amplitude, truth.frequency_hz, LENGTHS_S[angle], beta)


def calibrated(
    qubit: str,
    seed: int,
    config: Mapping[str, Any] | None = None,
    design: Mapping[str, float] | None = None,
    **options: Any,
) -> ClosedLoop:
    """A chip whose qubit has its true values as design; Any: of the backend's config and of the loop."""
    truth = truth_of(qubit, seed)
    values = {
        "qubit_frequency": truth.frequency_hz / 1e9,
        "readout_frequency": design_readout_hz(truth) / 1e9,
        "readout_amplitude": truth.resonator.design_amplitude,
        "drag_hpi_amplitude": drag_amplitude(truth, math.pi / 2),
        "drag_hpi_beta": drag_beta(truth) * 1e9,
        "drag_hpi_length": 16.0,
        "drag_pi_amplitude": drag_amplitude(truth, math.pi),
        "drag_pi_beta": drag_beta(truth) * 1e9,
        "drag_pi_length": 24.0,
        **reference(truth),
        "t1": truth.t1_s * 1e6,
        "t2_echo": truth.t2_echo_s * 1e6,
        **(design or {}),
    }
    settings = {"seed": seed, "drift": False, **(config or {})}
    return ClosedLoop(LATTICE, settings, {qubit: {name: {"value": value} for name, value in values.items()}}, **options)
