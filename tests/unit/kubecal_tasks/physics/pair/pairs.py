"""A simulated pair with round numbers, and programs on it, for tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.programs import (
    Amount,
    Average,
    Axis,
    Barrier,
    Delay,
    FlatTop,
    Frame,
    Gaussian,
    Operation,
    Play,
    Program,
    Readout,
    Repeat,
    SequenceAxis,
    Tone,
)
from tests.unit.kubecal_tasks.physics.builders import MHZ, US, qubit

TURN = 2 * math.pi
CONTROL_HZ, TARGET_HZ = 4.9e9, 5.01e9
RAMP_S = 15e-9
NOISE = {"t1_s": 30 * US, "pure_dephasing_per_s": 1e4, "slow_detuning_hz": 25e3, "thermal": 0.01}


def pair(
    control: dict[str, Any] | None = None, target: dict[str, Any] | None = None, **changes: Any
) -> PairTruth:  # any fields of the qubits and of PairTruth
    """A pair without noise, unless told."""
    first = qubit(**({"id": "0", "frequency_hz": CONTROL_HZ, "anharmonicity_hz": -310 * MHZ} | (control or {})))
    second = qubit(**({"id": "1", "frequency_hz": TARGET_HZ, "anharmonicity_hz": -300 * MHZ} | (target or {})))
    return PairTruth(first, second, **({"exchange_hz": 3.2 * MHZ} | changes))


def pulse(
    frame: str, angle: Amount = math.pi / 2, duration_s: float = 16e-9, phase: Amount = 0.0, of: PairTruth | None = None
) -> Play:
    """A DRAG pulse on ``control`` or ``target`` that turns by about so much."""
    truth = getattr(of or pair(), frame)
    per_radian = 1 / (TURN * truth.drive_hz * Gaussian().area_s(duration_s))
    return Play(frame, Gaussian(), angle * per_radian, duration_s, phase, -0.5 / (TURN * truth.anharmonicity_hz))


def flip(frame: str) -> Repeat:
    """Two half-pi pulses."""
    return Repeat(2, (pulse(frame),))


def cross(amplitude: Amount, duration_s: Amount, phase: Amount = 0.0) -> Play:
    """The tone of a cross resonance."""
    return Play("cr", FlatTop(RAMP_S), amplitude, duration_s, phase)


def wait(duration_s: Amount) -> Delay:
    """Nothing for a while."""
    return Delay("control", duration_s)


def program(
    *body: Operation,
    axes: Sequence[Axis | SequenceAxis] = (),
    interval_s: float = 1e6,
    control_hz: float = CONTROL_HZ,
    target_hz: float = TARGET_HZ,
) -> Program:
    """A program on both qubits; by default with so long an interval that every shot starts at rest."""
    return Program(
        frames=(
            Frame("control", "drive/0", control_hz, "qubit/0"),
            Frame("target", "drive/1", target_hz, "qubit/1"),
            Frame("cr", "drive/0", target_hz, "qubit/1"),
        ),
        body=body,
        readout=Readout((Tone("readout/0", 6.9e9, 0.1), Tone("readout/1", 6.97e9, 0.1)), 384e-9),
        acquisition=Average(1000),
        interval_s=interval_s,
        axes=tuple(axes),
    )


ALL = Barrier()
