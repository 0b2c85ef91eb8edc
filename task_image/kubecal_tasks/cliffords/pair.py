"""The 11,520 Cliffords of two qubits, in ZX90 gates and Cliffords of each.

Each is a rotation of both qubits after one of 20 classes: 1 without an entangling gate, 9 with one, 9 with two, 1
with three (the swap): one and a half on average. Sources: Corcoles et al., Phys. Rev. A 87, 030301 (2013) for the
classes; the ones here differ by being made of ZX90 and by what stands before it, chosen for few pulses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.cliffords.actions import PAULIS, Action, action_of, after, identity, inverse, rotation, together
from kubecal_tasks.cliffords.single import single_group

ZX90 = action_of(rotation(np.kron(PAULIS[3], PAULIS[1]), np.pi / 2))
_X, _Z = 1, 3
_GENERATORS = (4 * _X, 4 * _Z, _X, _Z)
"""X and Z of each qubit: what an action does to these says all."""
Local = tuple[int, int]
"""Numbers of one-qubit Cliffords on the control and on the target."""


@dataclass(frozen=True)
class Pair:
    """One element: a rotation of both qubits before each ZX90, and one at the end."""

    before: tuple[Local, ...]
    last: Local

    @property
    def entangling(self) -> int:
        """Number of ZX90 gates."""
        return len(self.before)


@dataclass(frozen=True, eq=False)
class PairGroup:
    """The group; element ``576 class + 24 control + target``."""

    classes: tuple[tuple[Local, ...], ...]
    """Of each class the rotations before its ZX90 gates."""
    actions: Action
    """(11520, 16)."""
    keys: NDArray[np.int_]
    """(11520,) sorted numbers that tell actions apart."""
    order: NDArray[np.int_]
    """(11520,) the elements in that order."""

    @property
    def size(self) -> int:
        """Number of elements."""
        return len(self.actions)

    @property
    def average_entangling(self) -> float:
        """ZX90 gates a random element takes."""
        return float(np.mean([len(each) for each in self.classes]))

    @property
    def average_pulses(self) -> float:
        """X90 pulses one after the other that it takes besides, both qubits turning at once."""
        pulses = [each.pulses for each in single_group().elements]
        last = np.mean([[max(control, target) for control in pulses] for target in pulses])
        before = [sum(max(pulses[control], pulses[target]) for control, target in each) for each in self.classes]
        return float(last + np.mean(before))

    def element(self, number: int) -> Pair:
        """An element as gates."""
        which, local = divmod(number, 576)
        return Pair(self.classes[which], (local // 24, local % 24))

    def find(self, action: Action) -> int:
        """The number of an element by what it does."""
        return int(self.order[np.searchsorted(self.keys, _keys(action))])

    def sequence(self, length: int, rng: np.random.Generator, interleaved: Action | None = None) -> tuple[int, ...]:
        """Random elements and, last, the one that undoes them all; see ``SingleGroup.sequence``."""
        drawn = [int(number) for number in rng.integers(0, self.size, length)]
        total = identity(2)
        for number in drawn:
            total = after(self.actions[number], total)
            if interleaved is not None:
                total = after(interleaved, total)
        return (*drawn, self.find(inverse(total)))


@lru_cache(maxsize=1)
def pair_group() -> PairGroup:
    """The group, class by class; within a class every rotation of both qubits."""
    single = single_group().actions
    locals_ = together(single[:, None], single[None, :]).reshape(-1, 16)
    classes: list[tuple[Local, ...]] = [()]
    actions = [identity(2)]
    seen = {_class_key(actions[0], locals_)}
    turns = [(control, target) for control in _turns_of(_Z) for target in _turns_of(_X)]
    for before, action in zip(classes, actions, strict=True):  # both grow while they are gone through
        for control, target in turns:
            longer = after(ZX90, after(together(single[control], single[target]), action))
            key = _class_key(longer, locals_)
            if key not in seen:
                seen.add(key)
                classes.append((*before, (control, target)))
                actions.append(longer)
    everything = after(locals_[None], np.asarray(actions)[:, None]).reshape(-1, 16)
    keys = _keys(everything)
    order = np.argsort(keys)
    return PairGroup(tuple(classes), everything, keys[order], order)


def _turns_of(axis: int) -> tuple[int, ...]:
    """Three one-qubit Cliffords with few pulses, after which the gate's axis stands for X, Y and Z of before."""
    group = single_group()
    found: dict[int, int] = {}
    for number in range(len(group.elements)):
        before = int(group.actions[group.inverse[number], axis] >> 1)
        found.setdefault(before, number)
    return tuple(found.values())


def _keys(actions: Action) -> NDArray[np.int_]:
    """(...,) numbers that tell actions (..., 16) apart."""
    digits = actions[..., _GENERATORS]
    return np.asarray(((digits[..., 0] * 32 + digits[..., 1]) * 32 + digits[..., 2]) * 32 + digits[..., 3])


def _class_key(action: Action, locals_: Action) -> int:
    """Equal for actions that differ by a rotation of both qubits afterwards."""
    return int(_keys(after(locals_, action)).min())
