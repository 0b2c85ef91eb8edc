"""Lock domains that run side by side in one process: what one holds of modules that another is wired to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kubecal.engine.elsewhere import Others, held_elsewhere, modules_of
from kubecal.engine.model import ChipView, HeldElsewhere, PodView, Reservation, SessionView


class Member(Protocol):
    """The driver of one lock domain, as far as others are concerned."""

    @property
    def chips(self) -> Sequence[ChipView]:
        """Its chips."""

    @property
    def sessions(self) -> Sequence[SessionView]:
        """Its sessions."""

    @property
    def pods(self) -> Sequence[PodView]:
        """Its processes."""

    @property
    def reservations(self) -> Sequence[Reservation]:
        """Processes that it has decided to start."""

    def wake(self) -> None:
        """Have it look again."""


class Beside:
    """All drivers of one run."""

    def __init__(self) -> None:
        self._members: list[Member] = []

    def join(self, member: Member) -> None:
        """One more runs."""
        self._members.append(member)

    def leave(self, member: Member) -> None:
        """One has ended."""
        self._members.remove(member)
        self._wake_users(_modules(member))

    def elsewhere(self, asking: Member, now: datetime) -> tuple[HeldElsewhere, ...]:
        """Who else holds modules of this one."""
        modules = _modules(asking)
        if not modules:
            return ()
        others = [one for one in self._members if one is not asking]
        known = Others(
            sessions={session.ref.uid: session for one in others for session in one.sessions},
            pods=[pod for one in others for pod in one.pods],
            reservations=[reservation for one in others for reservation in one.reservations],
        )
        return held_elsewhere(modules, known, now)

    def changed(self, changed: Member) -> None:
        """A process came or went: those who may wait for its modules look before it takes them again."""
        self.lets_go(changed)
        changed.wake()

    def lets_go(self, member: Member) -> None:
        """Others may have its modules.

        It comes last when another lets go, so that of several who wait none is passed over for ever.
        """
        others = [one for one in self._members if one is not member]
        self._members = others
        self._wake_users(_modules(member))
        self._members = [*others, member]

    def _wake_users(self, modules: frozenset[str]) -> None:
        for one in self._members:
            if not modules.isdisjoint(_modules(one)):
                one.wake()


def _modules(member: Member) -> frozenset[str]:
    return modules_of(member.chips, member.sessions)
