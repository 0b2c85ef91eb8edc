"""Attempts whose process may still drive a line although nothing is seen of it any more (rule 2).

A force deletion takes the pod's object away and leaves its process running for as long as it takes to be killed.
Where such a process had claimed its attempt, or may have, the attempt keeps its wires: until it is given up, since
only that tells whether it was claimed, and from then on for its grace period.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubecal.api.naming import pod_name
from kubecal.api.wires import Wire
from kubecal.engine.attempts import POD_GONE
from kubecal.engine.model import AttemptRow, PodView, SessionRecord, SessionRef, TaskKey

UNSEEN_ENDS = frozenset({POD_GONE, "NotClaimed"})
"""Reasons of attempts whose claimer's end nobody saw: it vanished, or a later pod found the attempt taken."""


@dataclass(frozen=True)
class Lost:
    """One such attempt."""

    key: TaskKey
    holder: str
    wires: tuple[Wire, ...]
    until: datetime | None
    """None: until it is given up."""


def lost_attempts(
    ref: SessionRef, record: SessionRecord, pods: Iterable[PodView], gone: Mapping[str, datetime], now: datetime
) -> Iterator[Lost]:
    """Those that still count."""
    here = {pod.uid: pod for pod in pods}
    present = {(pod.key, pod.attempt) for pod in here.values()}
    for row in record.rows:
        if not row.final:
            claimer_gone = row.claimed_by is not None and row.claimed_by not in here
            if claimer_gone or _vanished(ref, row, present, gone):
                yield Lost(row.key, _name(ref, row), row.wires, None)
            continue
        if row.reason not in UNSEEN_ENDS or row.claimed_by is None or row.claimed_by in here:
            continue
        ended = row.superseded_at or row.ended_at
        if ended is not None and ended + timedelta(seconds=row.grace_s) > now:
            yield Lost(row.key, _name(ref, row), row.wires, ended + timedelta(seconds=row.grace_s))


def _vanished(
    ref: SessionRef, row: AttemptRow, present: Collection[tuple[TaskKey, int]], gone: Mapping[str, datetime]
) -> bool:
    """Whether its pod was there and is not; asked of thousands of rows, most of which never had one."""
    return bool(gone) and (row.key, row.attempt) not in present and _name(ref, row) in gone


def _name(ref: SessionRef, row: AttemptRow) -> str:
    key = row.key
    return pod_name(ref.name, ref.uid, key.step, key.task, key.target, key.ordinal, row.attempt)
