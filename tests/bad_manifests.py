"""Manifests with one mistake each, and the sentence that tells a person what to change.

One table for two readers: `kubecal run` (unit tests) and a real API server (controller tests).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
"""A manifest: any JSON."""

GONE = object()
"""As a value of a change: the field is removed."""


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


def _session(
    name: str, changes: Mapping[str, object], place: str, sentence: str, server: str = "", *, only_parser: bool = False
) -> BadManifest:
    return BadManifest(name, "CalibrationSession", changes, place, sentence, server, only_parser)


def _chip(
    name: str, changes: Mapping[str, object], place: str, sentence: str, server: str = "", *, only_parser: bool = False
) -> BadManifest:
    return BadManifest(name, "Chip", changes, place, sentence, server, only_parser)


_ONE_TARGET = "give exactly one of qubits, muxes and all: nothing is never everything"
_QUBIT = 'a qubit id is a number without leading zeros, in quotes: write "0" or "12"'
_AMOUNT = "write an amount as Kubernetes does, like 2, 200m or 256Mi; with a point in quotes, like '0.5'"
_LABEL_VALUE = "a label's value has letters, digits, -, _ and ., and begins and ends with a letter or digit"

BAD_SESSIONS = (
    _session("no chip", {"spec.chip": GONE}, "spec.chip", "is required: add it", "spec.chip: Required value"),
    _session(
        "a chip's name in capitals",
        {"spec.chip": "Fridge-A"},
        "spec.chip",
        "write the name of an object: lower-case letters, digits, - and ., beginning and ending with a letter or digit",
    ),
    _session(
        "no targets", {"spec.targets": GONE}, "spec.targets", "is required: add it", "spec.targets: Required value"
    ),
    _session("empty targets", {"spec.targets": {}}, "spec.targets", _ONE_TARGET),
    _session("an empty list of qubits", {"spec.targets": {"qubits": []}}, "spec.targets", _ONE_TARGET),
    _session("two ways to name targets", {"spec.targets.all": True}, "spec.targets", _ONE_TARGET),
    _session("only what to exclude", {"spec.targets": {"exclude": {"qubits": ["1"]}}}, "spec.targets", _ONE_TARGET),
    _session("a step's empty targets", {"spec.steps.0.targets": {}}, "spec.steps[0].targets", _ONE_TARGET),
    _session("a qubit with a leading zero", {"spec.targets.qubits.0": "01"}, "spec.targets.qubits[0]", _QUBIT),
    _session("a qubit with a letter", {"spec.targets.qubits.0": "Q1"}, "spec.targets.qubits[0]", _QUBIT),
    _session(
        "a qubit without quotes",
        {"spec.targets.qubits.0": 1},
        "spec.targets.qubits[0]",
        "must be text: write it in quotes, not 1",
        "must be of type string",
    ),
    _session(
        "a qubit twice",
        {"spec.targets.qubits": ["0", "0"]},
        "spec.targets.qubits",
        'lists "0" twice: remove or rename one',
        'spec.targets.qubits[1]: Duplicate value: "0"',
    ),
    _session(
        "a MUX twice",
        {"spec.targets": {"muxes": [1, 1]}},
        "spec.targets.muxes",
        'lists "1" twice: remove or rename one',
        "spec.targets.muxes[1]: Duplicate value: 1",
    ),
    _session(
        "an excluded qubit twice",
        {"spec.targets.exclude": {"qubits": ["0", "0"]}},
        "spec.targets.exclude.qubits",
        'lists "0" twice: remove or rename one',
        'spec.targets.exclude.qubits[1]: Duplicate value: "0"',
    ),
    _session(
        "too many qubits",
        {"spec.targets.qubits": [str(number) for number in range(1025)]},
        "spec.targets.qubits",
        "must have at most 1024 entries, not 1025",
        "spec.targets.qubits: Too many: 1025: must have at most 1024 items",
    ),
    _session("no steps", {"spec.steps": GONE}, "spec.steps", "is required: add it", "spec.steps: Required value"),
    _session(
        "an empty list of steps",
        {"spec.steps": []},
        "spec.steps",
        "must have at least 1 entry",
        "should have at least 1 items",
    ),
    _session(
        "a step without tasks",
        {"spec.steps.0.tasks": []},
        "spec.steps[0]",
        "give either tasks or filter",
        "give either tasks or filter",
    ),
    _session(
        "a filter that asks for nothing",
        {"spec.steps.0": {"name": "good", "filter": {"onEmpty": "Stop"}}},
        "spec.steps[0].filter",
        "give either metric or status",
        "give either metric or status",
    ),
    _session(
        "a metric without a bound",
        {"spec.steps.0": {"name": "good", "filter": {"metric": "t1"}}},
        "spec.steps[0].filter",
        "give min or max: what must the metric be?",
        "give min or max: what must the metric be?",
    ),
    _session(
        "bounds the wrong way round",
        {"spec.steps.0": {"name": "good", "filter": {"metric": "t1", "min": 30, "max": 20}}},
        "spec.steps[0].filter",
        "min must not be above max: exchange or correct them",
        "min must not be above max: exchange or correct them",
    ),
    _session(
        "a filter of some targets",
        {"spec.steps.0": {"name": "good", "filter": {"status": "Succeeded"}, "barrier": True}},
        "spec.steps[0]",
        "a filter takes all targets as they come: remove targets and barrier",
        "a filter takes all targets as they come: remove targets and barrier",
    ),
    _session(
        "a step without a name",
        {"spec.steps.0.name": GONE},
        "spec.steps[0].name",
        "is required: add it",
        "spec.steps[0].name: Required value",
    ),
    _session(
        "a step's name in capitals",
        {"spec.steps.0.name": "Check"},
        "spec.steps[0].name",
        "write lower-case letters, digits and -, beginning and ending with a letter or digit",
    ),
    _session(
        "two steps of one name",
        {"spec.steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}] * 2},
        "spec.steps",
        'lists "check" twice: remove or rename one',
        "spec.steps[1]: Duplicate value",
    ),
    _session(
        "too many tasks in a step",
        {"spec.steps.0.tasks": [{"task": "CheckT1"}] * 65},
        "spec.steps[0].tasks",
        "must have at most 64 entries, not 65",
        "spec.steps[0].tasks: Too many: 65: must have at most 64 items",
    ),
    _session(
        "a task's name with a hyphen",
        {"spec.steps.0.tasks.0.task": "check-t1"},
        "spec.steps[0].tasks[0].task",
        "write the name of a task: letters and digits, like CheckT1",
    ),
    _session(
        "no time at all",
        {"spec.steps.0.tasks.0.timeoutSeconds": 0},
        "spec.steps[0].tasks[0].timeoutSeconds",
        "must be at least 1, not 0",
        "should be greater than or equal to 1",
    ),
    _session(
        "an R2 above one",
        {"spec.steps.0.tasks.0.r2Threshold": 1.5},
        "spec.steps[0].tasks[0].r2Threshold",
        "must be at most 1, not 1.5",
        "should be less than or equal to 1",
    ),
    _session(
        "a number as text",
        {"spec.steps.0.tasks.0.r2Threshold": "0.8"},
        "spec.steps[0].tasks[0].r2Threshold",
        "must be a number, not '0.8'",
        "must be of type number",
    ),
    _session(
        "a field that is misspelt",
        {"spec.steps.0.tasks.0.timeoutSecond": 5},
        "spec.steps[0].tasks[0]",
        "there is no field timeoutSecond: did you mean timeoutSeconds?",
        'unknown field "spec.steps[0].tasks[0].timeoutSecond"',
    ),
    _session(
        "a schedule that nobody knows",
        {"spec.steps.0.schedule": {"mode": "Mux"}},
        "spec.steps[0].schedule.mode",
        "must be Parallel, Isolated, MuxSerial or Serial, not 'Mux'",
        'Unsupported value: "Mux": supported values: "Parallel", "Isolated", "MuxSerial", "Serial"',
    ),
    _session(
        "a policy nobody knows",
        {"spec.onTargetFailure": "Stop"},
        "spec.onTargetFailure",
        "must be StopTarget, Continue or StopSession, not 'Stop'",
        'Unsupported value: "Stop": supported values: "StopTarget", "Continue", "StopSession"',
    ),
    _session(
        "a way to publish that comes later",
        {"spec.publish": "Review"},
        "spec.publish",
        "must be OnSuccess or Never, not 'Review'",
        'Unsupported value: "Review": supported values: "OnSuccess", "Never"',
    ),
    _session(
        "a verdict that another attempt cannot change",
        {"spec.retry": {"on": ["ok"]}},
        "spec.retry.on[0]",
        "must be hardware_error, no_signal, window or imprecise, not 'ok'",
        'Unsupported value: "ok": supported values: "hardware_error", "no_signal", "window", "imprecise"',
    ),
    _session(
        "more attempts than anybody needs",
        {"spec.retry": {"limit": 11}},
        "spec.retry.limit",
        "must be at most 10, not 11",
        "should be less than or equal to 10",
    ),
    _session(
        "an execution id of another form",
        {"spec.executionId": "2026-11-23"},
        "spec.executionId",
        "write YYYYMMDD-NNN, like 20261123-004",
        "write YYYYMMDD-NNN, like 20261123-004",
    ),
    _session(
        "a deadline below zero",
        {"spec.deadlines": {"sessionSeconds": -1}},
        "spec.deadlines.sessionSeconds",
        "must be at least 1, not -1",
        "should be greater than or equal to 1",
    ),
    _session(
        "a priority above all",
        {"spec.priority": 1001},
        "spec.priority",
        "must be at most 1000, not 1001",
        "should be less than or equal to 1000",
    ),
    _session(
        "a truth value in words",
        {"spec.cancel": "yes"},
        "spec.cancel",
        "must be true or false, not 'yes'",
        "must be of type boolean",
    ),
    _session(
        "a tag twice",
        {"spec.tags": ["nightly", "nightly"]},
        "spec.tags",
        'lists "nightly" twice: remove or rename one',
        'spec.tags[1]: Duplicate value: "nightly"',
    ),
    _session(
        "an empty tag",
        {"spec.tags": [""]},
        "spec.tags[0]",
        "must not be empty",
        'spec.tags[0]: Invalid value: "": spec.tags[0] in body should be at least 1 chars long',
    ),
    _session(
        "a note beyond 8 KiB",
        {"spec.note": "x" * 8193},
        "spec.note",
        "must have at most 8192 characters, not 8193",
        "may not be more than 8192",
    ),
    _session(
        "a name beyond 63 characters",
        {"metadata.name": "m" * 64},
        "",
        "metadata.name has more than 63 characters: shorten it, because it becomes a label",
    ),
    _session(
        "a name with an underscore",
        {"metadata.name": "morning_1"},
        "metadata.name",
        "write lower-case letters, digits, - and ., beginning and ending with a letter or digit",
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters",
    ),
    _session(
        "labels misspelt",
        {"metadata.lables": {"team": "a"}},
        "metadata",
        "there is no field lables: did you mean labels?",
        'unknown field "metadata.lables"',
    ),
    _session(
        "parameters for a task by a wrong name",
        {"spec.parameters": {"tasks": {"check-t1": {"shots": 5}}}},
        "spec.parameters.tasks.check-t1",
        "write the name of a task: letters and digits, like CheckT1",
    ),
    _session(
        "a field that comes later",
        {"spec.parking": {}},
        "spec",
        "there is no field parking: known are cancel, chip, deadlines, executionId, flowName, lock, note, "
        "onTargetFailure, parameters, priority, publish, retry, steps, suspend, suspendHoldSeconds, tags, targets, "
        "ttlSecondsAfterFinished, username",
        'unknown field "spec.parking"',
    ),
)

_LISTED = {"spec.topology": {"qubits": [{"id": "0", "x": 0, "y": 0, "mux": 0}, {"id": "1", "x": 1, "y": 0, "mux": 0}]}}

BAD_CHIPS = (
    _chip(
        "no topology", {"spec.topology": GONE}, "spec.topology", "is required: add it", "spec.topology: Required value"
    ),
    _chip(
        "an empty topology",
        {"spec.topology": {}},
        "spec.topology",
        "give either squareLattice or qubits (with couplings)",
    ),
    _chip(
        "a generator and a list",
        {"spec.topology.qubits": _LISTED["spec.topology"]["qubits"]},
        "spec.topology",
        "give either squareLattice or qubits (with couplings)",
    ),
    _chip(
        "couplings of a generator",
        {"spec.topology.couplings": [{"control": "0", "target": "1"}]},
        "spec.topology",
        "squareLattice makes its own couplings: remove couplings, or list qubits too",
    ),
    _chip(
        "half a MUX",
        {"spec.topology.squareLattice.rows": 3},
        "spec.topology.squareLattice",
        "muxSize 4 needs even rows and columns: use muxSize 1 or change them",
    ),
    _chip(
        "a MUX of three",
        {"spec.topology.squareLattice.muxSize": 3},
        "spec.topology.squareLattice.muxSize",
        "must be 1 or 4, not 3",
        'Unsupported value: 3: supported values: "1", "4"',
    ),
    _chip(
        "too large a lattice",
        {"spec.topology.squareLattice": {"rows": 40, "columns": 40}},
        "spec.topology.squareLattice",
        "rows x columns is more than 1024 qubits: make the lattice smaller",
    ),
    _chip(
        "a listed qubit twice",
        {**_LISTED, "spec.topology.qubits.1.id": "0"},
        "spec.topology.qubits",
        'lists "0" twice: remove or rename one',
        "spec.topology.qubits[1]: Duplicate value",
    ),
    _chip(
        "a qubit coupled to itself",
        {**_LISTED, "spec.topology.couplings": [{"control": "0", "target": "0"}]},
        "spec.topology.couplings[0]",
        "a qubit is not coupled to itself: correct control or target",
    ),
    _chip(
        "a coupling of a qubit that is not there",
        {**_LISTED, "spec.topology.couplings": [{"control": "0", "target": "7"}]},
        "spec.topology",
        "coupling 0-7 names qubit 7, which is not listed: correct the coupling or list the qubit",
        only_parser=True,
    ),
    _chip(
        "two qubits in one place",
        {**_LISTED, "spec.topology.qubits.1.x": 0},
        "spec.topology",
        "qubits 0 and 1 are in the same place (x 0, y 0): correct x or y",
        only_parser=True,
    ),
    _chip(
        "a coupling in both directions",
        {
            **_LISTED,
            "spec.topology.couplings": [{"control": "0", "target": "1"}, {"control": "1", "target": "0"}],
        },
        "spec.topology",
        "qubits 0 and 1 are coupled twice: remove one of the couplings",
        only_parser=True,
    ),
    _chip("no backend", {"spec.backend": GONE}, "spec.backend", "is required: add it", "spec.backend: Required value"),
    _chip(
        "a backend in capitals",
        {"spec.backend.name": "Fake"},
        "spec.backend.name",
        "write the name of a backend: lower-case letters, digits and -, like fake",
    ),
    _chip(
        "a place that is no time zone",
        {"spec.timeZone": "Europe/Atlantis"},
        "spec.timeZone",
        "'Europe/Atlantis' is not an IANA time zone: write one like Europe/Berlin or Asia/Tokyo",
        only_parser=True,
    ),
    _chip(
        "a hardware id with a blank",
        {"spec.hardwareId": "lab fridge"},
        "spec.hardwareId",
        "write letters, digits, ., _, / and -, like lab/fridge-a",
    ),
    _chip(
        "a band upside down",
        {"spec.design": {"bands": {"qubit": {"min": 5.6, "max": 4.4}}}},
        "spec.design.bands.qubit",
        "min must be below max: exchange or correct them",
    ),
    _chip(
        "a design value of no qubit",
        {"spec.design": {"qubits": {"Q0": {"qubit_frequency": {"value": 4.9}}}}},
        "spec.design.qubits.Q0",
        _QUBIT,
    ),
    _chip(
        "an error below zero",
        {"spec.design": {"qubits": {"0": {"qubit_frequency": {"value": 4.9, "error": -0.1}}}}},
        "spec.design.qubits.0.qubit_frequency.error",
        "must be at least 0, not -0.1",
        "should be greater than or equal to 0",
    ),
    _chip(
        "an amount with a blank",
        {"spec.pods": {"resources": {"requests": {"cpu": "200 m"}}}},
        "spec.pods.resources.requests.cpu",
        _AMOUNT,
    ),
    _chip(
        "an amount below zero",
        {"spec.pods": {"resources": {"requests": {"cpu": -1}}}},
        "spec.pods.resources.requests.cpu",
        _AMOUNT,
    ),
    _chip(
        "an amount with a point",
        {"spec.pods": {"resources": {"limits": {"cpu": 0.5}}}},
        "spec.pods.resources.limits.cpu",
        _AMOUNT,
        "must be of type integer",
    ),
    _chip(
        "a label that is none",
        {"spec.pods": {"nodeSelector": {"kubecal.io/instruments": "fridge a"}}},
        "spec.pods.nodeSelector.kubecal.io/instruments",
        _LABEL_VALUE,
    ),
    _chip(
        "a label's key that is none",
        {"spec.pods": {"nodeSelector": {"of what": "a"}}},
        "spec.pods.nodeSelector.of what",
        "write label keys as Kubernetes does, like kubecal.io/instruments",
    ),
    _chip(
        "a toleration of everything with a value",
        {"spec.pods": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
        "spec.pods.tolerations[0]",
        "Exists has no value: remove value, or use operator Equal",
    ),
    _chip(
        "a toleration without a key",
        {"spec.pods": {"tolerations": [{"value": "b"}]}},
        "spec.pods.tolerations[0]",
        "Equal needs a key: add key, or use operator Exists",
    ),
    _chip(
        "seconds for pods that stay",
        {"spec.pods": {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]}},
        "spec.pods.tolerations[0]",
        "tolerationSeconds belongs to effect NoExecute: remove it, or change effect",
    ),
    _chip(
        "a device of nowhere",
        {"spec.pods": {"resourceClaims": [{"name": "awg"}]}},
        "spec.pods.resourceClaims[0]",
        "give one of resourceClaimName and resourceClaimTemplateName",
    ),
    _chip(
        "no time to stop",
        {"spec.pods": {"terminationGracePeriodSeconds": 0}},
        "spec.pods.terminationGracePeriodSeconds",
        "must be at least 1, not 0",
        "should be greater than or equal to 1",
    ),
    _chip(
        "a disabled qubit twice",
        {"spec.disabled": {"qubits": ["1", "1"]}},
        "spec.disabled.qubits",
        'lists "1" twice: remove or rename one',
        'spec.disabled.qubits[1]: Duplicate value: "1"',
    ),
    _chip(
        "a limit below zero",
        {"spec.limits": {"maxPriority": -1}},
        "spec.limits.maxPriority",
        "must be at least 0, not -1",
        "should be greater than or equal to 0",
    ),
    _chip(
        "an image of one's own",
        {"spec.pods": {"images": [{"name": "mylab"}]}},
        "spec.pods",
        "there is no field images: known are hostNetwork, nodeSelector, resourceClaims, resources, "
        "terminationGracePeriodSeconds, tolerations",
        'unknown field "spec.pods.images"',
    ),
    _chip(
        "a Secret in capitals",
        {"spec.backend.secretName": "Credentials"},
        "spec.backend.secretName",
        "write the name of a Secret: lower-case letters, digits, - and .",
    ),
    _chip(
        "a project with a blank",
        {"spec.projectId": "my lab"},
        "spec.projectId",
        "write letters, digits, ., _ and -, like default",
    ),
    _chip(
        "a claim in capitals",
        {"spec.pods": {"resourceClaims": [{"name": "awg", "resourceClaimName": "AWG"}]}},
        "spec.pods.resourceClaims[0].resourceClaimName",
        "write the name of an object: lower-case letters, digits, - and .",
    ),
    _chip(
        "a claim of a name in capitals",
        {"spec.pods": {"resourceClaims": [{"name": "AWG", "resourceClaimName": "awg"}]}},
        "spec.pods.resourceClaims[0].name",
        "write lower-case letters, digits and -",
    ),
    _chip(
        "a parameter with a name without end",
        {"spec.design": {"qubits": {"0": {"p" * 64: {"value": 1}}}}},
        f"spec.design.qubits.0.{'p' * 64}",
        "must have at most 63 characters, not 64",
        "a name here has more than 63 characters: shorten it",
    ),
    _chip(
        "a design value of a qubit far out",
        {"spec.design": {"qubits": {"100000": {"qubit_frequency": {"value": 4.9}}}}},
        "spec.design.qubits.100000",
        "must have at most 5 characters, not 6",
        "a name here has more than 5 characters: shorten it",
    ),
    _chip(
        "a label's key without end",
        {"spec.pods": {"nodeSelector": {"k" * 318: "a"}}},
        f"spec.pods.nodeSelector.{'k' * 318}",
        "must have at most 317 characters, not 318",
        "a name here has more than 317 characters: shorten it",
    ),
    _chip(
        "a resource with a name without end",
        {"spec.pods": {"resources": {"limits": {"r" * 254: 1}}}},
        f"spec.pods.resources.limits.{'r' * 254}",
        "must have at most 253 characters, not 254",
        "a name here has more than 253 characters: shorten it",
    ),
)

BAD_MANIFESTS = BAD_SESSIONS + BAD_CHIPS
