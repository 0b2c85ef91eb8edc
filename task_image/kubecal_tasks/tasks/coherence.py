"""The error that relaxation and dephasing alone leave to a gate: no pulse can do better.

Average gate infidelities of amplitude and phase damping over the gate's time (physics.md, section 3; the two-qubit
form follows from the tensor product of both channels, e.g. Abad et al., PRL 129, 150504 (2022)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from kubecal_tasks.fits.values import Measured

_STEP = 1e-4


def one_qubit_limit(gate_s: float, t1_s: float, t2_s: float) -> float:
    """r = (3 - 2 e^{-t/T2} - e^{-t/T1}) / 6."""
    return (3.0 - 2.0 * math.exp(-gate_s / t2_s) - math.exp(-gate_s / t1_s)) / 6.0


def two_qubit_limit(gate_s: float, t1a_s: float, t2a_s: float, t1b_s: float, t2b_s: float) -> float:
    """The same of a gate on qubits a and b: each qubit's terms, and those of both at once."""

    def left(*times_s: float) -> float:
        return math.exp(-gate_s * sum(1.0 / each for each in times_s))

    alone = sum(2.0 * left(t2) + left(t1) for t1, t2 in ((t1a_s, t2a_s), (t1b_s, t2b_s)))
    both = left(t1a_s, t1b_s) + 4.0 * left(t2a_s, t2b_s) + 2.0 * left(t1a_s, t2b_s) + 2.0 * left(t2a_s, t1b_s)
    return (15.0 - alone - both) / 20.0


def with_error(formula: Callable[..., float], gate_s: float, times_s: Sequence[Measured]) -> Measured:
    """A limit and its error from those of the coherence times, which are independent."""
    values = [each.value for each in times_s]
    square = 0.0
    for place, each in enumerate(times_s):
        step = _STEP * each.value
        moved = [*values[:place], each.value + step, *values[place + 1 :]]
        square += ((formula(gate_s, *moved) - formula(gate_s, *values)) / step * each.error) ** 2
    return Measured(formula(gate_s, *values), math.sqrt(square))
