"""What has to be done before a task may start.

Every task stands on lanes at a level, and needs others to be done up to a level. A lane is what is gone through in
order: a qubit, a coupling, the chip. The level is the place of the task's entry in the session; of couplings as seen
by their qubits it is the place of the step, so that couplings of one step that share a qubit do not wait for each other
(their wires keep them apart). There is no barrier in this: a qubit whose tasks are done starts what comes next.

========= =================================== ====================================================
task      stands on                           needs
========= =================================== ====================================================
qubits    its qubits                          its qubits; couplings of these in steps before
coupling  itself; its two qubits' couplings   itself; its two qubits in steps before; its group's
chip      the chip                            everything before
========= =================================== ====================================================

All need what the chip as a whole has before them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from kubecal.api.steps import MAX_TASKS_PER_STEP

EVERYTHING = "*"
"""The lane on which every task stands."""
CHIP = "chip"
_GROUPS = "groups of step"
_REMEMBERED = 32_768
"""Standings are the same in all sessions of a chip: kept once, they cost neither memory nor collections of garbage."""


class Place(NamedTuple):
    """A lane and a level on it."""

    lane: str
    level: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands, and what it needs: everything below these places."""

    level: int
    on: tuple[Place, ...]
    needs: tuple[Place, ...]


NOWHERE = Standing(0, (), ())
"""Of a task that waits for nothing, and nothing for it."""


def level_of(step: int, entry: int) -> int:
    """The level of a step's entry, both counted from 0."""
    return step * (MAX_TASKS_PER_STEP + 1) + entry


@lru_cache(maxsize=_REMEMBERED)
def qubits_standing(lanes: tuple[str, ...], step: int, entry: int) -> Standing:
    """Of a task on a qubit, a MUX or a batch of qubits."""
    level, begin = level_of(step, entry), level_of(step, 0)
    on = tuple(Place(lane, level) for lane in lanes)
    needs = (*on, *(Place(_couplings_of(lane), begin) for lane in lanes), Place(CHIP, level))
    return Standing(level, on, needs)


@lru_cache(maxsize=_REMEMBERED)
def coupling_standing(identity: str, ends: tuple[str, str], step: int, entry: int, group: int | None) -> Standing:
    """Of a task on a coupling; ``group`` is the number of its group where the step has groups."""
    level, begin = level_of(step, entry), level_of(step, 0)
    own = Place(identity, level)
    on = [own, *(Place(_couplings_of(qubit), begin) for qubit in ends)]
    needs = [own, *(Place(qubit, begin) for qubit in ends), Place(CHIP, level)]
    if group is not None:
        on.append(Place(f"{_GROUPS} {step}", group))
        needs.append(on[-1])
    return Standing(level, tuple(on), tuple(needs))


def chip_standing(step: int, entry: int) -> Standing:
    """Of a task on the chip as a whole, and of what changes records."""
    level = level_of(step, entry)
    return Standing(level, (Place(CHIP, level),), (Place(EVERYTHING, level),))


def _couplings_of(qubit: str) -> str:
    return f"couplings of {qubit}"


K = TypeVar("K")


class Open(Generic[K]):
    """How far each lane is done: the first task on it that has not ended."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, K]] = {}

    def add(self, key: K, standing: Standing, done: Container[str] = ()) -> None:
        """A task that has not ended; lanes on which it has are in ``done``."""
        first = self._first
        for lane, level in standing.on:
            known = first.get(lane)
            if (known is None or level < known[0]) and lane not in done:
                first[lane] = (level, key)
        known = first.get(EVERYTHING)
        if known is None or standing.level < known[0]:
            first[EVERYTHING] = (standing.level, key)

    def met(self, needs: Iterable[Place]) -> bool:
        """Whether everything below these places is done."""
        return self.missing(needs) is None

    def missing(self, needs: Iterable[Place]) -> K | None:
        """What is to be done below these places; None: nothing is."""
        first = self._first
        for lane, level in needs:
            known = first.get(lane)
            if known is not None and known[0] < level:
                return known[1]
        return None


class Way(NamedTuple):
    """From a task to the end."""

    seconds: float
    tasks: int


_END = Way(0.0, 0)


class Ahead:
    """The longest way from each task to the end; tasks are added from the last level to the first."""

    def __init__(self) -> None:
        self._lanes: dict[str, tuple[int, Way, Way]] = {}
        """Level added last, the longest way from there on, and from above it."""

    def after(self, standing: Standing) -> Way:
        """The longest way of what waits for a task."""
        return max(self._above(place) for place in (*standing.on, Place(EVERYTHING, standing.level)))

    def add(self, standing: Standing, way: Way) -> None:
        """A task that needs these places is this far from the end."""
        for lane, level in standing.needs:
            if lane.startswith(_GROUPS):
                continue
            at, longest, above = self._lanes.get(lane, (level, _END, _END))
            if level < at:
                above = longest
            self._lanes[lane] = (min(level, at), max(longest, way), above)

    def _above(self, place: Place) -> Way:
        known = self._lanes.get(place.lane)
        if known is None:
            return _END
        at, longest, above = known
        return longest if at > place.level else above


def ways(tasks: Iterable[tuple[Standing, float]]) -> list[Way]:
    """The longest way from each task to the end, itself included, for tasks with their seconds.

    Groups of couplings count as if they were not: who is in the last group would else come first everywhere.
    """
    listed = list(tasks)
    ahead, found = Ahead(), [_END] * len(listed)
    for number in sorted(range(len(listed)), key=lambda one: -listed[one][0].level):
        standing, seconds = listed[number]
        after = ahead.after(standing)
        found[number] = Way(seconds + after.seconds, 1 + after.tasks)
        ahead.add(standing, found[number])
    return found
