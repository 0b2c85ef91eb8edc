"""Values of parameters by hand: as people type them, and as files hold them, in the form a step ``set`` takes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kubecal.api.catalogue import Catalogue, Output
from kubecal.api.manifests import ManifestError, read_documents
from kubecal.api.units import UnitError, parse_quantity
from kubecal.engine.changes import known_parameters
from kubecal.engine.problems import did_you_mean

GivenValues = dict[str, dict[str, dict[str, dict[str, float]]]]
"""``{qubits: {"0": {qubit_frequency: {value: 4.91, error: 0.001}}}, couplings: {}}``."""
_TARGET = re.compile(r"(0|[1-9][0-9]*)(-(0|[1-9][0-9]*))?")
_ERROR = re.compile(r"±|\+/?-")
_KINDS = ("qubits", "couplings")
_SHOWN = 10


def typed_values(target: str, words: Iterable[str], catalogue: Catalogue) -> GivenValues:
    """``qubit_frequency=4.913±0.001`` and the like, of one qubit or coupling; units are converted.

    Raises
    ------
    ManifestError
        If one is not understood; says how to write it.
    """
    known = known_parameters([catalogue])
    kind = _kind_of(target)
    values: dict[str, dict[str, float]] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not text:
            raise ManifestError(f"{word!r} sets nothing: write NAME=VALUE, like qubit_frequency=4.913±0.001")
        if name not in known:
            raise ManifestError(f"no task knows a parameter {name!r}: {did_you_mean(name, known)}")
        if name in values:
            raise ManifestError(f"{name} is given twice: remove one")
        values[name] = _typed_value(name, text, known[name])
    if not values:
        raise ManifestError("nothing is set: add NAME=VALUE, like qubit_frequency=4.913±0.001")
    return {kind: {target: values}}


def typed_overrides(words: Iterable[str], catalogue: Catalogue) -> GivenValues:
    """``0.qubit_frequency=4.9`` and the like: values with their qubit or coupling before a point.

    Raises
    ------
    ManifestError
        If one is not understood; says how to write it.
    """
    found: GivenValues = {}
    for word in words:
        target, point, rest = word.partition(".")
        if not point or not _TARGET.fullmatch(target):
            raise ManifestError(f"{word!r} overrides nothing: write TARGET.NAME=VALUE, like 0.qubit_frequency=4.9")
        for kind, targets in typed_values(target, [rest], catalogue).items():
            for one, values in targets.items():
                there = found.setdefault(kind, {}).setdefault(one, {})
                twice = [name for name in values if name in there]
                if twice:
                    raise ManifestError(f"{one}.{twice[0]} is given twice: remove one")
                there.update(values)
    return found


def _kind_of(target: str) -> str:
    found = _TARGET.fullmatch(target)
    if found is None:
        raise ManifestError(f"{target!r} is no qubit or coupling: write its id, like 0 or 0-1")
    return "couplings" if found[2] else "qubits"


def _typed_value(name: str, text: str, output: Output) -> dict[str, float]:
    """``4.913 ± 0.001``, either with a unit; without one it is the parameter's own."""
    value, *rest = _ERROR.split(text)
    if len(rest) > 1:
        raise ManifestError(f"{name}={text}: write one value and one error, like 4.913±0.001")
    found = {"value": _number(name, value, output)}
    if rest:
        error = _number(name, rest[0], output)
        if error < 0:
            raise ManifestError(f"{name}={text}: an error is not negative: correct it")
        found["error"] = error
    return found


def _number(name: str, text: str, output: Output) -> float:
    try:
        return parse_quantity(text, output.unit)
    except UnitError as error:
        raise ManifestError(f"{name}: {error}") from error


# ---------------------------------------------------------------- files


def values_in_file(path: Path, catalogue: Catalogue) -> GivenValues:
    """What ``kubecal params export`` wrote; a unit that stands beside a value is the catalogue's or is converted.

    Raises
    ------
    ManifestError
        If it is something else, or a name is unknown; a line for every reason.
    """
    documents = [document for _, document in read_documents(path)]
    if len(documents) != 1 or not isinstance(documents[0], dict) or not documents[0].keys() <= set(_KINDS):
        raise ManifestError(
            f"{path}: holds no parameters: it should be as kubecal params export writes it, "
            "{qubits: {'0': {t1: {value: 30.1, error: 0.4}}}}"
        )
    known = known_parameters([catalogue])
    problems: list[str] = []
    found: GivenValues = {}
    for kind, targets in documents[0].items():
        for target, values in _mapping(targets, kind, problems).items():
            place = f"{kind}.{target}"
            for name, given in _mapping(values, place, problems).items():
                value = _stored_value(f"{place}.{name}", str(name), given, known, problems)
                if value is not None:
                    found.setdefault(kind, {}).setdefault(str(target), {})[str(name)] = value
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise ManifestError("\n".join([*(f"{path}: {one}" for one in problems[:_SHOWN]), *more]))
    if not found:
        raise ManifestError(f"{path}: holds no parameters: nothing is to be imported")
    return found


def _mapping(value: Any, place: str, problems: list[str]) -> Mapping[Any, Any]:  # Any: whatever YAML holds
    if isinstance(value, dict):
        return value
    problems.append(f"{place} is no mapping: correct it")
    return {}


def _stored_value(
    place: str,
    name: str,
    given: Any,  # Any: whatever YAML holds
    known: Mapping[str, Output],
    problems: list[str],
) -> dict[str, float] | None:
    if name not in known:
        problems.append(f"{place}: no task knows a parameter {name!r}: {did_you_mean(name, known)}")
        return None
    parts = given if isinstance(given, dict) else {"value": given}
    strange = [str(key) for key in parts if key not in ("value", "error", "unit")]
    if strange or "value" not in parts:
        problems.append(f"{place}: write {{value: ..., error: ..., unit: ...}}, the last two where there are any")
        return None
    unit = str(parts.get("unit") or known[name].unit)
    found = {}
    for part in ("value", "error"):
        number = parts.get(part)
        if number is None and part == "error":
            continue
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            problems.append(f"{place}.{part} is {number!r}: write a number")
            return None
        try:
            found[part] = parse_quantity(f"{number!r} {unit}", known[name].unit) if unit else float(number)
        except UnitError as error:
            problems.append(f"{place}: {error}")
            return None
    if found.get("error", 0.0) < 0:
        problems.append(f"{place}.error is {found['error']!r}: an error is not negative")
        return None
    return found
