"""Which attempt stands for a task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from kubecal.reading.answers import TaskState

T = TypeVar("T", bound=TaskState)
TaskKey = tuple[str, str, int, str, str]
"""Step, task, ordinal, target and what is judged: of a MUX or batch task each qubit's part."""


def key_of(attempt: TaskState) -> TaskKey:
    """The task that an attempt belongs to."""
    return (attempt.step, attempt.task, attempt.ordinal, attempt.target, attempt.qid)


def last_attempts(attempts: Iterable[T]) -> list[T]:
    """What became of every task, in the order in which each is named first."""
    last: dict[TaskKey, T] = {}
    for one in attempts:
        key = key_of(one)
        if key not in last or one.attempt > last[key].attempt:
            last[key] = one
    return list(last.values())
