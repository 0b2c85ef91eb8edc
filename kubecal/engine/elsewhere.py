"""Modules that several lock domains share: who of the others holds them.

Control and readout boxes have global ids, so chips of different hardware may hang on one of them, and a task of one
chip then excludes a task of the other there. A pass decides for one lock domain only; what tasks of the others hold of
its modules is therefore part of what it observes. Their wires are read where those of its own are read: from pods,
from creates under way and from attempts whose process may be left (rule 2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubecal.api.chip import ChipSpec
from kubecal.api.wires import Wire, WireKind
from kubecal.engine.attempts import live
from kubecal.engine.lost import lost_attempts
from kubecal.engine.model import ChipView, HeldElsewhere, PodView, Reservation, SessionView


@dataclass(frozen=True)
class Others:
    """What a driver knows of other lock domains, as far as they may hold modules that are asked about."""

    sessions: Mapping[str, SessionView]
    """By uid: those that pods and reservations belong to."""
    pods: Collection[PodView] = ()
    """All pods that hold modules, and all of sessions whose chip is wired to them: one that is missing would count as
    vanished."""
    reservations: Collection[Reservation] = ()
    gone: Mapping[str, datetime] = field(default_factory=dict)


def modules_in(wires: Iterable[Wire]) -> tuple[Wire, ...]:
    """Those of the wires that mean the same on every chip."""
    return tuple(wire for wire in wires if wire.kind is WireKind.MODULE)


def modules_of(chips: Iterable[ChipView], sessions: Iterable[SessionView]) -> frozenset[str]:
    """The modules that tasks of a lock domain may claim: as its chips are wired, and as they were at admission."""
    specs: list[ChipSpec] = [chip.spec for chip in chips if chip.spec is not None]
    specs += [one.record.chip_spec for one in sessions if one.record is not None]
    # Most chips name no modules, and then nothing below is to cost anything.
    return frozenset().union(*(spec.wiring.modules for spec in specs if spec.wiring.muxes))


def wired_to(chip: ChipView, modules: frozenset[str]) -> bool:
    """Whether a chip hangs on any of these modules."""
    return chip.spec is not None and not modules.isdisjoint(chip.spec.wiring.modules)


def may_claim(session: SessionView, modules: frozenset[str]) -> bool:
    """Whether tasks of a session, as it was admitted, are wired to any of these modules."""
    return session.record is not None and not modules.isdisjoint(session.record.chip_spec.wiring.modules)


def held_elsewhere(modules: frozenset[str], others: Others, now: datetime) -> tuple[HeldElsewhere, ...]:
    """Who of the others holds any of these modules."""
    if not modules:
        return ()
    found = (*_by_pods(others), *_by_reservations(others), *_by_lost_attempts(modules, others, now))
    return tuple(one for one in found if any(wire.id in modules for wire in one.modules))


def _by_pods(others: Others) -> Iterator[HeldElsewhere]:
    for pod in others.pods:
        modules = modules_in(pod.wires)
        if modules and live(pod):
            yield _of(others, pod.session_uid, pod.name, modules, f"{pod.key.task} on {pod.key.target}")


def _by_reservations(others: Others) -> Iterator[HeldElsewhere]:
    for one in others.reservations:
        modules = modules_in(one.wires)
        if modules:
            # Without a time: the domain that made it says when it is over.
            yield _of(others, one.session_uid, one.pod_name, modules, "a task that is being started")


def _by_lost_attempts(modules: frozenset[str], others: Others, now: datetime) -> Iterator[HeldElsewhere]:
    pods: dict[str, list[PodView]] = {}
    for pod in others.pods:
        pods.setdefault(pod.session_uid, []).append(pod)
    for uid, session in others.sessions.items():
        if session.record is None or not may_claim(session, modules):
            continue
        for lost in lost_attempts(session.ref, session.record, pods.get(uid, ()), others.gone, now):
            held = modules_in(lost.wires)
            what = f"{lost.key.task} on {lost.key.target}, whose process may still run although its pod is gone,"
            if held:
                yield _of(others, uid, lost.holder, held, what, lost.until)


def _of(
    others: Others, uid: str, holder: str, modules: tuple[Wire, ...], what: str, until: datetime | None = None
) -> HeldElsewhere:
    session = others.sessions.get(uid)
    if session is None:
        return HeldElsewhere(holder, modules, what, None, until=until)
    chip = session.spec.chip if session.spec is not None else ""
    return HeldElsewhere(holder, modules, what, session.ref, chip, until)
