"""In which order answers come, whoever gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kubecal.reading.answers import ParameterValue, Result, TaskState

T = TypeVar("T", bound=TaskState)
Rank = tuple[int, int, int, str]
"""Of a target among others."""


def by_number(target: str) -> Rank:
    """Qubits by number, couplings by their qubits behind them, then MUXes, the chip last."""
    first, dash, second = target.partition("-")
    if first.isdigit() and not dash:
        return (0, int(first), 0, "")
    if first.isdigit() and second.isdigit():
        return (1, int(first), int(second), "")
    return (2, int(second), 0, "") if second.isdigit() else (3, 0, 0, target)


def in_plan_order(tasks: Iterable[T], session_spec: Mapping[str, Any]) -> Sequence[T]:
    """Attempts by step, by place in the step, by target; Any: a spec as a manifest writes it."""
    places: dict[tuple[str, str, int], tuple[int, int]] = {}
    steps = session_spec.get("steps", ())
    for number, step in enumerate(steps):
        seen: dict[str, int] = {}
        for place, entry in enumerate(step.get("tasks", ())):
            ordinal = seen.get(entry["task"], 0)
            seen[entry["task"]] = ordinal + 1
            places[step["name"], entry["task"], ordinal] = (number, place)
    # What the spec does not list, like parking, comes behind.
    numbers = {step["name"]: number for number, step in enumerate(steps)}

    def rank(one: T) -> tuple[tuple[int, int], Rank, Rank, int]:
        known = places.get((one.step, one.task, one.ordinal))
        at = known if known is not None else (numbers.get(one.step, len(steps)), one.ordinal)
        return at, by_number(one.target), by_number(one.qid), one.attempt

    return sorted(tasks, key=rank)


def by_end(results: Iterable[Result]) -> Sequence[Result]:
    """Those that have not come to an end last."""
    return sorted(
        results, key=lambda row: (row.ended_at is None, str(row.ended_at), row.task, by_number(row.qid), row.attempt)
    )


def by_target(values: Iterable[ParameterValue]) -> Sequence[ParameterValue]:
    """By qubit and coupling, then by name."""
    return sorted(values, key=lambda value: (by_number(value.target), value.name))
