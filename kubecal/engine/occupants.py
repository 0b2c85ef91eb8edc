"""Who holds a wire, in words: a task of a session where that is known, else a pod."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from kubecal.engine.draft import Draft
from kubecal.engine.intents import CreatePod
from kubecal.engine.lost import Lost
from kubecal.engine.model import HeldElsewhere, Observed, PodView, SessionRef


@dataclass(frozen=True)
class Occupant:
    """One holder of wires."""

    words: str
    until: datetime | None = None
    """When it lets go by itself."""


class Occupants:
    """All holders of one pass, looked up by the name under which they hold: their pod's."""

    def __init__(self, observed: Observed, lost: Mapping[str, Sequence[Lost]], draft: Draft) -> None:
        self._observed, self._lost, self._draft = observed, lost, draft

    def called(self, holder: str, asking: SessionRef) -> Occupant:
        """What to tell a session of whoever holds a wire under this name."""
        pod = self._pods.get(holder)
        if pod is not None:
            text = self._task(pod.session_uid, pod.key.task, pod.key.target, asking)
            if pod.node_lost:
                text += f", whose node {pod.node} does not answer"
            elif pod.deleting_since is not None:
                text += ", whose pod is stopping"
            return Occupant(text)
        created = next((one for one in self._draft.drafted("creates") if _is(one, holder)), None)
        if isinstance(created, CreatePod):
            key = created.planned.key
            return Occupant(self._task(created.ref.uid, key.task, key.target, asking))
        for uid, each in self._lost.items():
            for lost in each:
                if lost.holder == holder:
                    text = self._task(uid, lost.key.task, lost.key.target, asking)
                    return Occupant(f"{text}, whose process may still run although its pod is gone", lost.until)
        other = next((one for one in self._observed.elsewhere if one.holder == holder), None)
        if other is not None:
            return Occupant(_elsewhere(other, asking), other.until)
        return Occupant(f"pod {holder}, of which it is not known yet whether it exists")

    @cached_property
    def _pods(self) -> Mapping[str, PodView]:
        return {pod.name: pod for pod in self._observed.pods}

    @cached_property
    def _sessions(self) -> Mapping[str, SessionRef]:
        return {session.ref.uid: session.ref for session in self._observed.sessions}

    def _task(self, uid: str, task: str, target: str, asking: SessionRef) -> str:
        text = f"{task} on {target}"
        if uid == asking.uid:
            return text
        ref = self._sessions.get(uid)
        if ref is None:
            return f"{text} of a session that is gone"
        return f"{text} of session {ref.name}{_in_namespace(ref, asking)}"


def _elsewhere(other: HeldElsewhere, asking: SessionRef) -> str:
    """Its session may have the name of one of ours, so its chip is named as well."""
    if other.session is None:
        return f"{other.what} of a session that is gone"
    chip = f" on chip {other.chip}" if other.chip else ""
    return f"{other.what} of session {other.session.name}{chip}{_in_namespace(other.session, asking)}"


def _in_namespace(ref: SessionRef, asking: SessionRef) -> str:
    return f" in namespace {ref.namespace}" if ref.namespace != asking.namespace else ""


def _is(intent: object, holder: str) -> bool:
    return isinstance(intent, CreatePod) and intent.pod_name == holder
