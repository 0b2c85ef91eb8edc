"""What failed, what was measured on which target, and how attempts are coloured and called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kubecal.reading.answers import Result
from kubecal.reading.attempts import last_attempts
from kubecal.reading.order import by_number

FAILED, COMPLETED = "failed", "completed"
NOT_ENDED = ("scheduled", "running")


def failures(results: Sequence[Result]) -> tuple[Result, ...]:
    """The tasks that failed, by target."""
    found = [result for result in last_attempts(results) if result.status == FAILED]
    return tuple(sorted(found, key=lambda result: by_number(result.qid)))


def by_target(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Attempts by the qubit or coupling that was judged, qubits first; each target's in the order of their begin."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result.qid].append(result)
    return {
        qid: sorted(found[qid], key=lambda result: (result.started_at is None, str(result.started_at), result.attempt))
        for qid in sorted(found, key=by_number)
    }


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
