"""What pydantic refuses, as sentences a person can act on: ``spec.steps[0].name: is required: add it``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kubecal.api.model import no_such_field

_Context = dict[str, Any]
"""What pydantic adds to an error: limits, expected values."""

_SENTENCES: dict[str, Callable[[_Context], str]] = {
    "missing": lambda _: "is required: add it",
    "greater_than_equal": lambda about: f"must be at least {about['ge']:.15g}",
    "greater_than": lambda about: f"must be above {about['gt']:.15g}",
    "less_than_equal": lambda about: f"must be at most {about['le']:.15g}",
    "less_than": lambda about: f"must be below {about['lt']:.15g}",
    "string_too_long": lambda about: f"must have at most {about['max_length']} characters",
    "string_too_short": lambda _: "must not be empty",
    "too_long": lambda about: f"must have at most {about['max_length']} entries",
    "too_short": lambda about: f"must have at least {about['min_length']} {_entries(about['min_length'])}",
    "int_type": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be text: write it in quotes",
    "tuple_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be a mapping of names to values",
    "model_type": lambda _: "must be a mapping of fields to values",
    "model_attributes_type": lambda _: "must be a mapping of fields to values",
}


def sentences(error: ValidationError, model: type[BaseModel], root: str = "") -> tuple[str, ...]:
    """Every refusal of one validation as a sentence with the place it is about.

    Parameters
    ----------
    model:
        What the data should have been.
    root:
        Where the data stands in its manifest, such as ``spec``.
    """
    errors = error.errors(include_url=False)
    places = {one["loc"][:length] for one in errors for length in range(len(one["loc"]))}
    # A list with bad entries also counts as too short, because pydantic counts the good ones.
    told = (one for one in errors if one["type"] != "too_short" or one["loc"] not in places)
    return tuple(dict.fromkeys(_sentence(one, model, root) for one in told))


def _sentence(error: ErrorDetails, model: type[BaseModel], root: str) -> str:
    # A field that does not exist is said where it would have to be.
    location = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    place = _place(root, location)
    said = _said(error, model)
    return f"{place}: {said}" if place else said


def _said(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, about, given = error["type"], error.get("ctx", {}), error["input"]
    if kind == "rule":
        return str(about["sentence"])
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return no_such_field(error["loc"][-1], _fields_at(model, error["loc"][:-1]))
    if kind in ("enum", "literal_error"):
        return f"must be {about['expected'].replace(chr(39), '')}, not {given!r}{_hint(given, about['expected'])}"
    known = _SENTENCES.get(kind)
    if known is None:
        return f"{error['msg'][0].lower()}{error['msg'][1:]}"
    plain = isinstance(given, str | int | float) and kind not in ("missing", "string_too_long", "string_too_short")
    size = f", not {len(given)}" if kind in ("string_too_long", "too_long") else ""
    return known(about) + (f", not {given!r}" if plain else size)


def _entries(number: int) -> str:
    return "entry" if number == 1 else "entries"


def _hint(given: object, expected: str) -> str:
    names = [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]
    by_lower_case = {name.lower(): name for name in names}
    near = difflib.get_close_matches(str(given).lower(), by_lower_case, n=1)
    return f": did you mean {by_lower_case[near[0]]}?" if near else ""


def _place(root: str, location: Sequence[int | str]) -> str:
    """``spec.steps[0].name``, without the mark that pydantic puts at keys."""
    parts = [part for part in location if part != "[key]"]
    return (root + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)).lstrip(".")


def _fields_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The names that are allowed at a place of a model."""
    current: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int) or current is None:
            continue
        fields = current.model_fields
        field = next((field for name, field in fields.items() if part in (name, field.alias)), None)
        # A name that is no field is the key of a map, whose values are the model we are at already.
        if field is not None:
            current = _model_in(field.annotation)
    return [field.alias or name for name, field in current.model_fields.items()] if current is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model within an annotation such as ``tuple[Step, ...] | None``; Any: annotations have no common type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)
