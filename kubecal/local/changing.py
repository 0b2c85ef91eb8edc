"""Changing the spec of a session that runs, with the refusals an API server would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubecal.api.manifests import ManifestError, parse_manifest
from kubecal.api.model import API_VERSION
from kubecal.api.session import CalibrationSession, SessionSpec
from kubecal.lab.lab import Change, RefusedError

_REFUSALS = {one["fieldPath"]: one["message"] for one in SessionSpec.transitions}
"""The CRD's own sentences, by the field that they are about."""


def changed_spec(name: str, spec: SessionSpec, change: Change) -> SessionSpec:
    """The spec with a change.

    Raises
    ------
    RefusedError
        If an API server would refuse it, in its words.
    """
    wanted: dict[str, Any] = {
        "cancel": change.cancel,
        "suspend": change.suspend,
        "open": change.open,
        "outcome": dict(change.outcome) if change.outcome is not None else None,
        "priority": change.priority,
        "note": change.note,
        "tags": list(change.tags) if change.tags is not None else None,
    }
    given = {field: value for field, value in wanted.items() if value is not None}
    before = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    steps = [*before["steps"], *map(dict, change.append_steps)]
    after = _parsed(name, {**before, **given, "steps": steps})
    _keep_promises(spec, after)
    return after


def _parsed(name: str, spec: Mapping[str, Any]) -> SessionSpec:
    """Any: a manifest's values."""
    document = {"apiVersion": API_VERSION, "kind": "CalibrationSession", "metadata": {"name": name}, "spec": spec}
    try:
        parsed = parse_manifest(document, "the change")
    except ManifestError as error:
        raise RefusedError(str(error)) from error
    assert isinstance(parsed, CalibrationSession)
    return parsed.spec


def _keep_promises(old: SessionSpec, new: SessionSpec) -> None:
    """What the transition rules of the CRD say in CEL of the fields that a change can name."""
    broken = {
        ".steps": len(new.steps) > len(old.steps) and not old.open,
        ".open": new.open and not old.open,
        ".outcome": old.outcome is not None and new.outcome != old.outcome,
        ".cancel": old.cancel and not new.cancel,
    }
    for field, is_broken in broken.items():
        if is_broken:
            raise RefusedError(_REFUSALS[field])


def said_of_ended(name: str, phase: str) -> str:
    """What a person is told who would change a session that is over."""
    return (
        f"session {name!r} has ended ({phase}): nothing of it changes any more; run it again with kubecal rerun {name}"
    )
