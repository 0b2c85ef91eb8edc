"""Raw objects as the engine sees them: trimmed, frozen, parsed once.

What a pod or a person wrote is untrusted: an object that does not parse becomes a view that says so, or, for
a pod that is not ours in form, none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.request import parse_termination_message
from kubecal.api.sentences import sentences
from kubecal.api.session import SessionSpec
from kubecal.api.session_status import SessionStatus
from kubecal.api.wires import Wire, wires_from_json
from kubecal.engine.model import ChipView, PodView, SessionRef, SessionView, Terminated, task_key
from kubecal_operator import names

Json = Mapping[str, Any]
"""A Kubernetes object; Any: any JSON."""

_WIRES_KEPT = 16_384
"""Claims that are remembered: the pods of one qubit have the same, and each is looked at at every change."""
_PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_CONFIG_REASONS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")


def parse_time(text: str | None) -> datetime | None:
    """A timestamp of Kubernetes."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def version_of(body: Json) -> int:
    """Its resourceVersion: a greater one is newer."""
    return int(body["metadata"]["resourceVersion"])


def chip_view(body: Json, known: ChipView | None = None) -> ChipView:
    """A Chip as observed.

    Parameters
    ----------
    known
        The view before: a spec that has not changed is neither parsed nor kept twice.
    """
    meta = body["metadata"]
    generation = meta.get("generation", 1)
    if known is not None and (known.uid, known.generation) == (meta["uid"], generation):
        spec, problem = known.spec, known.spec_problem
    else:
        spec, problem = _chip_spec(body)
    return ChipView(
        uid=meta["uid"],
        namespace=meta["namespace"],
        name=meta["name"],
        generation=generation,
        resource_version=meta["resourceVersion"],
        spec=spec,
        status=_chip_status(body.get("status")),
        spec_problem=problem,
        deleted=meta.get("deletionTimestamp") is not None,
        created_at=parse_time(meta.get("creationTimestamp")),
    )


def session_view(body: Json, known: SessionView | None = None) -> SessionView:
    """A CalibrationSession as observed; its record is joined later.

    Parameters
    ----------
    known
        The view before: a spec that has not changed is neither parsed nor kept twice.
    """
    meta = body["metadata"]
    generation = meta.get("generation", 1)
    if known is not None and (known.ref.uid, known.generation) == (meta["uid"], generation):
        spec, problem = known.spec, known.spec_problem
    else:
        spec, problem = _session_spec(body)
    created = parse_time(meta["creationTimestamp"])
    return SessionView(
        ref=SessionRef(uid=meta["uid"], namespace=meta["namespace"], name=meta["name"]),
        created_at=created or datetime.now(UTC),
        generation=generation,
        spec=spec,
        status=_session_status(body.get("status")),
        finalized=names.FINALIZER in meta.get("finalizers", ()),
        deleted_at=parse_time(meta.get("deletionTimestamp")),
        spec_problem=problem,
        record_known=False,
    )


def hardware_of(body: Json) -> str:
    """The lock domain a pod's annotation names."""
    return str(body["metadata"].get("annotations", {}).get(names.ANNOTATION_HARDWARE, ""))


def pod_view(body: Json, now: datetime, known: PodView | None = None) -> PodView | None:
    """A task pod as observed; None if its annotations are not those of a task pod.

    Parameters
    ----------
    now
        When it was seen: what counts for a terminated container, since nodes' clocks are not to be trusted.
    known
        The view before, whose ``seen_at`` stays.
    """
    meta, status = body["metadata"], body.get("status", {})
    annotations = meta.get("annotations", {})
    try:
        attempt = json.loads(annotations[names.ANNOTATION_ATTEMPT])
        key = task_key(attempt["step"], attempt["task"], attempt["target"], int(attempt["ordinal"]))
        number = int(attempt["attempt"])
        wires = _wires(annotations.get(names.ANNOTATION_WIRES, "[]"))
    except (KeyError, TypeError, ValueError):
        return None
    container: Json = next(iter(status.get("containerStatuses", ())), {})
    state = container.get("state", {})
    terminated = _terminated(state.get("terminated"), now, known)
    running = state.get("running") or {}
    blocked_reason, blocked_message = _blocked(status, state.get("waiting"))
    return PodView(
        uid=meta["uid"],
        name=meta["name"],
        namespace=meta["namespace"],
        session_uid=meta.get("labels", {}).get(names.LABEL_SESSION_UID, ""),
        key=key,
        attempt=number,
        wires=wires,
        created_at=parse_time(meta["creationTimestamp"]) or now,
        phase=status.get("phase", "Pending"),
        node=body.get("spec", {}).get("nodeName", ""),
        started_at=parse_time(running.get("startedAt") or (state.get("terminated") or {}).get("startedAt")),
        terminated=terminated,
        deleting_since=parse_time(meta.get("deletionTimestamp")),
        grace_s=body.get("spec", {}).get("terminationGracePeriodSeconds", 30),
        deadline_exceeded=status.get("reason") == "DeadlineExceeded",
        disruption=_disruption(status),
        blocked_reason="" if terminated else blocked_reason,
        blocked_message="" if terminated else blocked_message,
        released=annotations.get(names.ANNOTATION_RELEASED) == "true",
    )


@lru_cache(maxsize=_WIRES_KEPT)
def _wires(text: str) -> tuple[Wire, ...]:
    return wires_from_json(text)


def _terminated(state: Json | None, now: datetime, known: PodView | None) -> Terminated | None:
    if not state:
        return None
    seen_at = known.terminated.seen_at if known is not None and known.terminated is not None else now
    return Terminated(
        exit_code=int(state.get("exitCode", 1)),
        signal=int(state.get("signal", 0)),
        reason=state.get("reason", ""),
        outcome=parse_termination_message(state.get("message", "")),
        finished_at=parse_time(state.get("finishedAt")),
        seen_at=seen_at,
    )


def _disruption(status: Json) -> str:
    for condition in status.get("conditions", ()):
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            return str(condition.get("reason", "Disrupted"))
    return "Evicted" if status.get("reason") == "Evicted" else ""


def _blocked(status: Json, waiting: Json | None) -> tuple[str, str]:
    """Why a pod does not start, as far as its own status tells."""
    for condition in status.get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return "Unschedulable", str(condition.get("message", condition.get("reason", "")))
    reason = (waiting or {}).get("reason", "")
    if reason in _PULL_REASONS:
        return "ImagePull", f"{reason}: {(waiting or {}).get('message', '')}"
    if reason in _CONFIG_REASONS:
        return "MountFailed", f"{reason}: {(waiting or {}).get('message', '')}"
    if status.get("phase") == "Failed" and status.get("message"):
        return "", f"{status.get('reason', '')}: {status['message']}"
    return "", ""


def _chip_spec(body: Json) -> tuple[ChipSpec | None, str]:
    try:
        return ChipSpec.model_validate(_plain(body.get("spec", {}))), ""
    except ValidationError as error:
        return None, _sentences(error, ChipSpec)


def _session_spec(body: Json) -> tuple[SessionSpec | None, str]:
    try:
        return SessionSpec.model_validate(_plain(body.get("spec", {}))), ""
    except ValidationError as error:
        return None, _sentences(error, SessionSpec)


def _chip_status(body: Json | None) -> ChipStatus:
    try:
        return ChipStatus.model_validate(_plain(body or {}))
    except ValidationError:
        # Somebody wrote into it by hand: what we cannot read we write anew.
        return ChipStatus()


def _session_status(body: Json | None) -> SessionStatus:
    try:
        return SessionStatus.model_validate(_plain(body or {}))
    except ValidationError:
        return SessionStatus()


def _sentences(error: ValidationError, model: type[ChipSpec] | type[SessionSpec]) -> str:
    return "; ".join(sentences(error, model, "spec")[:5])


def _plain(value: Any) -> Any:
    """Plain dicts and lists of kopf's read-only views."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
