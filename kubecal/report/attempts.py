"""Which attempt stands for a task, which attempts there were before it, and in what order they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kubecal.reading.answers import Result

FAILED, COMPLETED = "failed", "completed"
NOT_ENDED = ("scheduled", "running")
_LAST = 1 << 30


class TaskKey(NamedTuple):
    """One planned task as it is judged: of a MUX or batch task each qubit's part."""

    step: str
    task: str
    qid: str
    ordinal: int


def key_of(result: Result) -> TaskKey:
    """The task that an attempt belongs to."""
    return TaskKey(result.step, result.task, result.qid, result.ordinal)


def last_attempts(results: Iterable[Result]) -> tuple[Result, ...]:
    """What became of every task, in the order in which the results come."""
    last: dict[TaskKey, Result] = {}
    for result in results:
        key = key_of(result)
        if key not in last or result.attempt >= last[key].attempt:
            last[key] = result
    chosen = {result.task_id for result in last.values()}
    return tuple(result for result in results if result.task_id in chosen)


def failures(results: Sequence[Result]) -> tuple[Result, ...]:
    """The tasks that failed, by target."""
    found = [result for result in last_attempts(results) if result.status == FAILED]
    return tuple(sorted(found, key=lambda result: target_order(result.qid)))


def by_target(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Attempts by the qubit or coupling that was judged, qubits first; each target's in the order of their begin."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result.qid].append(result)
    return {
        qid: sorted(found[qid], key=lambda result: (result.started_at is None, str(result.started_at), result.attempt))
        for qid in sorted(found, key=target_order)
    }


def target_order(qid: str) -> tuple[int, int, int]:
    """Qubits by number, then couplings by control and target, then the chip."""
    if qid.isdigit():
        return 0, int(qid), 0
    control, _, target = qid.partition("-")
    if control.isdigit() and target.isdigit():
        return 1, int(control), int(target)
    return 2, _LAST, 0


def state_of(result: Result) -> str:
    """How an attempt is coloured: good, doubtful, bad, none (did not come to an end of its own), busy."""
    if result.status in NOT_ENDED:
        return "busy"
    if result.status == COMPLETED:
        return "good"
    if result.status == FAILED:
        return "doubtful" if result.verdict in ("imprecise", "inconsistent") else "bad"
    return "none"


def label_of(result: Result) -> str:
    """``CheckRabi``, the second time in its step ``CheckRabi #2``."""
    return f"{result.task} #{result.ordinal + 1}" if result.ordinal else result.task
