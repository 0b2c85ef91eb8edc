"""Rows of real numbers stand for density matrices: whatever is done to the one is done to the other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kubecal_tasks.physics.pair.levels import CONTROL_LEVEL, TARGET_LEVEL
from kubecal_tasks.physics.pair.maps import coherent, packed, relaxing, turn, unpacked
from kubecal_tasks.physics.propagation import Relaxation
from tests.unit.kubecal_tasks.physics.builders import US, qubit

RNG = np.random.default_rng(1)
RELAXATIONS = (
    Relaxation.of(qubit(t1_s=20 * US, thermal=0.1, pure_dephasing_per_s=2e4)),
    Relaxation.of(qubit(t1_s=35 * US, thermal=0.05, pure_dephasing_per_s=1e4)),
)


def state(seed: int = 1) -> NDArray[np.complex128]:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((9, 9)) + 1j * rng.standard_normal((9, 9))
    whole = root @ root.conj().T
    return np.asarray(whole / np.trace(whole).real)


def test_rows_keep_the_whole_matrix() -> None:
    assert unpacked(packed(state())) == pytest.approx(state())


def test_unitaries_act_as_on_matrices() -> None:
    unitary = np.linalg.qr(RNG.standard_normal((9, 9)) + 1j * RNG.standard_normal((9, 9)))[0]
    (map_,) = coherent(unitary[None])
    assert unpacked(packed(state()) @ map_) == pytest.approx(unitary @ state() @ unitary.conj().T)


def test_frames_turn_as_on_matrices() -> None:
    rows = packed(np.stack([[state(1), state(2)], [state(3), state(4)]]))
    control, target = np.asarray([[0.3, 1.0], [-2.0, 0.0]]), np.asarray([[2.0, 0.5], [0.1, -0.7]])
    turn(rows, control, target)
    turning = np.exp(-1j * (-2.0 * CONTROL_LEVEL + 0.1 * TARGET_LEVEL))
    assert unpacked(rows[1, 0]) == pytest.approx(turning[:, None] * state(3) * turning.conj())


def test_surroundings_act_on_each_qubit_as_on_one_alone() -> None:
    first, second = state()[:3, :3], state(2)[3:6, 3:6]
    both = unpacked(packed(np.kron(first, second)) @ relaxing(RELAXATIONS, 5 * US))
    alone = (
        (each.superoperator(5 * US) @ rho.ravel()).reshape(3, 3)
        for each, rho in zip(RELAXATIONS, (first, second), strict=True)
    )
    assert both == pytest.approx(np.kron(*alone))


def test_surroundings_keep_the_trace_and_add_up_over_time() -> None:
    row = packed(state())
    twice = row @ relaxing(RELAXATIONS, 3 * US) @ relaxing(RELAXATIONS, 4 * US)
    assert twice == pytest.approx(row @ relaxing(RELAXATIONS, 7 * US), abs=1e-12)
    assert twice[:9].sum() == pytest.approx(1.0)
