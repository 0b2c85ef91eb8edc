"""What can go wrong for a program that calibrates."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubecal.service.results import TaskResult


class ServiceError(Exception):
    """A call could not be carried out; the message says what is wrong, where, and what to do."""


class SessionOverError(ServiceError):
    """The session has ended, so nothing more can be run in it; the message says how it ended."""


class TaskFailed(ServiceError):  # noqa: N818 - a task that failed is an answer as much as an error
    """A task ended without success; ``result`` is all there is of it, figures included."""

    def __init__(self, result: TaskResult) -> None:
        super().__init__(result.failure)
        self.result = result
        self._shown = False

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it: figure and sentence say more than where in this package it was raised."""
        if not self._shown:
            # IPython asks more than once.
            self._shown = True
            import_module("IPython.display").display(self.result)
        return [f"{type(self).__name__}: {self}"]


class Cancelled(BaseException):
    """The program was asked to stop by SIGTERM; raised in the main thread, and not caught by ``except Exception``."""


def is_cancellation(error: BaseException) -> bool:
    """Whether it means that somebody wants to stop, rather than that something failed."""
    return isinstance(error, Cancelled | KeyboardInterrupt | asyncio.CancelledError)
