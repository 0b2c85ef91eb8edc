"""What somebody who follows a session has seen so far."""

from __future__ import annotations

from dataclasses import replace

from kubecal.api.chip import Chip
from kubecal.lab.lab import Sight, StandingSession
from kubecal.local.control.messages import Update
from kubecal.reading.answers import TaskState


class Seen:
    """Updates put together."""

    def __init__(self) -> None:
        self._session: StandingSession | None = None
        self._chip: Chip | None = None
        self._tasks: dict[str, TaskState] = {}

    def after(self, update: Update) -> Sight:
        """What there is to see after an update; the first one is whole."""
        session = update.session or self._session
        assert session is not None, "the first update of a session is whole"
        if update.status is not None:
            shown = session.session.model_copy(update={"status": update.status})
            session = replace(session, session=shown, status=update.status)
        self._session = session
        self._chip = update.chip or self._chip
        self._tasks.update((one.task_id, one) for one in update.tasks)
        tasks = tuple(self._tasks.values())
        return Sight(session, self._chip, tasks, update.seen_at, update.problem, update.notices)
