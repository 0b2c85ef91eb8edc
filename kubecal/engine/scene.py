"""One observation, indexed for the policies that decide on it, and the decision they draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.session import Retry, SessionSpec
from kubecal.engine.attempts import live
from kubecal.engine.catalogues import Catalogues, remedy
from kubecal.engine.chips import taken_keys
from kubecal.engine.claims import HeldWires
from kubecal.engine.draft import Draft
from kubecal.engine.lost import Lost, lost_attempts
from kubecal.engine.model import (
    ChipView,
    Observed,
    Plan,
    PodView,
    SessionRecord,
    SessionView,
)
from kubecal.engine.occupants import Occupants
from kubecal.engine.pinning import changed, pins
from kubecal.engine.planning import plan_of, problems_of
from kubecal.engine.queue import Held, valid_holders
from kubecal.engine.running import Running
from kubecal.engine.states import TaskStates
from kubecal.engine.status import Standing


class Scene:
    """What one pass sees of a lock domain."""

    def __init__(self, observed: Observed) -> None:
        self.observed = observed
        self.now = observed.now
        self.draft = Draft()
        self._built_in = Catalogues(observed.catalogue)
        self.pods = _pods_by_session(observed)
        self.chips = {(chip.namespace, chip.name): chip for chip in observed.chips if not chip.deleted}
        self.chip_problems = _chip_problems(observed)
        self.holders = _holders(observed, self.pods)
        self.lost = _lost_attempts(observed, self.pods)
        self.occupants = Occupants(observed, self.lost, self.draft)
        self.held = _held_wires(observed, self.lost, self.draft)
        self.standings: dict[str, Standing] = {}
        """What is said of each session, by its uid; filled while they are looked at."""
        self.waiting: list[Running] = []
        """Sessions that want the hardware; filled while sessions are looked at."""
        self.released: set[str] = set()
        """Uids of sessions that come to their end in this pass."""

    @property
    def creates_nothing(self) -> bool:
        """Whether no pod is made in this pass, whatever is its turn."""
        return not self.observed.records.available or not self.observed.may_create

    def catalogues(self, chip: ChipSpec, namespace: str) -> Catalogues:
        """The catalogues of a chip's images."""
        images = chip.pods.images
        if not images:
            return self._built_in
        missing = "there is no ConfigMap {} in namespace {} yet, which is to hold its catalogue: {}"
        return Catalogues(
            self.observed.catalogue,
            {
                one.name: self.observed.images.get((namespace, one.catalogue))
                or missing.format(one.catalogue, namespace, remedy(one.catalogue))
                for one in images
            },
        )

    def changed(self, record: SessionRecord, namespace: str) -> str:
        """Why the session's plan cannot be made any more, or not now; empty: it can."""
        return changed(record, self.catalogues(record.chip_spec, namespace))

    def pods_of(self, session: SessionView) -> tuple[PodView, ...]:
        """The session's pods."""
        return self.pods.get(session.ref.uid, ())

    def holder(self, session: SessionView) -> Held | None:
        """The entry that says that the session holds the hardware."""
        return next((held for held in self.holders if held.holder.uid == session.ref.uid), None)

    def since(self, session: SessionView) -> datetime:
        """When it first held the chip."""
        held = self.holder(session)
        return session.status.started_at or (held.holder.since if held is not None else self.now)

    def chip_of(self, session: SessionView, spec: SessionSpec, record: SessionRecord) -> ChipView:
        """The chip, or when it is gone what the record remembers of it."""
        place = (session.ref.namespace, spec.chip)
        chip = self.chips.get(place)
        if chip is None:
            chip = next((one for one in self.observed.chips if (one.namespace, one.name) == place), None)
        if chip is not None:
            return chip
        return ChipView(
            uid="",
            namespace=session.ref.namespace,
            name=spec.chip,
            generation=record.chip_generation,
            resource_version="",
            spec=record.chip_spec,
            status=ChipStatus(),
            deleted=True,
        )

    def as_admitted(self, record: SessionRecord, chip: ChipView) -> ChipView:
        """The chip as the session's record has it."""
        return replace(chip, spec=record.chip_spec, generation=record.chip_generation)

    def running(
        self,
        session: SessionView,
        spec: SessionSpec,
        record: SessionRecord,
        chip: ChipView,
        *,
        retry: Retry | None = None,
    ) -> Running:
        """The session with its plan as it was admitted, and where every task of it stands.

        Without ``retry`` no verdict is measured again: the session is not on its way any more.
        """
        why = self.changed(record, chip.namespace)
        catalogues = self.catalogues(record.chip_spec, chip.namespace)
        plan = Plan(tasks=(), chains={}, problems=(why,))
        if not why:
            plan, _ = plan_of(session, spec, self.as_admitted(record, chip), catalogues)
        planned = plan.by_key
        # Images of appended steps are pinned when the rows of those are written.
        pinned = pins(plan, record.chip_spec, catalogues)
        if pinned.keys() - record.images.keys():
            record = replace(record, images={**pinned, **record.images})
        pods = self.pods_of(session)
        states = TaskStates(self.observed, session.ref, spec, record, pods, planned)
        parks = {task.key for task in plan.parking}
        # A catalogue that no longer fits has no plan; what is on record can still be brought to an end.
        fits = not plan.problems or (record.was_open and bool(plan.invalid))
        keys = [task.key for task in plan.tasks] if fits else [key for key in states.on_record if key not in parks]
        # When its time is over, what parking was judged stands: it would else wait for ever to be measured again.
        since = session.status.parking_since
        in_time = since is None or since + timedelta(seconds=plan.parking_s) > self.now
        parks_again = spec.retry if in_time else None
        return Running(
            session,
            spec,
            record,
            chip,
            plan,
            planned,
            {key: states.of(key, retry) for key in keys},
            pods,
            self.observed,
            {task.key: states.of(task.key, parks_again) for task in plan.parking},
            self.lost.get(session.ref.uid, ()),
            why,
        )


def _pods_by_session(observed: Observed) -> Mapping[str, tuple[PodView, ...]]:
    found: dict[str, list[PodView]] = {}
    for pod in observed.pods:
        found.setdefault(pod.session_uid, []).append(pod)
    return {uid: tuple(pods) for uid, pods in found.items()}


def _chip_problems(observed: Observed) -> Mapping[str, str]:
    """Why chips are not valid, by their uid; empty: they are."""
    taken = taken_keys((*observed.chips, *observed.chips_elsewhere))
    return {
        chip.uid: chip.spec_problem or problems_of(chip, observed.catalogue) or taken.get(chip.uid, "")
        for chip in observed.chips
    }


def _holders(observed: Observed, pods: Mapping[str, tuple[PodView, ...]]) -> list[Held]:
    active = {
        session.ref.uid
        for session in observed.sessions
        if session.status.phase is None or not session.status.phase.final
    }
    return valid_holders(observed.chips, active.__contains__, lambda uid: any(map(live, pods.get(uid, ()))))


def _lost_attempts(observed: Observed, pods: Mapping[str, tuple[PodView, ...]]) -> Mapping[str, tuple[Lost, ...]]:
    return {
        session.ref.uid: tuple(
            lost_attempts(session.ref, session.record, pods.get(session.ref.uid, ()), observed.gone, observed.now)
        )
        for session in observed.sessions
        if session.record is not None
    }


def _held_wires(observed: Observed, lost_by_session: Mapping[str, tuple[Lost, ...]], draft: Draft) -> HeldWires:
    held = HeldWires()
    for pod in observed.pods:
        if live(pod):
            held.take(pod.name, pod.wires)
    for reservation in observed.reservations:
        held.take(reservation.pod_name, reservation.wires)
        draft.wake(reservation.until)
    for lost in (one for each in lost_by_session.values() for one in each):
        held.take(lost.holder, lost.wires)
        draft.wake(lost.until)
    for other in observed.elsewhere:
        held.take_elsewhere(other.holder, other.modules)
        draft.wake(other.until)
    return held
