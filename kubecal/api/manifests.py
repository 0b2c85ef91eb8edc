"""Reading manifests from files, with the refusals an API server would give."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from kubecal.api.chip import ChipSpec, ChipStatus, Name
from kubecal.api.model import Model
from kubecal.api.session import SessionSpec, SessionStatus

API_VERSION = "kubecal.io/v1alpha1"


class ManifestError(Exception):
    """A manifest that cannot be used; the message says what is wrong, where, and what to do."""


class Metadata(BaseModel):
    """What of an object's metadata matters here; Kubernetes knows more fields."""

    name: Name
    namespace: str = ""


class Chip(Model):
    """A Chip manifest."""

    api_version: str = API_VERSION
    kind: str = "Chip"
    metadata: Metadata
    spec: ChipSpec
    status: ChipStatus = ChipStatus()


class CalibrationSession(Model):
    """A CalibrationSession manifest."""

    api_version: str = API_VERSION
    kind: str = "CalibrationSession"
    metadata: Metadata
    spec: SessionSpec
    status: SessionStatus = Field(default_factory=SessionStatus)


@dataclass(frozen=True)
class Manifests:
    """Everything some files describe."""

    chips: tuple[Chip, ...]
    sessions: tuple[CalibrationSession, ...]


def load_manifests(files: Sequence[Path]) -> Manifests:
    """Read Chips and CalibrationSessions from YAML files with any number of documents.

    Raises
    ------
    ManifestError
        If a file cannot be read, or describes something that a cluster would refuse.
    """
    chips: dict[str, Chip] = {}
    sessions: dict[str, CalibrationSession] = {}
    for file in files:
        for place, document in _documents(file):
            parsed = _parse(place, document)
            kept: dict[str, Any] = chips if isinstance(parsed, Chip) else sessions
            if parsed.metadata.name in kept:
                raise ManifestError(f"{place}: {parsed.kind} {parsed.metadata.name!r} is described twice: remove one")
            kept[parsed.metadata.name] = parsed
    return Manifests(tuple(chips.values()), tuple(sessions.values()))


def _documents(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ManifestError(f"{file}: cannot be read ({error.strerror}): check the path") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: is not text in UTF-8: is it a manifest?") from error
    try:
        for number, document in enumerate(yaml.load_all(text, _StrictLoader), 1):
            if document is None:
                continue
            place = f"{file}, document {number}"
            if not isinstance(document, dict):
                raise ManifestError(f"{place}: is a {type(document).__name__}, not a mapping with apiVersion and kind")
            yield place, document
    except yaml.YAMLError as error:
        raise ManifestError(f"{file}: is not YAML: {' '.join(str(error).split())}") from error


def _parse(place: str, document: dict[str, Any]) -> Chip | CalibrationSession:
    version, kind = document.get("apiVersion"), document.get("kind")
    models: dict[str, type[Chip] | type[CalibrationSession]] = {"Chip": Chip, "CalibrationSession": CalibrationSession}
    if version != API_VERSION:
        raise ManifestError(f"{place}: apiVersion is {version!r}: write {API_VERSION}")
    if kind not in models:
        raise ManifestError(f"{place}: kind is {kind!r}: write Chip or CalibrationSession")
    metadata = document.get("metadata")
    name = metadata.get("name", "without a name") if isinstance(metadata, dict) else "without metadata"
    try:
        return models[kind].model_validate(_with_plain_names(document))
    except ValidationError as error:
        sentences = [describe(one, models[kind]) for one in error.errors()]
        raise ManifestError("\n".join(f"{place}, {kind} {name}: {sentence}" for sentence in sentences)) from error


def _with_plain_names(document: dict[str, Any]) -> dict[str, Any]:
    """Take ``tasks: [CheckT1]`` for ``tasks: [{task: CheckT1}]``, which a structural schema cannot."""
    spec = document.get("spec")
    steps = spec.get("steps") if isinstance(spec, dict) else None
    if not isinstance(steps, list):
        return document
    changed = [
        {**step, "tasks": [{"task": task} if isinstance(task, str) else task for task in step["tasks"]]}
        if isinstance(step, dict) and isinstance(step.get("tasks"), list)
        else step
        for step in steps
    ]
    return {**document, "spec": {**document["spec"], "steps": changed}}


def describe(error: ErrorDetails, model: type[BaseModel]) -> str:
    """One validation error as ``spec.steps[0].tasks[1].timeoutSeconds: must be greater than or equal to 1``."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    if error["type"] == "extra_forbidden":
        known = _fields_at(model, error["loc"][:-1])
        near = difflib.get_close_matches(str(error["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        return f"{path}: there is no such field: {hint}"
    if error["type"] == "missing":
        return f"{path}: is required: add it"
    message = error["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(error["input"], dict | list | tuple | BaseModel) else f", not {error['input']!r}"
    if error["type"] == "value_error":
        return f"{path}: {message}"
    return f"{path}: {message[0].lower()}{message[1:]}{shown}"


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The names that are allowed at a place of a model."""
    current: Any = model
    for part in path:
        if isinstance(part, int) or not isinstance(current, type) or not issubclass(current, BaseModel):
            continue
        field = next((f for n, f in current.model_fields.items() if part in (n, f.alias)), None)
        current = _model_in(field.annotation) if field is not None else None
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [field.alias or name for name, field in current.model_fields.items()]
    return []


def _model_in(annotation: Any) -> Any:
    """The model class within an annotation such as ``tuple[Step, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


class _StrictLoader(yaml.SafeLoader):
    """Refuses a mapping that says the same key twice, of which YAML would silently keep the last."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice: remove one", key_node.start_mark
            )
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
