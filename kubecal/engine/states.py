"""Where the tasks of one session stand, from its rows and pods sorted out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kubecal.api.session import Retry, SessionSpec
from kubecal.engine.attempts import TaskState, task_state
from kubecal.engine.model import AttemptRow, Observed, PlannedTask, PodView, SessionRecord, SessionRef, TaskKey


class TaskStates:
    """Answers for one task after the other.

    Parameters
    ----------
    planned
        What the session's plan says of its tasks; of one that is not planned any more its rows say what it judged.
    """

    def __init__(
        self,
        observed: Observed,
        ref: SessionRef,
        spec: SessionSpec,
        record: SessionRecord,
        pods: Sequence[PodView],
        planned: Mapping[TaskKey, PlannedTask],
    ) -> None:
        self._observed, self._ref, self._planned = observed, ref, planned
        self._pending_s = spec.deadlines.pending_seconds
        self._rows: dict[TaskKey, list[AttemptRow]] = {}
        for row in sorted(record.rows, key=lambda one: one.attempt):
            self._rows.setdefault(row.key, []).append(row)
        self._pods: dict[TaskKey, list[PodView]] = {}
        for pod in pods:
            self._pods.setdefault(pod.key, []).append(pod)

    @property
    def on_record(self) -> list[TaskKey]:
        """All tasks that have rows."""
        return sorted(self._rows)

    def of(self, key: TaskKey, retry: Retry | None) -> TaskState:
        """How this one stands; without ``retry`` no verdict of it is measured again."""
        rows = self._rows.get(key, ())
        task = self._planned.get(key)
        return task_state(
            key,
            rows,
            self._pods.get(key, ()),
            self._ref,
            now=self._observed.now,
            pending_s=self._pending_s,
            rejected=self._observed.rejected,
            gone=self._observed.gone,
            # The same data analysed by the same code once more would say the same.
            retry=retry if task is None or task.stored is None else None,
            members=task.members if task is not None else _members_on_record(rows),
        )


def _members_on_record(rows: Sequence[AttemptRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.qid for row in rows for one in row.members))
