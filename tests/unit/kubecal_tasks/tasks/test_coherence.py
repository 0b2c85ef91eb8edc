"""Coherence limits against the channels themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from kubecal_tasks.fits.values import Measured
from kubecal_tasks.tasks.coherence import one_qubit_limit, two_qubit_limit, with_error

Complex = NDArray[np.complex128]


def channel(t: float, t1: float, t2: float) -> list[Complex]:
    """Kraus operators of decay and dephasing."""
    left, coherent = math.exp(-t / t1), math.exp(-t / t2)
    flip = (1 - coherent / math.sqrt(left)) / 2
    damping = [np.diag([1, math.sqrt(left)]), np.asarray([[0, math.sqrt(1 - left)], [0, 0]])]
    dephasing = [math.sqrt(1 - flip) * np.eye(2), math.sqrt(flip) * np.diag([1, -1])]
    return [np.asarray(a @ b, dtype=np.complex128) for a in damping for b in dephasing]


def infidelity(operators: list[Complex]) -> float:
    """1 - (d + sum |tr K|^2) / (d (d + 1))."""
    d = len(operators[0])
    return float(1 - (d + sum(abs(np.trace(k)) ** 2 for k in operators)) / (d * (d + 1)))


@pytest.mark.parametrize(("t1", "t2"), [(30e-6, 20e-6), (15e-6, 30e-6), (60e-6, 15e-6)])
def test_one_qubit_loses_what_its_channel_loses(t1: float, t2: float) -> None:
    assert one_qubit_limit(1e-6, t1, t2) == pytest.approx(infidelity(channel(1e-6, t1, t2)), rel=1e-9)


def test_two_qubits_lose_what_both_channels_lose() -> None:
    first, second = channel(1e-6, 30e-6, 20e-6), channel(1e-6, 15e-6, 30e-6)
    both = [np.asarray(np.kron(a, b), dtype=np.complex128) for a in first for b in second]
    assert two_qubit_limit(1e-6, 30e-6, 20e-6, 15e-6, 30e-6) == pytest.approx(infidelity(both), rel=1e-9)


def test_a_limit_is_as_uncertain_as_the_times_it_is_made_of() -> None:
    found = with_error(one_qubit_limit, 16e-9, [Measured(30e-6, 3e-6), Measured(20e-6, 0.0)])
    assert found.value == pytest.approx(16e-9 * (1 / 30e-6 + 2 / 20e-6) / 6, rel=1e-3)
    assert found.error == pytest.approx(16e-9 / 30e-6 / 6 * 0.1, rel=1e-2)
