"""Reading manifests from files, with the refusals an API server would give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from kubecal.api.chip import Chip
from kubecal.api.model import API_VERSION, Metadata
from kubecal.api.sentences import sentences
from kubecal.api.session import CalibrationSession

__all__ = [
    "CalibrationSession",
    "Chip",
    "ManifestError",
    "Manifests",
    "Metadata",
    "load_manifests",
    "parse_manifest",
    "read_documents",
    "read_value",
    "with_plain_names",
]

_KINDS: dict[str, type[Chip] | type[CalibrationSession]] = {"Chip": Chip, "CalibrationSession": CalibrationSession}


class ManifestError(Exception):
    """A manifest that cannot be used; the message says what is wrong, where, and what to do."""


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
        If a file cannot be read, or describes something that a cluster would refuse. The message has a line for
        every mistake of a document.
    """
    chips: dict[tuple[str, str], Chip] = {}
    sessions: dict[tuple[str, str], CalibrationSession] = {}
    for file in files:
        for place, document in read_documents(file):
            parsed = parse_manifest(document, place)
            key = (parsed.metadata.namespace, parsed.metadata.name)
            if key in (chips if isinstance(parsed, Chip) else sessions):
                raise ManifestError(f"{place}: {parsed.kind} {parsed.metadata.name!r} is described twice: remove one")
            if isinstance(parsed, Chip):
                chips[key] = parsed
            else:
                sessions[key] = parsed
    return Manifests(tuple(chips.values()), tuple(sessions.values()))


def parse_manifest(document: object, place: str) -> Chip | CalibrationSession:
    """One document of a file; ``place`` says in messages which.

    Raises
    ------
    ManifestError
        If a cluster would refuse it.
    """
    if not isinstance(document, dict):
        raise ManifestError(f"{place}: is a {type(document).__name__}, not a mapping with apiVersion and kind")
    version, kind = document.get("apiVersion"), document.get("kind")
    if version != API_VERSION:
        raise ManifestError(f"{place}: apiVersion is {_shown(version)}: write {API_VERSION}")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ManifestError(f"{place}: kind is {_shown(kind)}: write Chip or CalibrationSession")
    try:
        return _KINDS[kind].model_validate(with_plain_names(document))
    except ValidationError as error:
        metadata = document.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, dict) else ""
        subject = f"{place}, {kind} {name}".rstrip()
        lines = [f"{subject}: {sentence}" for sentence in sentences(error, _KINDS[kind])]
        raise ManifestError("\n".join(lines)) from error


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)


def read_documents(file: Path) -> Iterator[tuple[str, object]]:
    """The documents of a YAML file, read as kubectl reads them, each with the place that messages name.

    Raises
    ------
    ManifestError
        If the file cannot be read, or is not YAML, or has the same key twice.
    """
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ManifestError(f"{file}: cannot be read ({error.strerror}): check the path") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: is not text in UTF-8: is it a manifest?") from error
    try:
        documents = list(yaml.load_all(text, _KubectlLoader))
    except yaml.YAMLError as error:
        raise ManifestError(f"{file}: {_yaml_problem(error)}") from error
    for number, document in enumerate(documents, 1):
        if document is not None:
            yield f"{file}, document {number}" if len(documents) > 1 else str(file), document


def read_value(text: str) -> object:
    """One value as a manifest would write it: ``4096``, ``"1 MHz"``, ``[1, 2]``, ``{start: 0, stop: 1, num: 11}``.

    Raises
    ------
    ManifestError
        If it is not YAML.
    """
    try:
        return yaml.load(text, _KubectlLoader)
    except yaml.YAMLError as error:
        raise ManifestError(f"{text!r} is not a value as a manifest writes it: correct it") from error


def _yaml_problem(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"is not YAML ({' '.join(str(error).split())}): correct it"
    mark = error.problem_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}"
    if isinstance(error, _RepeatedKey):
        return f"{where}: {error.problem}"
    return f"{where}: is not YAML ({error.problem}): correct it"


def with_plain_names(document: dict[str, Any]) -> dict[str, Any]:
    """Take ``tasks: [CheckT1]`` for ``tasks: [{task: CheckT1}]``, which a structural schema cannot."""
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return document
    changed = dict(spec)
    if isinstance(spec.get("steps"), list):
        changed["steps"] = [_with_objects(step) for step in spec["steps"]]
    if "parking" in spec:
        changed["parking"] = _with_objects(spec["parking"])
    return {**document, "spec": changed}


def _with_objects(holder: Any) -> Any:
    """A step, or parking, whose tasks are objects; Any: as read from the file."""
    if not isinstance(holder, dict) or not isinstance(holder.get("tasks"), list):
        return holder
    return {**holder, "tasks": [{"task": task} if isinstance(task, str) else task for task in holder["tasks"]]}


class _RepeatedKey(yaml.constructor.ConstructorError):
    """The same key twice in a mapping."""


class _KubectlLoader(yaml.SafeLoader):
    """Reads YAML as kubectl does, so that a file means the same on a laptop and on a cluster.

    Other than PyYAML it reads 1e-3 as a number and 2026-11-23 as text, and it refuses a repeated key, of which YAML
    would silently keep the last.
    """


_TIMESTAMP, _FLOAT = "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:float"
_KubectlLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_KubectlLoader.add_implicit_resolver(
    _FLOAT, re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"), list("-+.0123456789")
)


def _mapping(loader: _KubectlLoader, node: yaml.MappingNode) -> Iterator[dict[Any, Any]]:
    # What is merged in (<<) may be overridden; only the keys that are written out must differ.
    written = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    seen: set[Any] = set()
    for key_node in written:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise yaml.constructor.ConstructorError(None, None, "a key is no plain text", key_node.start_mark)
        if key in seen:
            raise _RepeatedKey(None, None, f"the key {key!r} stands twice: remove one", key_node.start_mark)
        seen.add(key)
    filled: dict[Any, Any] = {}
    yield filled
    filled.update(loader.construct_mapping(node))


_KubectlLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
