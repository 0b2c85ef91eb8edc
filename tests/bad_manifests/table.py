"""What the table is made of: good manifests, changes, and what is said of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
"""A manifest: any JSON."""

GONE = object()
"""As a value of a change: the field is removed."""


COUPLING = 'a coupling id is two qubit ids, control first, with a - between: write "0-1"'
EXECUTION = "write YYYYMMDD-NNN, like 20261123-004"
PARAMETER = "write the name of a parameter, like qubit_frequency"
QUBIT = 'a qubit id is a number without leading zeros, in quotes: write "0" or "12"'


def good_session() -> Document:
    """A session that is as it should be."""
    return {
        "apiVersion": "kubecal.io/v1alpha1",
        "kind": "CalibrationSession",
        "metadata": {"name": "morning"},
        "spec": {
            "chip": "fridge-a",
            "targets": {"qubits": ["0", "1"]},
            "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}, {"task": "CheckT2Echo"}]}],
        },
    }


def good_chip() -> Document:
    """A chip that is as it should be."""
    return {
        "apiVersion": "kubecal.io/v1alpha1",
        "kind": "Chip",
        "metadata": {"name": "fridge-a"},
        "spec": {
            "topology": {"squareLattice": {"rows": 2, "columns": 2, "muxSize": 4}},
            "backend": {"name": "fake"},
        },
    }


@dataclass(frozen=True)
class BadManifest:
    """A good manifest with changes, and what is said of it."""

    name: str
    kind: str
    changes: Mapping[str, object]
    """Values by path, like spec.steps.0.name."""
    place: str
    """Where the sentence says that the mistake is."""
    sentence: str
    server: str = ""
    """What an API server says, where it has words of its own; empty: the same sentence."""
    only_parser: bool = False
    """True: no API server can see it; the operator says the sentence in the conditions."""

    def document(self) -> Document:
        """The manifest."""
        return changed(good_chip() if self.kind == "Chip" else good_session(), self.changes)


def changed(document: Document, changes: Mapping[str, object]) -> Document:
    """A copy with other values at some paths."""
    result = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        node: Any = result
        for part in parents:
            node = node[part] if isinstance(part, int) else node.setdefault(part, {})
        if value is GONE:
            del node[last]
        else:
            node[last] = copy.deepcopy(value)
    return result


def bad_session(
    name: str, changes: Mapping[str, object], place: str, sentence: str, server: str = "", *, only_parser: bool = False
) -> BadManifest:
    """A row about a session."""
    return BadManifest(name, "CalibrationSession", changes, place, sentence, server, only_parser)


def bad_chip(
    name: str, changes: Mapping[str, object], place: str, sentence: str, server: str = "", *, only_parser: bool = False
) -> BadManifest:
    """A row about a chip."""
    return BadManifest(name, "Chip", changes, place, sentence, server, only_parser)


def only_step(**fields: object) -> Document:
    """The change that makes a step of other fields than tasks the only one."""
    return {"spec.steps.0": {"name": "nudge", **fields}}
