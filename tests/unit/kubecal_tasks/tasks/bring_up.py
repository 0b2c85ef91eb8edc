"""Qubits of which only rough design values are known, for tests of the tasks that find them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubecal.api.request import RequestSite
from kubecal.api.topology import square_lattice
from kubecal_tasks.physics.truth import QubitTruth, draw_truth
from tests.bench.closed_loop import ClosedLoop, Outcome

LATTICE = square_lattice(2, 2, 4)
BRING_UP = {"frequencyMHz": 10, "amplitude": 0.3, "readoutMHz": 1}
TARGET_RATE_HZ = 12.5e6


def bring_up(seed: int, **config: Any) -> ClosedLoop:  # any setting of the simulated chip
    """A chip without drift."""
    return ClosedLoop(LATTICE, {"seed": seed, "drift": False, "priors": BRING_UP, **config})


def truth_of(seed: int, qubit: str) -> QubitTruth:
    """What the chip hides."""
    site = LATTICE.site_by_id[qubit]
    return draw_truth(seed, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))


def answers(seed: int, qubit: str) -> Mapping[str, float]:
    """Right values of the outputs, in their units."""
    truth = truth_of(seed, qubit)
    frequency, amplitude = truth.frequency_hz / 1e9, TARGET_RATE_HZ / truth.drive_hz
    return {
        "qubit_frequency": frequency,
        "coarse_qubit_frequency": frequency,
        "control_amplitude": amplitude,
        "coarse_control_amplitude": amplitude,
        "anharmonicity": truth.anharmonicity_hz / 1e9,
    }


def pulls(outcome: Outcome, right: Mapping[str, float]) -> dict[str, float]:
    """How many of its errors each output is off."""
    return {o.name: (o.value - right[o.name]) / o.error for o in outcome.judged.outputs if o.name in right}
