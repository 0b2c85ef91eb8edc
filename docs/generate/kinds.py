"""A page for each kind: every field with its type, default, bounds and rules, as the CRD has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kubecal.api.crds import chip_crd, session_crd
from kubecal.api.model import VALIDATIONS

Schema = Mapping[str, Any]
"""A structural schema: any JSON."""

_INTRODUCTIONS = {
    "Chip": (
        "Written once by whoever runs the lab: where the qubits are, what drives them, and what its pods may be.\n"
        "How to write one is told in [Describe a chip](../describe-a-chip.md)."
    ),
    "CalibrationSession": (
        "Written by the experimenter: which chip, which targets, which tasks in which order.\n"
        "How it all works together is told in [Sessions](../sessions.md)."
    ),
}
_IMMUTABLE = "cannot be changed after creation"
_LONGEST_DEFAULT = 60


def kind_pages() -> dict[str, str]:
    """Markdown by path below the documents' root."""
    return {f"reference/{kind.lower()}.md": _page(kind, crd) for kind, crd in _crds().items()}


def _crds() -> dict[str, Schema]:
    return {"Chip": chip_crd(), "CalibrationSession": session_crd()}


def _page(kind: str, crd: Schema) -> str:
    names, version = crd["spec"]["names"], crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    short = names.get("shortNames", [names["singular"]])[0]
    head = (
        f"# {kind}\n\n{_INTRODUCTIONS[kind]}\n\n"
        f"`apiVersion: {crd['spec']['group']}/{version['name']}`, `kind: {kind}`; `kubectl get {short}`. "
        "On a cluster `kubectl explain` tells the same.\n"
    )
    parts = [_section(name, schema["properties"][name], level=2) for name in ("spec", "status")]
    return head + "\n" + "\n".join(parts)


def _section(path: str, schema: Schema, level: int) -> str:
    """A table of one object's fields, then a section for each field that is an object itself."""
    rows = "\n".join(_row(path, name, field, schema) for name, field in schema["properties"].items())
    text = f"{'#' * level} `{path}` {{#{_anchor(path)}}}\n\n"
    text += f"{schema['description']}\n\n" if "description" in schema else ""
    text += "| field | type | default | means |\n| --- | --- | --- | --- |\n" + rows + "\n"
    rules = "".join(f"- {rule}\n" for rule in _rules(schema))
    text += f"\nThe API server and `kubecal run` refuse what breaks these rules:\n\n{rules}" if rules else ""
    for name, field in schema["properties"].items():
        below, suffix = _object_of(field)
        if below is not None:
            text += "\n" + _section(f"{path}.{name}{suffix}", below, min(level + 1, 4))
    return text


def _row(path: str, name: str, field: Schema, parent: Schema) -> str:
    below, suffix = _object_of(field)
    label = f"[`{name}`](#{_anchor(f'{path}.{name}{suffix}')})" if below is not None else f"`{name}`"
    required = "required" if name in parent.get("required", ()) else _default(field)
    means = " ".join([field.get("description", ""), *_bounds(field), *(f"*{rule}*" for rule in _own_rules(field))])
    return f"| {label} | {_type(field)} | {required} | {_cell(means)} |"


def _object_of(field: Schema) -> tuple[Schema | None, str]:
    """The object that a field holds, or a list or mapping of it, and what stands behind its name then."""
    if field.get("properties"):
        return field, ""
    for key, suffix in (("items", "[]"), ("additionalProperties", ".*")):
        inner = field.get(key)
        if isinstance(inner, dict):
            below, deeper = _object_of(inner)
            if below is not None:
                return below, suffix + deeper
    return None, ""


def _type(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    if field.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if field.get("x-kubernetes-preserve-unknown-fields"):
        return "anything"
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if isinstance(field.get("additionalProperties"), dict):
        return f"mapping to {_type(field['additionalProperties'])}"
    return {"date-time": "time"}.get(field.get("format", ""), str(field["type"]))


def _default(field: Schema) -> str:
    if "default" not in field:
        return ""
    text = json.dumps(field["default"])
    return f"`{text}`" if len(text) <= _LONGEST_DEFAULT else "see below"


def _bounds(field: Schema) -> Iterator[str]:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        yield f"From {low:,} to {high:,}."
    elif low is not None:
        yield f"At least {low:,}."
    elif high is not None:
        yield f"At most {high:,}."
    for name, what in (("maxLength", "characters"), ("maxItems", "entries"), ("maxProperties", "entries")):
        if name in field:
            yield f"At most {field[name]:,} {what}."


def _own_rules(field: Schema) -> Sequence[str]:
    """Rules of a plain value; those of an object stand in its own section."""
    return () if field.get("properties") else tuple(_rules(field))


def _rules(schema: Schema) -> Iterator[str]:
    """Sentences of the rules, but for those about what is fixed after creation, which are one sentence."""
    sentences = [rule["message"] for rule in schema.get(VALIDATIONS, ()) if "message" in rule]
    fixed = [one.split(" ")[0] for one in sentences if _IMMUTABLE in one]
    yield from (one for one in sentences if _IMMUTABLE not in one)
    if fixed:
        yield "fixed after creation: " + ", ".join(f"`{name}`" for name in fixed)


def _anchor(path: str) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in path.lower()).strip("-")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
