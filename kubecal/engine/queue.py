"""Who holds the hardware, and who is next.

Holding is stored in ``Chip.status.holders`` before the first pod is made. An entry is void, and ignored, when its
session is gone or finished and none of its pods lives, so it cannot leak. There is no preemption: priority orders
those who wait, and waiting raises it by one level an hour, so nobody waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kubecal.api.chip import Holder, QueuedSession
from kubecal.engine.model import ChipView, SessionView

_LEVEL_S = 3600.0
_QUEUE_SHOWN = 100


@dataclass(frozen=True)
class Held:
    """An entry that counts, and on which chip it stands."""

    chip: ChipView
    holder: Holder


def valid_holders(
    chips: Iterable[ChipView], active: Callable[[str], bool], has_live_pods: Callable[[str], bool]
) -> list[Held]:
    """The entries that are not void.

    Parameters
    ----------
    active
        Whether a session of this uid exists and has not finished.
    has_live_pods
        Whether a pod of the session of this uid may still drive a line.
    """
    return [
        Held(chip, holder)
        for chip in chips
        for holder in chip.status.holders
        if active(holder.uid) or has_live_pods(holder.uid)
    ]


def effective_priority(session: SessionView, chip: ChipView, now: datetime) -> float:
    """Its priority, at most what the chip allows, plus one level for every hour it waits."""
    if session.spec is None or chip.spec is None:
        return 0.0
    asked = min(session.spec.priority, chip.spec.limits.max_priority)
    waited_s = (now - session.created_at).total_seconds()
    return asked + max(0.0, waited_s) // _LEVEL_S


def in_line(waiting: Sequence[tuple[SessionView, ChipView]], now: datetime) -> list[tuple[SessionView, ChipView]]:
    """Those who wait, next first: by aged priority, then by age."""
    return sorted(
        waiting, key=lambda pair: (-effective_priority(pair[0], pair[1], now), pair[0].created_at, pair[0].ref.uid)
    )


def shown_queue(
    chip: ChipView, line: Sequence[tuple[SessionView, ChipView]], waits_for: Mapping[str, str]
) -> tuple[QueuedSession, ...]:
    """The part of the line that waits for this chip, for its status; ``waits_for`` names sessions by waiting uid."""
    return tuple(
        QueuedSession(session=session.ref.name, position=number, waits_for=waits_for.get(session.ref.uid, ""))
        for number, (session, its_chip) in enumerate(line, 1)
        if its_chip.uid == chip.uid
    )[:_QUEUE_SHOWN]
