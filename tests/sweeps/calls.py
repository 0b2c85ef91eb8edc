"""What passes between the operator and its two servers, and who may meddle with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request of the operator."""

    what: str
    """For people: ``POST pods morning-checkrabi-0-1-x7f2k9`` or ``mongodb insert task_result_history``."""
    writes: bool
    database: bool = False
    method: str = ""
    path: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What comes back: of the API server a status, headers and body; of MongoDB a whole message as its body."""

    status: int
    body: bytes
    retry_after_s: int | None = None
    then: Callable[[], None] | None = None
    """Done when the answer was passed on."""


@dataclass(frozen=True)
class Event:
    """One line of a watch."""

    kind: str
    """chips, calibrationsessions, pods and what else is watched."""
    type: str
    line: bytes


class Cut(Exception):  # noqa: N818 - what it does, not what went wrong
    """The watch ends with this status of the server."""

    def __init__(self, status: int) -> None:
        super().__init__(f"cut with {status}")
        self.status = status


Forward = Callable[[], Awaitable[Answer]]


class Meddler:
    """Lets everything pass; disturbances are its descendants."""

    relist_s: float = 300.0
    """How often the operator compares what it knows with a list: rarely, unless that is to help."""

    def __init__(self) -> None:
        self.happened = ""
        """The disturbance, in words, once it has happened."""

    async def around(self, call: Call, forward: Forward) -> Answer | None:
        """A request on its way; None: the connection breaks without an answer."""
        return await forward()

    async def event(self, event: Event) -> Sequence[bytes]:
        """A line of a watch on its way: the lines that are passed on instead."""
        return (event.line,)
