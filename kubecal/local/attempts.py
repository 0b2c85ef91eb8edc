"""Every attempt of a running session in brief, as the driver knows it before the records do.

Thousands are asked for after every pass, of which few have changed: what was made of the same row and the same process
is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from kubecal.api.request import Receipt, TaskTrouble, Verdict
from kubecal.engine.lanes import CHIP
from kubecal.engine.model import AttemptRow, MemberRow, PodView, RowStatus, SessionView, TaskKey
from kubecal.reading.answers import TaskState
from kubecal.records.documents import row_id

_Made = tuple[AttemptRow, PodView | None, tuple[TaskState, ...]]


class AttemptStates:
    """The attempts of one session, remembered from one look to the next."""

    def __init__(self) -> None:
        self._made: dict[tuple[TaskKey, int], _Made] = {}

    def of(self, session: SessionView, processes: Sequence[PodView]) -> tuple[TaskState, ...]:
        """All of them, those that have not begun included, by step and in the order of their planning.

        Parameters
        ----------
        processes
            Those that the driver knows, of whatever session.
        """
        if session.record is None or session.spec is None:
            return ()
        by_attempt = {(one.key, one.attempt): one for one in processes if one.session_uid == session.ref.uid}
        places = {step.name: number for number, step in enumerate(session.spec.steps)}
        # Parking is no step of the manifest's list, and comes last.
        rows = sorted(session.record.rows, key=lambda row: places.get(row.key.step, len(places)))
        return tuple(state for row in rows for state in self._states(session, row, by_attempt.get(_mark(row))))

    def _states(self, session: SessionView, row: AttemptRow, process: PodView | None) -> tuple[TaskState, ...]:
        known = self._made.get(_mark(row))
        if known is not None and known[0] is row and known[1] is process:
            return known[2]
        states = tuple(_made(session, row, process))
        if known is not None:
            # An attempt that was given up before its record was read began when its process did.
            began = {one.task_id: one.started_at for one in known[2]}
            states = tuple(
                one if one.started_at else one.model_copy(update={"started_at": began.get(one.task_id)})
                for one in states
            )
        self._made[_mark(row)] = (row, process, states)
        return states


def _mark(row: AttemptRow) -> tuple[TaskKey, int]:
    return row.key, row.attempt


def _made(session: SessionView, row: AttemptRow, process: PodView | None) -> Iterator[TaskState]:
    if not row.members:
        qid = "" if row.key.target == CHIP else row.key.target
        yield _state(session, row, process, qid, row)
    for member in row.members:
        yield _state(session, row, process, member.qid, member)


def _state(
    session: SessionView, row: AttemptRow, process: PodView | None, qid: str, judged: AttemptRow | MemberRow
) -> TaskState:
    recorded = judged.status not in (RowStatus.SCHEDULED, RowStatus.RUNNING)
    status, verdict, message = str(judged.status), str(judged.verdict or ""), judged.message
    started_at, ended_at = row.started_at, row.ended_at
    if not recorded and process is not None:
        status, verdict, message, ended_at = _as_the_process_says(process)
        started_at = started_at or process.started_at
    return TaskState(
        task_id=row_id(session.ref, row.key, row.attempt, qid or row.key.target),
        step=row.key.step,
        task=row.key.task,
        target=row.key.target,
        qid=qid,
        ordinal=row.key.ordinal,
        attempt=row.attempt,
        status=status,
        verdict=verdict,
        message=message,
        superseded=row.superseded,
        started_at=started_at,
        ended_at=ended_at,
    )


def _as_the_process_says(process: PodView) -> tuple[str, str, str, datetime | None]:
    """Status, verdict, message and end of an attempt whose record was not read yet."""
    ended = process.terminated
    match ended.outcome if ended is not None else None:
        case Receipt(verdict=Verdict() as verdict, message=message):
            status = RowStatus.COMPLETED if verdict is Verdict.OK else RowStatus.FAILED
            return status.value, verdict.value, message, ended.finished_at if ended is not None else None
        case TaskTrouble(message=message):
            return RowStatus.RUNNING.value, "", message, None
    return RowStatus.RUNNING.value, "", "", None
