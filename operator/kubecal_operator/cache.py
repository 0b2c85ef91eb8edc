"""What the operator knows: frozen views of everything it serves, and what it did itself.

Watches write here, and so do our own writes at once, so that the next pass never decides on what it has already
changed. News come from several sides and overtake each other: only a newer version of an object replaces an older
one, and what is gone stays gone. Nothing in here is the truth: all of it can be read again, and after a restart it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from kubecal.api.chip import ParameterCounts
from kubecal.engine.elsewhere import may_claim, wired_to
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import (
    AttemptRow,
    ChipView,
    CreateBlocked,
    PlanFacts,
    PodView,
    RecordsHealth,
    Reservation,
    SessionRecord,
    SessionView,
    TaskKey,
)
from kubecal_operator.modules import ModuleHolders

_GONE_KEPT = timedelta(minutes=10)
_SILENT = RecordsHealth(available=False, reason="Unreachable", message="MongoDB has not been asked yet")


@dataclass
class Cache:
    """Everything the operator has seen."""

    chips: dict[tuple[str, str], ChipView] = field(default_factory=dict)
    sessions: dict[str, SessionView] = field(default_factory=dict)
    pods: dict[tuple[str, str], PodView] = field(default_factory=dict)
    hardware: dict[str, str] = field(default_factory=dict)
    """The lock domain of each pod, by its uid."""
    places: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """Where each domain's pods stand in ``pods``, by uid: a pass does not look at those of others."""
    modules: ModuleHolders = field(default_factory=ModuleHolders)
    ended: dict[str, dict[str, PodView]] = field(default_factory=dict)
    """Pods of each domain whose end was seen before their object went, by uid: kept until their record is final.

    What such a pod said still counts. Without it its process would be taken for one that may go on unseen.
    """
    lost_nodes: frozenset[str] = frozenset()
    """Nodes that do not answer."""
    released_nodes: frozenset[str] = frozenset()
    """Nodes with the out-of-service taint."""
    mount_failures: dict[str, str] = field(default_factory=dict)
    """What the kubelet's Events say of pods that do not start, by the pod's uid."""
    reservations: dict[str, Reservation] = field(default_factory=dict)
    rejected: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(session uid, the server's refusal) of pods it will never take, by the pod's name."""
    blocked: dict[str, CreateBlocked] = field(default_factory=dict)
    terminating: set[str] = field(default_factory=set)
    """Uids of sessions whose namespace is being deleted."""
    gone: dict[str, datetime] = field(default_factory=dict)
    health: RecordsHealth = _SILENT
    unwritten: dict[str, RecordsHealth] = field(default_factory=dict)
    """Domains of which something could not be recorded in their last pass, and why."""
    local_holders: Mapping[str, str] = field(default_factory=dict)
    parameters: dict[str, ParameterCounts] = field(default_factory=dict)
    """What each chip's published parameters are worth, by the chip's uid."""
    versions: dict[str, int] = field(default_factory=dict)
    """Newest resourceVersion that was taken in of each object, by its uid."""
    _tombstones: dict[str, datetime] = field(default_factory=dict)
    """Uids of objects that are gone, and since when: late news of them are not to bring them back."""

    # ------------------------------------------------------------------ lock domains

    def domain_of_chip(self, chip: ChipView) -> str:
        """The hardware a chip is; one that does not parse is a domain of its own."""
        hardware = chip.spec.hardware_id if chip.spec is not None else ""
        return hardware or f"{chip.namespace}/{chip.name}"

    def domain_of_session(self, session: SessionView) -> str:
        """The hardware a session is about, also while its chip is missing."""
        record = session.record
        known = record.chip_name if record is not None else ""
        name = session.spec.chip if session.spec is not None else known or session.ref.name
        chip = self.chips.get((session.ref.namespace, name))
        if chip is not None:
            return self.domain_of_chip(chip)
        if record is not None and record.chip_spec.hardware_id:
            return record.chip_spec.hardware_id
        return f"{session.ref.namespace}/{name}"

    def domains(self) -> set[str]:
        """All there are."""
        return {self.domain_of_chip(chip) for chip in self.chips.values()} | {
            self.domain_of_session(session) for session in self.sessions.values()
        }

    def domains_on(self, modules: frozenset[str]) -> set[str]:
        """Those whose tasks may claim any of these modules."""
        chips = {self.domain_of_chip(chip) for chip in self.chips.values() if wired_to(chip, modules)}
        return chips | {self.domain_of_session(one) for one in self.sessions.values() if may_claim(one, modules)}

    def has_domain(self, domain: str) -> bool:
        """Whether anything is left of it."""
        return domain in self.domains() or domain in self.places

    def domain_of_pod(self, pod: PodView) -> str | None:
        """The domain whose wires the pod holds."""
        return self.hardware.get(pod.uid)

    # ------------------------------------------------------------------ what watches and our own writes say

    def knows(self, uid: str, version: int) -> bool:
        """Whether this state of an object is no news: asked before it is parsed, since most echoes our own writes."""
        return uid in self._tombstones or version <= self.versions.get(uid, 0)

    def _news(self, uid: str, version: int) -> bool:
        """Whether a state of an object is newer than what is known of it; if so it is known from now on."""
        if self.knows(uid, version):
            return False
        self.versions[uid] = version
        return True

    def _bury(self, uid: str) -> None:
        now = datetime.now(UTC)
        self.versions.pop(uid, None)
        _note(self._tombstones, uid, now)

    def put_chip(self, view: ChipView) -> bool:
        """A chip as the API server has it; whether that is news."""
        if not self._news(view.uid, int(view.resource_version)):
            return False
        self.chips[(view.namespace, view.name)] = view
        return True

    def drop_chip(self, namespace: str, name: str, uid: str) -> None:
        """The chip is gone."""
        self._bury(uid)
        known = self.chips.get((namespace, name))
        if known is not None and known.uid == uid:
            del self.chips[(namespace, name)]

    def put_session(self, view: SessionView, version: int) -> bool:
        """A session as the API server has it, with what we know of its record; whether that is news."""
        if not self._news(view.ref.uid, version):
            return False
        known = self.sessions.get(view.ref.uid)
        if known is not None:
            view = replace(
                view,
                record=known.record,
                record_known=known.record_known,
                refusal=known.refusal,
                facts=known.facts,
            )
        self.sessions[view.ref.uid] = view
        return True

    def drop_session(self, uid: str) -> None:
        """The session is gone, and with it what was said about its pods."""
        self._bury(uid)
        known = self.sessions.pop(uid, None)
        if known is not None and known.record is not None:
            # What it had lost is not known any more.
            self.modules.lets_go(wire for row in known.record.rows for wire in row.wires)
        self.blocked.pop(uid, None)
        self.terminating.discard(uid)
        self.rejected = {name: told for name, told in self.rejected.items() if told[0] != uid}

    def put_pod(self, view: PodView, hardware_id: str, version: int) -> bool:
        """A pod as the API server has it, and the hardware its annotation names; whether that is news."""
        if not self._news(view.uid, version):
            return False
        place = (view.namespace, view.name)
        before = self.pods.get(place)
        if before is not None:
            same = (before.uid, self.hardware[before.uid], before.wires) == (view.uid, hardware_id, view.wires)
            if not same:
                self._forget_pod(before)
        self.modules.put(view)
        self.pods[place] = view
        self.hardware[view.uid] = hardware_id
        self.places.setdefault(hardware_id, {})[view.uid] = place
        self.reservations.pop(view.name, None)
        self.gone.pop(view.name, None)
        return True

    def drop_pod(self, namespace: str, name: str, uid: str) -> None:
        """The API server has no such pod any more: its process has ended, or a person says so by force."""
        now = datetime.now(UTC)
        self._bury(uid)
        known = self.pods.get((namespace, name))
        if known is None or known.uid != uid:
            return
        del self.pods[(namespace, name)]
        if known.terminated is not None:
            self.ended.setdefault(self.hardware[uid], {})[uid] = known
        self._forget_pod(known)
        _note(self.gone, name, now)

    def _forget_pod(self, pod: PodView) -> None:
        """What is kept beside a pod's view."""
        self.modules.drop(pod)
        self.mount_failures.pop(pod.uid, None)
        domain = self.hardware.pop(pod.uid, "")
        places = self.places.get(domain, {})
        places.pop(pod.uid, None)
        if not places:
            self.places.pop(domain, None)

    def namespace_ends(self, namespace: str) -> None:
        """Everything in it is going to be deleted, its sessions too: they are as good as deleted now."""
        self.terminating |= {uid for uid, session in self.sessions.items() if session.ref.namespace == namespace}

    # ------------------------------------------------------------------ creates under way

    def reserve(self, creates: Iterable[CreatePod], until: datetime) -> tuple[Reservation, ...]:
        """Take the wires of pods that are going to be created."""
        made = tuple(Reservation(one.ref.uid, one.pod_name, one.planned.wires, until) for one in creates)
        self.reservations.update((one.pod_name, one) for one in made)
        return made

    def release(self, pod_name: str) -> None:
        """No such pod will be created: others may have its wires."""
        reservation = self.reservations.pop(pod_name, None)
        if reservation is not None:
            self.modules.lets_go(reservation.wires)

    # ------------------------------------------------------------------ what the records say

    def merge_rows(self, rows: Mapping[str, Iterable[AttemptRow]]) -> None:
        """Newer knowledge of some rows, by session uid."""
        for uid, changed in rows.items():
            session = self.sessions.get(uid)
            if session is None or session.record is None:
                continue
            by_key = {(row.key, row.attempt): row for row in session.record.rows}
            by_key.update({(row.key, row.attempt): row for row in changed})
            self.change_record(uid, rows=tuple(by_key.values()))
            # An attempt whose pod is gone holds its wires until its row says when they are free.
            ended = (row for row in changed if row.final and row.claimed_by not in self.hardware)
            self.modules.lets_go(wire for row in ended for wire in row.wires)

    def change_record(self, uid: str, **changes: object) -> None:
        """Fields of a session's record that we wrote."""
        session = self.sessions.get(uid)
        if session is not None and session.record is not None:
            record = replace(session.record, **changes)  # type: ignore[arg-type]
            self.sessions[uid] = replace(session, record=record)

    def put_records(self, uids: Iterable[str], records: Mapping[str, SessionRecord]) -> None:
        """What MongoDB holds of these sessions; those it has nothing of are known to have none."""
        for uid in uids:
            session = self.sessions.get(uid)
            if session is not None:
                record = self._sharing_its_chip(session, records.get(uid))
                self.sessions[uid] = replace(session, record=record, record_known=True)

    def _sharing_its_chip(self, session: SessionView, record: SessionRecord | None) -> SessionRecord | None:
        """A record's copy of a chip that has not changed since is the chip's own: hundreds of sessions wait for one."""
        name = session.spec.chip if session.spec is not None else ""
        chip = self.chips.get((session.ref.namespace, name))
        if record is None or chip is None or chip.spec is None or chip.spec != record.chip_spec:
            return record
        return replace(record, chip_spec=chip.spec)

    def put_facts(self, uid: str, facts: PlanFacts) -> None:
        """What was looked up for a session's plan."""
        if uid in self.sessions:
            self.sessions[uid] = replace(self.sessions[uid], facts=facts)

    def refuse(self, reasons: Mapping[str, str]) -> None:
        """Sessions, by uid, that cannot have the execution they ask for."""
        for uid, why in reasons.items():
            if uid in self.sessions:
                self.sessions[uid] = replace(self.sessions[uid], refusal=why)

    def forget_records(self) -> None:
        """Somebody else may have written them since they were read: read all again before anything is concluded."""
        for uid, session in self.sessions.items():
            self.sessions[uid] = replace(session, record=None, record_known=False)

    # ------------------------------------------------------------------ what a pass sees

    def pods_of(self, domain: str) -> tuple[PodView, ...]:
        """The pods of a domain: of its sessions, and orphans whose session is gone."""
        here = tuple(self.pod_at(place) for place in self.places.get(domain, {}).values())
        return (*here, *self._unsettled(domain)) if domain in self.ended else here

    def pod_at(self, place: tuple[str, str]) -> PodView:
        """The pod of this namespace and name, with what is known of its node."""
        return self._with_node(self.pods[place])

    def _unsettled(self, domain: str) -> Iterable[PodView]:
        """Those of the pods that have ended and are gone whose record is not final yet; the others are forgotten."""
        settled = {uid: self._settled(uid) for uid in {pod.session_uid for pod in self.ended[domain].values()}}
        kept = {
            uid: pod
            for uid, pod in self.ended.pop(domain).items()
            if pod.session_uid in self.sessions and (pod.key, pod.attempt) not in settled[pod.session_uid]
        }
        if kept:
            self.ended[domain] = kept
        return kept.values()

    def _settled(self, uid: str) -> Collection[tuple[TaskKey, int]]:
        """The session's attempts whose record is final, as far as it was read."""
        session = self.sessions.get(uid)
        rows = session.record.rows if session is not None and session.record is not None else ()
        return {(row.key, row.attempt) for row in rows if row.final}

    def _with_node(self, pod: PodView) -> PodView:
        changes: dict[str, object] = {}
        if pod.node in self.lost_nodes:
            changes["node_lost"] = True
        if pod.node in self.released_nodes:
            changes["released"] = True
        message = self.mount_failures.get(pod.uid)
        if message and pod.started_at is None and not pod.blocked_reason and pod.terminated is None:
            changes |= {"blocked_reason": "MountFailed", "blocked_message": message}
        return replace(pod, **changes) if changes else pod  # type: ignore[arg-type]


def _note(kept: dict[str, datetime], name: str, now: datetime) -> None:
    """Write down when something went, and forget what went long ago: the oldest stand first."""
    for old in list(takewhile(lambda one: kept[one] <= now - _GONE_KEPT, kept)):
        del kept[old]
    kept.pop(name, None)
    kept[name] = now
