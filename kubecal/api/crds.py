"""The custom resource definitions, generated from the models.

The models are the only place where a field is described: names, bounds, defaults and descriptions (their
docstrings) come from there. Rules that cross fields cannot be seen in a JSON schema; they stand here as CEL, each
beside the sentence that the models' own validators give locally.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.session import SessionSpec, SessionStatus

GROUP, VERSION = "kubecal.io", "v1alpha1"
CRD_VERSION = 1
"""Raised with every change of the kinds; an operator refuses to act on older ones."""
CRD_VERSION_ANNOTATION = "kubecal.io/crd-version"

Schema = dict[str, Any]
"""JSON schema: any JSON."""
Rules = Mapping[str, list[tuple[str, str]]]
"""CEL rules and their messages by the place they stand at, ``spec.steps[]`` for the items of a list."""

_ONE_TARGET = (
    "[has(self.qubits) && size(self.qubits) > 0, has(self.muxes) && size(self.muxes) > 0, has(self.all) && self.all]"
    ".filter(given, given).size() == 1",
    "give exactly one of qubits, muxes and all: nothing is never everything",
)

SESSION_RULES: Rules = {
    "spec": [
        (
            f"self.{name} == oldSelf.{name}",
            f"{name} cannot be changed after creation: apply a session of another name",
        )
        for name in ("chip", "targets", "steps", "onTargetFailure", "publish", "deadlines")
    ]
    + [
        (
            f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
            f"{name} cannot be changed after creation: apply a session of another name",
        )
        for name in ("parameters", "username", "flowName")
    ]
    + [
        ("!oldSelf.cancel || self.cancel", "cancel cannot be taken back: apply a session of another name"),
    ],
    "spec.targets": [_ONE_TARGET],
    "spec.steps[].targets": [_ONE_TARGET],
    "": [("size(self.metadata.name) <= 63", "metadata.name: at most 63 characters, because it becomes a label")],
}

CHIP_RULES: Rules = {
    "spec.topology": [
        (
            "has(self.squareLattice) != (has(self.qubits) && size(self.qubits) > 0)",
            "give either squareLattice or qubits (with couplings)",
        ),
        (
            "!has(self.squareLattice) || !has(self.couplings) || size(self.couplings) == 0",
            "squareLattice makes its own couplings: remove couplings, or list qubits too",
        ),
    ],
    "spec.topology.squareLattice": [
        ("self.rows * self.columns <= 1024", "more than 1024 qubits: make the lattice smaller"),
        ("self.muxSize in [1, 4]", "muxSize is 1 or 4"),
        (
            "self.muxSize != 4 || (self.rows % 2 == 0 && self.columns % 2 == 0)",
            "muxSize 4 needs even rows and columns: use muxSize 1 or change them",
        ),
    ],
    "spec.design.bands.qubit": [("self.min < self.max", "min must be below max")],
    "spec.design.bands.readout": [("self.min < self.max", "min must be below max")],
    "spec.pods.resourceClaims[]": [
        (
            "(size(self.resourceClaimName) > 0) != (size(self.resourceClaimTemplateName) > 0)",
            "give one of resourceClaimName and resourceClaimTemplateName",
        )
    ],
    "": [
        ("size(self.metadata.name) <= 63", "metadata.name: at most 63 characters, because it becomes a label"),
    ]
    + [
        (
            "!has(oldSelf.status) || !has(oldSelf.status.holders) || size(oldSelf.status.holders) == 0 || "
            f"self.spec.{name} == oldSelf.spec.{name}",
            f"spec.{name} cannot be changed while a session holds the chip: wait for it or cancel it",
        )
        for name in ("topology", "backend", "hardwareId")
    ],
}


def session_crd() -> Schema:
    """The CRD of CalibrationSession."""
    columns = [
        {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
        {"name": "Progress", "type": "string", "jsonPath": ".status.progress"},
        {"name": "Failed", "type": "integer", "jsonPath": ".status.tasks.failed"},
        {"name": "Chip", "type": "string", "jsonPath": ".spec.chip"},
        {"name": "Execution", "type": "string", "jsonPath": ".status.executionId"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    schema = _object(
        "A calibration session: which chip, which targets, which tasks in which order.", SessionSpec, SessionStatus
    )
    schema["properties"]["spec"]["properties"]["steps"] |= {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    _add_rules(schema, SESSION_RULES)
    return _crd("CalibrationSession", "calibrationsessions", ["cals"], columns, schema)


def chip_crd() -> Schema:
    """The CRD of Chip."""
    columns = [
        {"name": "Backend", "type": "string", "jsonPath": ".spec.backend.name"},
        {"name": "Held by", "type": "string", "jsonPath": ".status.holders[*].session"},
        {"name": "Maintenance", "type": "boolean", "jsonPath": ".spec.maintenance"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    schema = _object("A quantum processor, its wiring and what its task pods may be.", ChipSpec, ChipStatus)
    _add_rules(schema, CHIP_RULES)
    return _crd("Chip", "chips", ["chip"], columns, schema)


def write_crds(directory: Path) -> list[Path]:
    """Write both CRDs, a file each; returns the files."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for crd in (chip_crd(), session_crd()):
        path = directory / f"{crd['spec']['names']['plural']}.yaml"
        path.write_text(crd_text(crd))
        written.append(path)
    return written


def crd_text(crd: Schema) -> str:
    """A CRD as YAML."""
    return "# Generated by `kubecal crds`: change the models in kubecal/api instead.\n" + yaml.dump(
        crd, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True
    )


def chart_template(crd: Schema) -> str:
    """The CRD as a chart template: it stays when the release goes, and upgrades with it."""
    kept = {**crd, "metadata": {**crd["metadata"]}}
    kept["metadata"]["annotations"] = {**crd["metadata"]["annotations"], "helm.sh/resource-policy": "keep"}
    # Descriptions may hold braces that Helm would take for its own.
    return crd_text(kept).replace("{{", "{{ `{{` }}")


def _crd(kind: str, plural: str, short: list[str], columns: list[Schema], schema: Schema) -> Schema:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "annotations": {CRD_VERSION_ANNOTATION: str(CRD_VERSION)}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [name for name in short if name != kind.lower()],
                "categories": ["kubecal"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _object(description: str, spec: type[BaseModel], status: type[BaseModel]) -> Schema:
    return {
        "description": description,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _structural(spec),
            "status": _structural(status, defaults=False),
        },
    }


def _structural(model: type[BaseModel], *, defaults: bool = True) -> Schema:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions = schema.pop("$defs", {})
    converted = _convert(schema, definitions, defaults)
    converted["description"] = (model.__doc__ or "").strip()
    return converted


def _convert(node: Schema, definitions: Mapping[str, Schema], defaults: bool) -> Schema:
    """One node of pydantic's schema as a structural schema of Kubernetes: no references, no titles, no unions."""
    if "$ref" in node:
        inner = definitions[node["$ref"].rpartition("/")[2]]
        node = {**inner, **{k: v for k, v in node.items() if k != "$ref"}}
    if "anyOf" in node:
        kinds = [one for one in node["anyOf"] if one.get("type") != "null"]
        rest = {k: v for k, v in node.items() if k != "anyOf"}
        if len(kinds) == 1:
            return _convert({**kinds[0], **{k: v for k, v in rest.items() if v is not None}}, definitions, defaults)
        return _described({"x-kubernetes-int-or-string": True}, rest)
    if "type" not in node and "enum" not in node:
        return _described({"x-kubernetes-preserve-unknown-fields": True}, node)
    kept = {
        key: value
        for key, value in node.items()
        if key in ("type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
    }
    for key, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if key in node:
            kept |= {inclusive: node[key], key: True}
    if node.get("format") == "date-time":
        kept["format"] = "date-time"
    if "description" in node:
        kept["description"] = " ".join(node["description"].split())
    if defaults and node.get("default") is not None:
        kept["default"] = _without_nulls(node["default"])
    return kept | _children(node, definitions, defaults)


def _children(node: Schema, definitions: Mapping[str, Schema], defaults: bool) -> Schema:
    found: Schema = {}
    if node.get("type") == "array":
        found["items"] = _convert(node["items"], definitions, defaults)
    if "properties" in node:
        found["properties"] = {name: _convert(one, definitions, defaults) for name, one in node["properties"].items()}
        if node.get("required"):
            found["required"] = node["required"]
    elif node.get("type") == "object":
        values = node.get("additionalProperties", node.get("patternProperties"))
        if isinstance(values, dict) and "patternProperties" in node and "additionalProperties" not in node:
            values = next(iter(values.values()))
        if isinstance(values, dict):
            found["additionalProperties"] = _convert(values, definitions, defaults)
        else:
            found["x-kubernetes-preserve-unknown-fields"] = True
        if "maxProperties" in node:
            found["maxProperties"] = node["maxProperties"]
    return found


def _without_nulls(value: Any) -> Any:
    """A default as a structural schema takes it: what is None is absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return value


def _described(schema: Schema, node: Schema) -> Schema:
    if "description" in node:
        schema["description"] = " ".join(node["description"].split())
    return schema


def _add_rules(schema: Schema, rules: Rules) -> None:
    for place, expressions in rules.items():
        node = schema
        for part in filter(None, place.split(".")):
            node = node["properties"][part.removesuffix("[]")]
            if part.endswith("[]"):
                node = node["items"]
        node["x-kubernetes-validations"] = [{"rule": rule, "message": message} for rule, message in expressions]


class _Dumper(yaml.SafeDumper):
    """Quotes ``y`` and ``n``, which readers of YAML 1.1 such as kubectl take for booleans."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if text in ("y", "n", "Y", "N") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
