"""Rows of attempts as the world's database keeps them: what becomes of members, and how they speak as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kubecal.api.request import Verdict
from kubecal.engine.model import AttemptRow, MemberRow, PlannedTask, RowStatus, TaskKey, Trouble
from kubecal.engine.retry import judged

OPEN = (RowStatus.SCHEDULED, RowStatus.RUNNING)
GOOD, POOR = 0.95, 0.5
"""What a task gives as its quality where it is ok, and where it is ok but not good."""


def is_open(known: AttemptRow | MemberRow) -> bool:
    """Whether nothing came out of it yet."""
    return known.status in OPEN


def open_members(known: AttemptRow) -> tuple[str, ...]:
    """Those of an attempt of several that have not ended."""
    return tuple(one.qid for one in known.members if is_open(one))


def ended(known: AttemptRow, which: Collection[str], **changes: Any) -> AttemptRow:
    """With an end of all that is open, or of these members; as a whole it says what it did as long as one is open.

    Any: fields of a row.
    """
    if not known.members:
        return replace(known, **changes)
    status, message = changes["status"], changes.get("message", "")
    chosen = [one for one in known.members if is_open(one) and (not which or one.qid in which)]
    return spoken_for(with_members(known, chosen, lambda one: replace(one, status=status, message=message)), **changes)


def with_members(
    known: AttemptRow, chosen: Collection[MemberRow], change: Callable[[MemberRow], MemberRow]
) -> AttemptRow:
    """With these members changed."""
    return replace(known, members=tuple(change(one) if one in chosen else one for one in known.members))


def spoken_for(known: AttemptRow, **changes: Any) -> AttemptRow:
    """What has not ended speaks for all; then these changes, unless all were left out; Any: fields of a row."""
    if open_members(known):
        running = any(one.status is RowStatus.RUNNING for one in known.members)
        return replace(known, status=RowStatus.RUNNING if running else RowStatus.SCHEDULED)
    left_out = all(one.status is RowStatus.SKIPPED for one in known.members)
    return replace(known, **{**changes, **({"status": RowStatus.SKIPPED} if left_out else {})})


def measured(known: AttemptRow, verdict: Verdict, dice: int, now: datetime) -> AttemptRow:
    """With a result; of several members the dice say which get the verdict, and in any case whose quality is poor."""
    if not known.members:
        return replace(
            known,
            status=RowStatus.COMPLETED if verdict is Verdict.OK else RowStatus.FAILED,
            verdict=verdict,
            trouble=None if verdict is Verdict.OK else Trouble.VERDICT,
            ended_at=now,
            numbers={"quality": POOR if dice % 3 == 0 else GOOD},
        )

    def judged_as(one: MemberRow) -> MemberRow:
        place = int(one.qid)
        its = verdict if (dice >> place) & 1 else Verdict.OK
        numbers = {"quality": POOR if (dice >> (place + 4)) & 1 else GOOD}
        status = RowStatus.COMPLETED if its is Verdict.OK else RowStatus.FAILED
        return replace(one, status=status, verdict=its, numbers=numbers)

    found = with_members(known, [one for one in known.members if is_open(one)], judged_as)
    said = next(one for one in found.members if one.verdict is not None)
    return spoken_for(found, status=said.status, ended_at=now)


def is_charged(known: AttemptRow) -> bool:
    """Whether it counts as a crash or a bad verdict."""
    return known.trouble == "Crash" or judged(known)


def has_failed(attempts: Sequence[AttemptRow]) -> bool:
    """Whether what its attempts say last is that it failed, on any of those that it judges."""
    last = {one.qid: one.status for known in attempts for one in known.members} or {"": attempts[-1].status}
    return RowStatus.FAILED in last.values()


def involved(task: PlannedTask, ends: dict[str, tuple[str, str]]) -> frozenset[str]:
    """The qubits that a task is about; empty: the chip as a whole."""
    if task.members:
        return frozenset(task.members)
    target = task.key.target
    return frozenset() if target == "chip" else frozenset(ends.get(target, (target,)))


def comes_before(first: PlannedTask, second: PlannedTask, ends: dict[str, tuple[str, str]]) -> frozenset[str]:
    """On which qubits the one has to be done before the other, which is later in the plan; ``*``: as a whole.

    Said here once more, step by step and not by lanes.
    """
    same_step = first.key.step == second.key.step
    if first.key.target in ends and second.key.target in ends:
        return frozenset("*") if first.key.target == second.key.target else frozenset()
    if same_step and _entry(first.key) == _entry(second.key):
        return frozenset()
    one, other = involved(first, ends), involved(second, ends)
    if not one or not other:
        return frozenset("*")
    return one & other if first.members else frozenset("*" if one & other else "")


def _entry(key: TaskKey) -> tuple[str, int]:
    return key.task, key.ordinal
