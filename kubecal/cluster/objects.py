"""Objects of the API server as the protocol's values, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from kubecal.api.chip import Chip
from kubecal.api.session import CalibrationSession
from kubecal.cluster.api import Json
from kubecal.lab.lab import Change, LabError, StandingChip, StandingSession

O = TypeVar("O", Chip, CalibrationSession)  # noqa: E741 - of objects
_STEM = 50
"""Characters of a made name before what the server adds: 63 are allowed."""


def standing_session(body: Json) -> StandingSession:
    """A CalibrationSession with where it stands."""
    meta = body["metadata"]
    session = _known(CalibrationSession, body)
    return StandingSession(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        created_at=datetime.fromisoformat(meta["creationTimestamp"]),
        session=session,
        status=session.status,
        deleting="deletionTimestamp" in meta,
    )


def standing_chip(body: Json) -> StandingChip:
    """A Chip with who holds it."""
    return StandingChip(body["metadata"]["name"], body["metadata"]["namespace"], _known(Chip, body))


def manifest(session: CalibrationSession, namespace: str) -> Json:
    """What is sent to create a session: what was given of its spec, and nothing that the server would fill in."""
    given = {"labels": dict(session.metadata.labels), "annotations": dict(session.metadata.annotations)}
    meta: Json = {"namespace": namespace, **{name: each for name, each in given.items() if each}}
    if session.metadata.name:
        meta["name"] = session.metadata.name
    else:
        stem = re.sub(r"[^a-z0-9]+", "-", session.spec.flow_name.lower()).strip("-")[:_STEM]
        meta["generateName"] = f"{stem or 'session'}-"
    spec = session.spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return {"apiVersion": session.api_version, "kind": session.kind, "metadata": meta, "spec": spec}


def patch(change: Change) -> list[Json]:
    """A change as a JSON patch."""
    fields: Mapping[str, Any] = {  # Any: manifest values
        "cancel": change.cancel,
        "suspend": change.suspend,
        "open": change.open,
        "outcome": dict(change.outcome) if change.outcome is not None else None,
        "priority": change.priority,
        "note": change.note,
        "tags": list(change.tags) if change.tags is not None else None,
    }
    appended: Sequence[Json] = [
        {"op": "add", "path": "/spec/steps/-", "value": dict(step)} for step in change.append_steps
    ]
    # Steps first: what is patched in the same breath may end what they are appended to.
    return [
        *appended,
        *(
            {"op": "add", "path": f"/spec/{name}", "value": value}
            for name, value in fields.items()
            if value is not None
        ),
    ]


def _known(kind: type[O], body: Json) -> O:
    """An object, without what a newer operator says and this version does not know.

    Raises
    ------
    LabError
        If it is not understood even so.
    """
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        strange = [one["loc"] for one in error.errors() if one["type"] == "extra_forbidden"]
    trimmed = _without(body, strange)
    try:
        return kind.model_validate(trimmed)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        what = f"{body.get('kind', 'an object')} {body.get('metadata', {}).get('name', '')!r}"
        raise LabError(f"{what} is not understood at {place}: use the cluster's version of kubecal") from error


def _without(body: Json, places: Sequence[tuple[int | str, ...]]) -> Json:
    """The same object without the fields at these places."""
    trimmed: Any = _copied(body)  # Any: JSON
    for place in places:
        at = trimmed
        for part in place[:-1]:
            at = at[part]
        at.pop(place[-1], None)
    result: Json = trimmed
    return result


def _copied(value: Any) -> Any:
    """Any: JSON."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
