"""The 24 Cliffords of one qubit, in half-pi pulses about X and virtual Z.

Four need no pulse, sixteen one and four two: one pulse a Clifford on average, the fewest there can be.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.cliffords.actions import PAULIS, Action, action_of, after, identity, inverse, rotation

_HALF_PI = math.pi / 2
_MOST_PULSES = 2
X90 = action_of(rotation(PAULIS[1], _HALF_PI))
X180 = after(X90, X90)
_Z90 = action_of(rotation(PAULIS[3], _HALF_PI))


@dataclass(frozen=True)
class Single:
    """One element: virtual Z turns with an X90 between each two."""

    quarters: tuple[int, ...]
    """Quarter turns about Z, in the order of time; one more than there are pulses."""

    @property
    def pulses(self) -> int:
        """Number of X90 pulses."""
        return len(self.quarters) - 1

    def action(self) -> Action:
        """What it does to the Paulis, (4,)."""
        total = _turned(self.quarters[0])
        for quarters in self.quarters[1:]:
            total = after(_turned(quarters), after(X90, total))
        return total


@dataclass(frozen=True, eq=False)
class SingleGroup:
    """The group: its elements and their multiplication table."""

    elements: tuple[Single, ...]
    actions: Action
    """(24, 4)."""
    product: NDArray[np.int_]
    """(24, 24): [second, first] is the element that does one after the other."""
    inverse: NDArray[np.int_]
    """(24,)."""

    @property
    def average_pulses(self) -> float:
        """X90 pulses a random element takes."""
        return float(np.mean([each.pulses for each in self.elements]))

    def find(self, action: Action) -> int:
        """The number of an element by what it does."""
        return int(np.flatnonzero((self.actions == action).all(axis=1))[0])

    def sequence(self, length: int, rng: np.random.Generator, interleaved: Action | None = None) -> tuple[int, ...]:
        """Random elements and, last, the one that undoes them all.

        Parameters
        ----------
        interleaved
            What a gate that is played after each random element does; it is not part of what is returned.
        """
        drawn = [int(number) for number in rng.integers(0, len(self.elements), length)]
        gate = None if interleaved is None else self.find(interleaved)
        total = self.find(identity(1))
        for number in drawn:
            total = int(self.product[number, total])
            if gate is not None:
                total = int(self.product[gate, total])
        return (*drawn, int(self.inverse[total]))


@lru_cache(maxsize=1)
def single_group() -> SingleGroup:
    """The group, with the fewest pulses for each element."""
    found: dict[tuple[int, ...], Single] = {}
    for pulses in range(_MOST_PULSES + 1):
        for quarters in itertools.product(range(4), repeat=pulses + 1):
            element = Single(quarters)
            found.setdefault(tuple(element.action().tolist()), element)
    elements = tuple(found.values())
    actions = np.asarray(list(found), dtype=np.int_)
    place = {action: number for number, action in enumerate(found)}
    products = after(actions[:, None], actions[None, :])
    product = np.asarray([[place[tuple(each)] for each in row] for row in products.tolist()], dtype=np.int_)
    inverses = np.asarray([place[tuple(inverse(action).tolist())] for action in actions], dtype=np.int_)
    return SingleGroup(elements, actions, product, inverses)


def _turned(quarters: int) -> Action:
    total = identity(1)
    for _ in range(quarters % 4):
        total = after(_Z90, total)
    return total
