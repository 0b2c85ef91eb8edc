"""Sessions that change what is recorded, as manifests: so that all that is written is declared, wherever it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from kubecal.api.manifests import ManifestError
from kubecal.api.model import API_VERSION, Metadata
from kubecal.api.sentences import sentences
from kubecal.api.session import CalibrationSession
from kubecal.lab.given import GivenValues

Manifest = Mapping[str, Any]
"""Any: manifest values."""
_WHOLE_CHIP: Manifest = {"chip": True}


@dataclass(frozen=True)
class Signed:
    """Who does it, and what they say about it."""

    username: str = ""
    note: str = ""
    tags: Sequence[str] = ()


_NOBODY = Signed()


def set_session(chip: str, values: GivenValues, signed: Signed = _NOBODY) -> CalibrationSession:
    """Values by hand become the chip's current parameters."""
    return session_of("set", chip, {"set": values}, signed)


def revert_session(chip: str, execution_id: str, signed: Signed = _NOBODY) -> CalibrationSession:
    """What an execution published is taken back."""
    return session_of("revert", chip, {"revert": {"executionId": execution_id}}, signed)


def publish_session(
    chip: str,
    execution_id: str,
    targets: Sequence[str] = (),
    parameters: Sequence[str] = (),
    signed: Signed = _NOBODY,
) -> CalibrationSession:
    """Accepted results of an execution become the chip's current parameters; all of them, or some."""
    wanted = {"executionId": execution_id, "targets": list(targets), "parameters": list(parameters)}
    return session_of("publish", chip, {"publish": wanted}, signed)


def exclude_session(
    chip: str, task_ids: Sequence[str], reason: str = "", *, undo: bool = False, signed: Signed = _NOBODY
) -> CalibrationSession:
    """Results are taken out of statistics and filters, or back in."""
    wanted = {"taskIds": list(task_ids), "reason": reason, "undo": undo}
    return session_of("exclude", chip, {"exclude": wanted}, signed)


def reanalyse_session(
    chip: str,
    execution_id: str,
    tasks: Sequence[str] = (),
    targets: Sequence[str] = (),
    *,
    publish: bool = False,
    signed: Signed = _NOBODY,
) -> CalibrationSession:
    """Raw data of an execution is analysed anew with the present code; of all tasks and targets, or of some."""
    wanted = {"executionId": execution_id, "tasks": list(tasks), "publish": publish}
    return session_of("reanalyse", chip, {"reanalyse": wanted}, signed, targets_of(targets) or _WHOLE_CHIP)


def targets_of(ids: Sequence[str]) -> Manifest:
    """Session targets that are these qubits, or these couplings; empty where there are none.

    Raises
    ------
    ManifestError
        If they are some of each: one session is about one kind.
    """
    couplings = [one for one in ids if "-" in one]
    if couplings and len(couplings) < len(ids):
        raise ManifestError("qubits and couplings cannot be chosen together here: give one kind")
    if couplings:
        return {"couplings": {"ids": couplings}}
    return {"qubits": list(ids)} if ids else {}


def session_of(
    name: str, chip: str, step: Manifest, signed: Signed = _NOBODY, targets: Manifest = _WHOLE_CHIP
) -> CalibrationSession:
    """A session of one step, without a name of its own: the lab gives it one that is free.

    Raises
    ------
    ManifestError
        If a cluster would refuse it.
    """
    spec = {"chip": chip, "targets": targets, "steps": [{"name": name, **step}], "flowName": name}
    return nameless({**spec, "username": signed.username, "note": signed.note, "tags": list(signed.tags)})


def nameless(spec: Manifest) -> CalibrationSession:
    """A session of this spec, without a name.

    Raises
    ------
    ManifestError
        If a cluster would refuse it; a line for every reason.
    """
    manifest = {"apiVersion": API_VERSION, "kind": "CalibrationSession", "metadata": {"name": "new"}, "spec": spec}
    try:
        session = CalibrationSession.model_validate(manifest)
    except ValidationError as error:
        raise ManifestError("\n".join(sentences(error, CalibrationSession))) from error
    # The name that every manifest has to have is given by the lab, which knows those that are taken.
    return session.model_copy(update={"metadata": Metadata.model_construct(name="", namespace="")})


def named(session: CalibrationSession, name: str, namespace: str = "") -> CalibrationSession:
    """The session with this name.

    Raises
    ------
    ManifestError
        If a cluster would refuse the name.
    """
    try:
        metadata = Metadata(name=name, namespace=namespace)
        return CalibrationSession.model_validate({**session.model_dump(by_alias=True), "metadata": metadata})
    except ValidationError as error:
        raise ManifestError(f"the name {name!r}: {sentences(error, CalibrationSession)[0]}") from error


def written(session: CalibrationSession) -> dict[str, Any]:
    """As a file would hold it: without status, and without what is as it is by default."""
    body: dict[str, Any] = session.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"status"}, exclude_none=True
    )
    return {"apiVersion": API_VERSION, "kind": "CalibrationSession", **body}
