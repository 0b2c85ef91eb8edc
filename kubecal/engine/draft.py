"""A decision while it is being made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from kubecal.engine.intents import Decision


class Draft:
    """Gathers intents by phase; policies only ever add."""

    def __init__(self) -> None:
        self._lists: dict[str, list[Any]] = {}
        self._wake_at: datetime | None = None

    def add(self, phase: str, *intents: object) -> None:
        """Add intents to a field of :class:`Decision`."""
        if phase not in Decision.__dataclass_fields__:
            raise ValueError(f"a decision has no {phase!r}")
        self._lists.setdefault(phase, []).extend(intents)

    def wake(self, *times: datetime | None) -> None:
        """Decide again at the earliest of these, though nothing happened."""
        known = [time for time in (self._wake_at, *times) if time is not None]
        self._wake_at = min(known) if known else None

    def has(self, phase: str) -> bool:
        """Whether something of this phase was added."""
        return bool(self._lists.get(phase))

    def drafted(self, phase: str) -> Sequence[object]:
        """What was added of this phase so far."""
        return self._lists.get(phase, ())

    def drop(self, phases: Iterable[str]) -> None:
        """Forget everything of these phases."""
        for phase in phases:
            self._lists.pop(phase, None)

    def decision(self) -> Decision:
        """The finished decision."""
        fields: dict[str, Any] = {name: tuple(intents) for name, intents in self._lists.items()}
        return Decision(**fields, wake_at=self._wake_at)
