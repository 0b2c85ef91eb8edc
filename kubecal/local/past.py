"""Sessions and chips that are only on record: of runs that are over, or that this computer does not drive."""

from __future__ import annotations

from collections.abc import Sequence

from kubecal.api.chip import Chip
from kubecal.api.model import Metadata
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import Failure, Phase, SessionStatus
from kubecal.lab.lab import StandingChip, StandingSession
from kubecal.reading.answers import TaskState
from kubecal.records.sessions import StoredSession

_FAILURES_SHOWN = 20


def past_session(stored: StoredSession, tasks: Sequence[TaskState] = ()) -> StandingSession:
    """A session as its execution remembers it.

    Parameters
    ----------
    tasks
        Its attempts, for the failures; empty: they are left out.
    """
    counts = stored.counts
    ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled
    status = SessionStatus(
        execution_id=stored.execution_id,
        phase=Phase(stored.phase),
        progress=f"{ended}/{counts.planned}" if counts.planned else "",
        started_at=stored.started_at,
        finished_at=stored.ended_at,
        message=stored.message,
        tasks=counts,
        failures=_failures(tasks),
    )
    session = CalibrationSession(metadata=Metadata(name=stored.name), spec=stored.spec, status=status)
    return StandingSession(stored.name, "", stored.uid, stored.created_at, session, status)


def past_chip(stored: StoredSession) -> StandingChip:
    """The chip as an execution has it."""
    return StandingChip(stored.chip_name, "", Chip(metadata=Metadata(name=stored.chip_name), spec=stored.chip_spec))


def _failures(tasks: Sequence[TaskState]) -> tuple[Failure, ...]:
    """The last failures; an attempt that another followed was not the last word."""
    last: dict[tuple[str, str, str, int, str], TaskState] = {}
    for task in tasks:
        place = (task.step, task.task, task.target, task.ordinal, task.qid)
        if place not in last or task.attempt > last[place].attempt:
            last[place] = task
    failed = [task for task in last.values() if task.status == "failed" and task.ended_at is not None]
    failed.sort(key=lambda task: str(task.ended_at))
    return tuple(
        Failure(
            task=task.task,
            target=task.qid or task.target,
            attempt=task.attempt,
            verdict=task.verdict,
            message=task.message,
        )
        for task in failed[-_FAILURES_SHOWN:]
    )
