"""Long answers page by page, so that none is too much for whoever gives it, however many tasks an execution has.

A page begins behind a mark that the page before gave; marks mean something only to who gives them. What has no end
in sight is asked for in this way by everybody: ``kubecal-api`` hands the pages on as they are, and who wants all of
it goes through :func:`gathered`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from kubecal.reading.answers import ParameterValue, Result, TaskState

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a long answer."""

    items: tuple[T, ...]
    next: str = ""
    """Mark behind which the next page begins; empty: this is the last one."""


class Pages(Protocol):
    """Who gives long answers page by page; raises as :class:`kubecal.reading.records.Records` does."""

    async def task_page(self, execution_id: str, project: str, after: str) -> Page[TaskState]:
        """Attempts of an execution in brief, in no order that means anything."""

    async def result_page(self, execution_id: str, project: str, after: str) -> Page[Result]:
        """Attempts of an execution whole, in no order that means anything."""

    async def parameter_page(
        self, chip: str, project: str, after: str, moment: datetime | None
    ) -> Page[ParameterValue]:
        """Values of a chip at a moment, or now, qubits before couplings."""


async def gathered(page: Callable[[str], Awaitable[Page[T]]]) -> Sequence[T]:
    """All of a long answer."""
    items: list[T] = []
    after = ""
    while True:
        found = await page(after)
        items += found.items
        after = found.next
        if not after:
            return items
