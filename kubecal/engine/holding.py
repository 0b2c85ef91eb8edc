"""Giving the hardware to the head of the line, and writing down who holds it, who waits, and for whom.

Sessions whose wires are disjoint hold it side by side. Who waits reserves what it may ever need against those behind
it, so a big session is not passed by small ones for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubecal.api.chip import Holder, QueuedSession
from kubecal.api.explanation import Reason
from kubecal.api.session_status import Phase, WaitingFor
from kubecal.engine.conditions import merged
from kubecal.engine.intents import HoldersUpdate
from kubecal.engine.model import ChipView, SessionRef
from kubecal.engine.planning import reach_of_plan
from kubecal.engine.queue import in_line, shown_queue
from kubecal.engine.reach import EVERYTHING, Reach
from kubecal.engine.running import Running
from kubecal.engine.scene import Scene
from kubecal.engine.showing import show, standing_of, stored
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import chip_held, valid
from kubecal.engine.why import records_unavailable


@dataclass(frozen=True)
class _Claim:
    """Who holds hardware, or reserves it from a place further ahead in the line."""

    namespace: str
    session: str
    reach: Reach
    holds: bool

    def called(self, asking: SessionRef) -> str:
        """What a session calls it: one of another namespace may have the name of one of its own."""
        return self.session if self.namespace == asking.namespace else f"{self.namespace}/{self.session}"


@dataclass(frozen=True)
class _Obstacle:
    """Why a session does not get its hardware."""

    reason: str
    message: str
    session: str = ""
    """Whom it waits for."""


def hand_out(scene: Scene) -> None:
    """Update the status of every chip and of those who wait; to be called when all sessions have been looked at."""
    keep = [held for held in scene.holders if held.holder.uid not in scene.released]
    claims = [
        _Claim(held.chip.namespace, held.holder.session, _reach_of_holder(scene, held.holder), True) for held in keep
    ]
    runs = {run.session.ref.uid: run for run in scene.waiting}
    line = in_line([(run.session, run.chip) for run in scene.waiting], scene.now)
    chosen: set[str] = set()
    waits_for: dict[str, str] = {}
    for session, _ in line:
        run = runs[session.ref.uid]
        reach = _reach(scene, run)
        obstacle = _obstacle(scene, run, reach, claims)
        if obstacle is None:
            chosen.add(session.ref.uid)
        else:
            waits_for[session.ref.uid] = obstacle.session
        if obstacle is None or obstacle.session:
            claims.append(_Claim(session.ref.namespace, session.ref.name, reach, obstacle is None))
        _show_waiting(scene, run, obstacle or _Obstacle("Waiting", "waits for its turn"))
    may = scene.observed.records.available and not scene.released
    for chip in scene.observed.chips:
        holders = [held.holder for held in keep if held.chip.uid == chip.uid]
        mine = [runs[session.ref.uid] for session, its in line if its.uid == chip.uid and session.ref.uid in chosen]
        # Not in the pass in which hardware is let go: the end of the one before must be written first.
        holders += [_new_holder(scene, run) for run in mine if may]
        left = [pair for pair in line if pair[0].ref.uid not in chosen or not may]
        _show_chip(scene, chip, tuple(holders), shown_queue(chip, left, waits_for))


def _reach(scene: Scene, run: Running) -> Reach:
    if run.changed:
        return EVERYTHING
    chip = scene.as_admitted(run.record, run.chip)
    return reach_of_plan(run.session, run.spec, chip, scene.catalogues(run.record.chip_spec, chip.namespace))


def _reach_of_holder(scene: Scene, holder: Holder) -> Reach:
    """Of a session that is not known any more, but a pod of which may live, or that has no plan now: everything."""
    session = next((one for one in scene.observed.sessions if one.ref.uid == holder.uid), None)
    if session is None or session.spec is None or session.record is None:
        return EVERYTHING
    chip = scene.as_admitted(session.record, scene.chip_of(session, session.spec, session.record))
    if scene.changed(session.record, chip.namespace):
        return EVERYTHING
    catalogues = scene.catalogues(session.record.chip_spec, chip.namespace)
    return reach_of_plan(session, session.spec, chip, catalogues)


def _new_holder(scene: Scene, run: Running) -> Holder:
    ref = run.session.ref
    return Holder(uid=ref.uid, session=ref.name, scope=run.spec.lock.scope.value, since=scene.now)


def _obstacle(scene: Scene, run: Running, reach: Reach, claims: list[_Claim]) -> _Obstacle | None:
    """Why it does not get its hardware now; None: it does."""
    if run.chip.spec is None or run.chip.spec.maintenance:
        return _Obstacle("Maintenance", f"chip {run.chip.name!r} is in maintenance: nothing new starts")
    for claim in claims:
        where = reach.meets(claim.reach)
        called = claim.called(run.session.ref)
        if where and claim.holds:
            return _Obstacle("Held", f"waits for session {called}, which holds {where}", called)
        if where:
            text = f"waits for session {called}, which is before it in the queue and needs {where}"
            return _Obstacle("Held", text, called)
    if reach and scene.observed.local_holder:
        return _Obstacle("HeldLocally", f"the instruments are held by {scene.observed.local_holder}")
    return None


def _show_waiting(scene: Scene, run: Running, obstacle: _Obstacle) -> None:
    session = run.session
    waiting_for = None
    if obstacle.session:
        known = session.status.waiting_for
        since = known.since if known is not None and known.session == obstacle.session else scene.now
        waiting_for = WaitingFor(session=obstacle.session, since=since)
    claims = (valid(), chip_held(False, obstacle.reason, obstacle.message), stored(scene))
    standing = standing_of(scene, run, Phase.QUEUED, obstacle.message, claims, _keeps_all(scene, run, obstacle))
    show(scene, session, replace(standing, waiting_for=waiting_for))


def _keeps_all(scene: Scene, run: Running, obstacle: _Obstacle) -> Hindrance:
    if not scene.observed.records.available:
        return records_unavailable(run)
    reason = Reason.MAINTENANCE if obstacle.reason == "Maintenance" else Reason.CHIP_HELD
    return Hindrance(reason, obstacle.message)


def _show_chip(scene: Scene, chip: ChipView, holders: tuple[Holder, ...], queue: tuple[QueuedSession, ...]) -> None:
    claims = (valid(scene.chip_problems[chip.uid]),)
    status = chip.status.model_copy(
        update={
            "observed_generation": chip.generation,
            "conditions": merged(chip.status.conditions, claims, scene.now, chip.generation),
            "holders": holders,
            "queue": queue,
            # Not counted yet by this driver: what the one before it wrote stands.
            "parameters": scene.observed.parameters.get(chip.uid, chip.status.parameters),
        }
    )
    if status != chip.status and not chip.deleted:
        scene.draft.add("holders", HoldersUpdate(chip, status))
