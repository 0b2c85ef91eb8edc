"""A strict check of JSON values against the part of JSON schema that backends' settings use.

The operator checks ``Chip.spec.backend.config`` before any pod is made, with the schema of the catalogue.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kubecal.engine.problems import did_you_mean

Schema = Mapping[str, Any]
"""Any: that is what JSON schema is."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}
_LIMITS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", operator.lt, "below the minimum of"),
    ("maximum", operator.gt, "above the maximum of"),
    ("exclusiveMinimum", operator.le, "not above"),
    ("exclusiveMaximum", operator.ge, "not below"),
)


def problems_in(value: Any, schema: Schema, place: str, root: Schema | None = None) -> list[str]:
    """Everything in ``value`` that the schema does not allow, a sentence each; empty: it is allowed."""
    root = schema if root is None else root
    if "$ref" in schema:
        return problems_in(value, _resolve(schema["$ref"], root), place, root)
    if "anyOf" in schema:
        attempts = [problems_in(value, one, place, root) for one in schema["anyOf"]]
        return [] if any(not found for found in attempts) else min(attempts, key=len)
    if "const" in schema and value != schema["const"]:
        return [f"{place}: is {value!r}: write {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is not one of {', '.join(map(str, schema['enum']))}"]
    if "type" in schema and not _is(value, schema["type"]):
        return [f"{place}: {value!r} is not of type {schema['type']}"]
    found = _scalar_problems(value, schema, place)
    if isinstance(value, dict):
        found += _object_problems(value, schema, place, root)
    if isinstance(value, list | tuple) and "items" in schema:
        for number, item in enumerate(value):
            found += problems_in(item, schema["items"], f"{place}[{number}]", root)
    return found


def _is(value: Any, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])


def _scalar_problems(value: Any, schema: Schema, place: str) -> list[str]:
    found = []
    if isinstance(value, int | float) and not isinstance(value, bool):
        for key, bad, word in _LIMITS:
            if key in schema and bad(value, schema[key]):
                found.append(f"{place}: {value:g} is {word} {schema[key]:g}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{place}: {value!r} does not match {schema['pattern']}")
        if schema.get("format") == "date-time" and not _is_time(value):
            found.append(f"{place}: {value!r} is not a time: write it like 2026-01-31T08:00:00Z")
    if isinstance(value, list | tuple) and "maxItems" in schema and len(value) > schema["maxItems"]:
        found.append(f"{place}: {len(value)} items are more than {schema['maxItems']}")
    return found


def _object_problems(value: dict[str, Any], schema: Schema, place: str, root: Schema) -> list[str]:
    known: Mapping[str, Any] = schema.get("properties", {})
    found = [f"{place}.{name}: is required: add it" for name in schema.get("required", []) if name not in value]
    for name, inner in value.items():
        if name in known:
            found += problems_in(inner, known[name], f"{place}.{name}", root)
        elif schema.get("additionalProperties") is False:
            found.append(f"{place}.{name}: there is no such setting: {did_you_mean(name, known)}")
        elif isinstance(schema.get("additionalProperties"), Mapping):
            found += problems_in(inner, schema["additionalProperties"], f"{place}.{name}", root)
    return found


def _resolve(reference: str, root: Schema) -> Schema:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    resolved: Schema = node
    return resolved


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False
