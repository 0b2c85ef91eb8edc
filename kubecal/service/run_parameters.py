"""Run parameters as programs write them, in the older form too: ``{"value": 32, "value_type": "int"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubecal.service.errors import ServiceError

_PLAIN = {"int": int, "float": float, "str": str, "bool": bool, "list": list}
_IN_NS = ("interval",)
"""Names that the older form has in ns, whatever the task's own unit is; so are all that end with ``_duration``."""


def as_written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a manifest writes them; Any: both are JSON.

    Raises
    ------
    ServiceError
        If a value of the older form cannot be read.
    """
    return {name: _value(name, value) for name, value in values.items()}


def of_details(task: str, details: Mapping[str, Any] | None) -> dict[str, Any]:
    """What ``task_details={"CheckRabi": {"run_parameters": {...}}}`` says about a task.

    Raises
    ------
    ServiceError
        If it says anything else.
    """
    about = dict((details or {}).get(task, {}))
    others = [name for name in details or {} if name != task]
    given = about.pop("run_parameters", {})
    if others or about or not isinstance(given, Mapping):
        wrong = ", ".join([*others, *about]) or "run_parameters"
        raise ServiceError(
            f"task_details of {task} cannot say {wrong}: write {{{task!r}: {{'run_parameters': {{name: value}}}}}}"
        )
    return as_written(given)


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping) or "value" not in value:
        return value
    kind = value.get("value_type", "float")
    if str(kind).startswith("np.") or kind == "range":
        return {"value": list(value["value"]), "value_type": kind}
    if kind not in _PLAIN:
        raise ServiceError(f"run parameter {name}: value_type is {kind!r}: write one of {', '.join(_PLAIN)}")
    try:
        plain = _PLAIN[kind](value["value"])
    except (TypeError, ValueError) as error:
        raise ServiceError(f"run parameter {name}: {value['value']!r} is no {kind}: {error}") from error
    unit = value.get("unit") or ("ns" if name in _IN_NS or name.endswith("_duration") else "")
    return f"{plain} {unit}" if unit and isinstance(plain, int | float) else plain
