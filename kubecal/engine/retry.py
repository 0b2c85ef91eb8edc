"""The three classes of trouble: what is tried again, how often, and after how long.

A disruption (deleted, evicted, node lost, never started) is nobody's fault and not charged; a crash is charged, and
final where it would only happen again; a verdict is an answer, and measured again only where ``spec.retry`` says so.
Crashes and verdicts are counted apart. A result that is inconsistent with what was known is measured again once: the
second attempt decides what is true. Numbers are computed from the rows, so nothing is counted up and nothing can
be counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from signal import Signals
from typing import Any

from kubecal.api.request import Verdict
from kubecal.api.session import Retry
from kubecal.engine.earlier import Disputed
from kubecal.engine.model import AttemptRow, PodView, RowStatus, Trouble

CRASH_LIMIT = 2
"""Crashes that are tried again."""
DISRUPTION_LIMIT = 10
"""Disruptions of a task that are tried again."""
NEVER_STARTED_LIMIT = 3
"""Times in a row that a pod may not get to run within pendingSeconds."""
NEVER_STARTED = "NeverStarted"
_BACKOFF_FIRST_S, _BACKOFF_MOST_S = 1.0, 60.0

_HOPELESS = frozenset(
    {"MissingInput", "BadRequest", "BadParameters", "UnknownTask", "CatalogueMismatch", "ProgramRefused"}
    | {"RawDataMissing", "NothingReturned"}
)
"""Reasons of a task's own last words that would be the same the next time."""
_DISRUPTIVE = frozenset({"Interrupted", "NotClaimed"})
"""Reasons of a task's own last words that mean: it was not its fault."""


@dataclass(frozen=True)
class Ending:
    """How an attempt without a result came to its end."""

    trouble: Trouble
    reason: str
    message: str


def classify(pod: PodView) -> Ending:
    """What the end of a pod without a result was; the pod is terminated, or refused by its node."""
    if pod.terminated is None:
        return Ending(
            Trouble.DISRUPTION, pod.disruption or "NodeRefused", pod.blocked_message or "its node refused the pod"
        )
    ended = pod.terminated
    words = ended.outcome if ended.outcome is not None and not hasattr(ended.outcome, "checksum") else None
    reason = getattr(words, "reason", "")
    message = getattr(words, "message", "")
    if pod.deadline_exceeded:
        return Ending(Trouble.CRASH, "TaskTimeout", "the pod had to be killed: it did not end within its timeout")
    if pod.disruption:
        return Ending(Trouble.DISRUPTION, pod.disruption, message or f"the pod was disrupted: {pod.disruption}")
    if reason in _DISRUPTIVE:
        return Ending(Trouble.DISRUPTION, reason, message)
    if pod.deleting_since is not None:
        return Ending(Trouble.DISRUPTION, "PodDeleted", message or "the pod was deleted")
    if reason:
        return Ending(Trouble.CRASH, reason, message)
    if ended.reason == "OOMKilled":
        return Ending(Trouble.CRASH, "OOMKilled", "out of memory: raise Chip.spec.pods.resources")
    if ended.exit_code == 0:
        return Ending(Trouble.CRASH, "ResultMissing", "the task ended without a result")
    how = f"was ended by {_called(ended.signal)}" if ended.signal else f"ended with code {ended.exit_code}"
    return Ending(Trouble.CRASH, ended.reason or "Error", f"the task's process {how}")


def _called(number: int) -> str:
    """A signal's name; of one that this computer has no name for its number."""
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"


def charged(rows: Sequence[AttemptRow]) -> int:
    """Attempts so far that count, crashes and bad verdicts: part of the simulator's random key."""
    return sum(row.trouble is Trouble.CRASH or judged(row) for row in rows)


def judged(row: AttemptRow) -> bool:
    """Whether an attempt was measured and judged, and not well."""
    if row.superseded:
        return False
    found = [(one.verdict, one.status) for one in row.members] or [(row.verdict, row.status)]
    return any(verdict not in (None, Verdict.OK) and status is RowStatus.FAILED for verdict, status in found)


def measured_again(verdict: Verdict | None, earlier: Sequence[AttemptRow], retry: Retry, qid: str = "") -> bool:
    """Whether a task is measured again after this verdict.

    Parameters
    ----------
    qid
        Of a MUX or batch task the member that got it.
    """
    if verdict is None or verdict.value not in retry.on:
        return False
    if verdict is Verdict.INCONSISTENT and any(_inconsistent(row, qid) for row in earlier):
        # The attempt that was to confirm the first one has not.
        return False
    return sum(map(judged, earlier)) < retry.limit


def _inconsistent(row: AttemptRow, qid: str) -> bool:
    """Whether an attempt was inconsistent, on this member where it has several."""
    if row.superseded:
        return False
    verdicts = [one.verdict for one in row.members if one.qid == qid] if row.members else [row.verdict]
    return Verdict.INCONSISTENT in verdicts


def disputed(earlier: Sequence[AttemptRow]) -> dict[str, Disputed]:
    """What the attempt after these has to agree with, by what is judged; nothing where none was inconsistent."""
    found: dict[str, Disputed] = {}
    for row in earlier:
        if not row.superseded:
            said = [(one.qid, one.disputed) for one in row.members] or [(row.key.target, row.disputed)]
            found |= {judged: values for judged, values in said if values is not None}
    return found


def adapted(planned: Mapping[str, Any], earlier: Sequence[AttemptRow], retry: Retry) -> dict[str, Any]:
    """The run parameters of the attempt after these: as planned, but for what was suggested since.

    Any: values as the tasks wrote them.
    """
    parameters = dict(planned)
    if retry.adapt:
        for row in earlier:
            if judged(row):
                parameters |= suggested(row, retry)
    return parameters


def suggested(row: AttemptRow, retry: Retry) -> Mapping[str, Any]:
    """What an attempt suggests for the next one; of several members the first that is measured again speaks for all.

    One pod has one set of run parameters; Any: values as the tasks wrote them.
    """
    if not row.members:
        return row.suggestion
    again = (one for one in row.members if one.verdict is not None and one.verdict.value in retry.on)
    return next((one.suggestion for one in again if one.suggestion), {})


def exhausted(earlier: Sequence[AttemptRow], ending: Ending) -> str:
    """Why the task is not tried again after this ending; empty: it is.

    Parameters
    ----------
    earlier
        The task's superseded attempts, oldest first, without the one that just ended.
    ending
        Of the attempt that just ended.
    """
    if ending.trouble is Trouble.CRASH and ending.reason in _HOPELESS:
        return ending.message or ending.reason
    crashes = sum(row.trouble is Trouble.CRASH for row in earlier)
    if ending.trouble is Trouble.CRASH and crashes >= CRASH_LIMIT:
        return f"crashed {crashes + 1} times, the last time with {ending.reason}: {ending.message}"
    disruptions = sum(row.trouble is Trouble.DISRUPTION for row in earlier)
    if ending.trouble is Trouble.DISRUPTION and disruptions >= DISRUPTION_LIMIT:
        return f"disrupted {disruptions + 1} times, the last time by {ending.reason}: {ending.message}"
    in_a_row = [row.reason for row in earlier[-(NEVER_STARTED_LIMIT - 1) :]]
    if ending.reason == NEVER_STARTED and in_a_row.count(NEVER_STARTED) == NEVER_STARTED_LIMIT - 1:
        return f"did not start {NEVER_STARTED_LIMIT} times in a row: {ending.message}"
    return ""


def not_before(earlier: Sequence[AttemptRow], retry: Retry, opened_at: datetime | None) -> datetime | None:
    """When the attempt after these, opened at that time on a driver's clock, may start; None: at once."""
    if not earlier:
        return None
    last = earlier[-1]
    if judged(last):
        # When it ended is known by its node's clock only.
        return opened_at + timedelta(seconds=retry.backoff_seconds) if opened_at is not None else None
    ended = last.superseded_at or last.ended_at
    if ended is None:
        return None
    same = sum(row.trouble is last.trouble for row in earlier)
    delay_s = min(_BACKOFF_MOST_S, _BACKOFF_FIRST_S * 2.0 ** (same - 1))
    return ended + timedelta(seconds=delay_s)
