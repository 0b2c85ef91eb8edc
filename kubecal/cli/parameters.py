"""``kubecal params``: what is calibrated now, how it came about, what has changed, and all of it as a file."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from pydantic import ConfigDict
from rich.console import RenderableType
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.api.topology import describe_ids
from kubecal.cli.answering import NoSuchThingError, NotDoneError
from kubecal.cli.executions import find_execution, nothing_recorded
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form
from kubecal.cli.moments import NOW, moment, shown
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen, printable
from kubecal.cli.tables import Cell, Column, plain_table
from kubecal.cli.values import change_text, target_order, value_text
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab
from kubecal.local.catalogue import installed_catalogue
from kubecal.reading.answers import Answer, ParameterValue
from kubecal.reading.quantities import age, quantity

_VERBS = ("now", "history", "diff", "export", "set", "revert", "import")


@dataclass(frozen=True)
class ParamsAsked:
    """Whose parameters are asked for."""

    chip: str
    place: Place
    project: str
    target: str = ""
    """Id of a qubit or coupling; empty: all."""
    names: Sequence[str] = ()
    """Of parameters; empty: all."""


class Difference(Answer):
    """One parameter at two moments."""

    model_config = ConfigDict(frozen=True)

    target: str
    name: str
    unit: str
    before: float | None
    before_error: float | None
    after: float | None
    after_error: float | None
    sigmas: float | None
    """(after - before) / sqrt(errors²); None: there is only one of them, or they differ and neither has an error."""

    @property
    def weight(self) -> float:
        """How remarkable it is; what came, went, or changed without an error stands before all that merely moved."""
        return math.inf if self.sigmas is None else abs(self.sigmas)


async def show_parameters(lab: Lab, screen: Screen, asked: ParamsAsked) -> int:
    """Print the chip's current parameters."""
    values = chosen_values(await _parameters(lab, asked), asked)
    screen.show(values, lambda: parameter_table(values, screen.form, datetime.now(UTC)))
    if not values:
        screen.remark(f"chip {asked.chip!r} has no calibrated parameters yet")
    return ExitCode.DONE


async def show_history(lab: Lab, screen: Screen, asked: ParamsAsked, limit: int) -> int:
    """Print every value that one parameter ever had, the newest first."""
    await _known_chip(lab, asked)
    (name,) = asked.names
    values = list(await lab.records.history(asked.chip, asked.target, name, project=asked.project, limit=limit))
    if not values:
        # Says what is close where the target or the name is mistyped.
        chosen_values(await _parameters(lab, asked), asked)
        raise NoSuchThingError(f"{name} of {spoken_target(asked.target)} of chip {asked.chip!r} has no history")
    screen.show(values, lambda: history_table(values, screen.form))
    if len(values) == limit:
        screen.remark(f"these are the newest {limit}: --limit shows more")
    return ExitCode.DONE


async def show_difference(lab: Lab, screen: Screen, asked: ParamsAsked, before: str, after: str, *, every: bool) -> int:
    """Print what has changed between two moments, the most remarkable first."""
    catalogue = await asyncio.to_thread(installed_catalogue)
    ageing = {output.name for task in catalogue.tasks for output in task.outputs if output.drift is not None}
    await _known_chip(lab, asked)
    old = await _values_at(lab, asked, before)
    new = await _values_at(lab, asked, after)
    both = [*old, *new]
    kept = {(one.target, one.name) for one in chosen_values(both, asked)}
    found = [
        one for one in differences(old, new, ageing) if (one.target, one.name) in kept and (every or one.weight > 0)
    ]
    screen.show(found, lambda: difference_table(found))
    if not found:
        screen.remark(f"nothing has changed between {before} and {after}")
    return ExitCode.DONE


async def export_parameters(lab: Lab, screen: Screen, asked: ParamsAsked, at: str) -> int:
    """Print parameters as ``kubecal params import`` and the step ``set`` of a session take them."""
    await _known_chip(lab, asked)
    values = chosen_values(await _values_at(lab, asked, at), asked)
    screen.show(exported(values), lambda: Text())
    return ExitCode.DONE


def chosen_values(values: Sequence[ParameterValue], asked: ParamsAsked) -> list[ParameterValue]:
    """Those of the target and of the names.

    Raises
    ------
    NoSuchThingError
        If there are none of them; says what is close.
    """
    if asked.target:
        there = {one.target for one in values}
        if asked.target not in there:
            raise NoSuchThingError(_no_such_target(asked, there))
        values = [one for one in values if one.target == asked.target]
    names = {one.name for one in values}
    for name in asked.names:
        if name not in names:
            whose = spoken_target(asked.target) if asked.target else f"chip {asked.chip!r}"
            raise NoSuchThingError(f"{whose} has no parameter {name!r}: {did_you_mean(name, names)}")
    return [one for one in values if not asked.names or one.name in asked.names]


def exported(values: Sequence[ParameterValue]) -> Mapping[str, object]:
    """``{qubits: {"0": {t1: {value, error, unit}}}, couplings: {...}}``: what a step ``set`` takes, with units."""
    groups: dict[str, dict[str, dict[str, object]]] = {"qubits": {}, "couplings": {}}
    for one in sorted(values, key=lambda one: (target_order(one.target), one.name)):
        of_target = groups["couplings" if "-" in one.target else "qubits"].setdefault(one.target, {})
        of_target[one.name] = {"value": one.value, "error": one.error, "unit": one.unit}
    return groups


def differences(
    old: Sequence[ParameterValue], new: Sequence[ParameterValue], ageing: Container[str] = frozenset()
) -> list[Difference]:
    """Every parameter of either, the most remarkable first.

    Parameters
    ----------
    ageing
        Names of properties that drift: they stand before what belongs to a measurement or to its fit.
    """
    before = {(one.target, one.name): one for one in old}
    after = {(one.target, one.name): one for one in new}
    found = [_difference(before.get(key), after.get(key)) for key in before | after]
    return sorted(found, key=lambda one: (one.name not in ageing, -one.weight, target_order(one.target), one.name))


def parameter_table(values: Sequence[ParameterValue], form: Form, now: datetime) -> RenderableType:
    """Values under their qubit or coupling, with how old they are and which task they are from."""
    columns = (
        *(Column("parameter", folds=True), Column("value"), Column("unit"), Column("age", right=True)),
        *(Column("from", folds=True), Column("execution", wide=True), Column("description", wide=True)),
    )
    width = _width(values)
    rows: list[list[Cell]] = []
    ordered = sorted(values, key=lambda one: (target_order(one.target), one.name))
    for target, some in groupby(ordered, lambda one: one.target):
        rows.append([spoken_target(target)])
        for one in some:
            value = value_text(one.value, one.error, width)
            old = age((now - one.measured_at).total_seconds())
            rows.append(
                [f"  {one.name}", value, one.unit, old, origin(one), one.execution_id, printable(one.description)]
            )
    return plain_table(columns, rows, form)


def history_table(values: Sequence[ParameterValue], form: Form) -> RenderableType:
    """A line a value, the newest first; beside each how far it lies from the one before it."""
    columns = (
        *(Column("measured (UTC)"), Column("value"), Column("unit"), Column("change", right=True)),
        *(Column("execution"), Column("from", folds=True), Column("task id", wide=True), Column("cooldown", wide=True)),
    )
    width = _width(values)
    rows: list[list[Cell]] = []
    for number, one in enumerate(values):
        before = values[number + 1] if number + 1 < len(values) else None
        change = change_text(_difference(before, one).sigmas) if before is not None else Text("first", style="dim")
        value = Text(value_text(one.value, one.error, width), style="dim strike" if one.reverted else "")
        origin_text = origin(one) + (", taken back" if one.reverted else "")
        rows.append(
            [
                *(shown(one.measured_at), value, one.unit, change, one.execution_id, origin_text),
                *(one.task_id, one.cooldown_id),
            ]
        )
    return plain_table(columns, rows, form)


def difference_table(found: Sequence[Difference]) -> RenderableType:
    """A line a parameter: what it was, what it is, by how many sigmas."""
    columns = (
        *(Column("target"), Column("parameter", folds=True), Column("before"), Column("after"), Column("unit")),
        Column("change", right=True),
    )
    rows: list[list[Cell]] = [
        [
            *(one.target, one.name, _side(one.before, one.before_error), _side(one.after, one.after_error), one.unit),
            _change(one),
        ]
        for one in found
    ]
    return plain_table(columns, rows)


def _side(value: float | None, error: float | None) -> str:
    return value_text(value, error or 0.0) if value is not None else ""


def origin(one: ParameterValue) -> str:
    """Which task a value is from, or that somebody set it."""
    return f"{one.task or 'set'} by hand" if one.by_hand else one.task


def _change(one: Difference) -> Text:
    if one.before is None:
        return Text("new", style="bold yellow")
    if one.after is None:
        return Text("gone", style="bold yellow")
    return Text("changed", style="bold yellow") if one.sigmas is None else change_text(one.sigmas)


def _difference(old: ParameterValue | None, new: ParameterValue | None) -> Difference:
    one = new or old
    assert one is not None
    return Difference(
        target=one.target,
        name=one.name,
        unit=one.unit,
        before=old.value if old else None,
        before_error=old.error if old else None,
        after=new.value if new else None,
        after_error=new.error if new else None,
        sigmas=_sigmas(old, new) if old and new else None,
    )


def _sigmas(old: ParameterValue, new: ParameterValue) -> float | None:
    if new.value == old.value:
        return 0.0
    error = math.hypot(old.error, new.error)
    change = new.value - old.value
    if new.unit == "rad":
        # A phase of 3.14 is one of -3.14.
        change = math.remainder(change, 2 * math.pi)
    return change / error if error > 0 else None


async def _values_at(lab: Lab, asked: ParamsAsked, called: str) -> Sequence[ParameterValue]:
    """The chip's parameters now, at a moment, or when an execution had ended."""
    if called == NOW:
        return await _parameters(lab, asked)
    at = moment(called, datetime.now(UTC))
    if at is None:
        try:
            execution = await find_execution(
                lab.records, called, place=asked.place, project=asked.project, chip=asked.chip
            )
        except NoSuchThingError as error:
            raise NoSuchThingError(f"{error}; or write a moment: 2026-11-24, 2026-11-24T09:30, 2d (ago), now") from None
        if execution.chip != asked.chip:
            raise NotDoneError(
                f"execution {execution.execution_id} was on chip {execution.chip!r}, not on {asked.chip!r}: "
                "correct one of them"
            )
        at = execution.ended_at or datetime.now(UTC)
    return await lab.records.parameters_at(asked.chip, at, project=asked.project)


async def _parameters(lab: Lab, asked: ParamsAsked) -> Sequence[ParameterValue]:
    await _known_chip(lab, asked)
    return await lab.records.parameters(asked.chip, project=asked.project)


async def _known_chip(lab: Lab, asked: ParamsAsked) -> None:
    chips = await lab.records.chips(project=asked.project)
    if not chips:
        raise NoSuchThingError(nothing_recorded(asked.place, asked.project))
    if asked.chip in chips:
        return
    near = did_you_mean(asked.chip, chips)
    verb = did_you_mean(asked.chip, _VERBS)
    also = f"; or the verb: {verb.replace('did you mean ', 'did you mean params ')}" if verb.startswith("did") else ""
    raise NoSuchThingError(f"nothing was recorded of a chip {asked.chip!r}: {near}{also}")


def _no_such_target(asked: ParamsAsked, there: set[str]) -> str:
    qubits, couplings = [one for one in there if one.isdigit()], sorted(one for one in there if "-" in one)
    if not there:
        return f"chip {asked.chip!r} has no calibrated parameters yet"
    if not asked.target.replace("-", "").isdigit():
        return f"{asked.target!r} is not a qubit like 0 or a coupling like 0-1: {did_you_mean(asked.target, there)}"
    known = (
        f"qubits {describe_ids(qubits)}" if "-" not in asked.target else f"couplings {', '.join(couplings) or 'none'}"
    )
    return f"chip {asked.chip!r} has no calibrated parameters of {spoken_target(asked.target)}: it has some of {known}"


def _width(values: Sequence[ParameterValue]) -> int:
    return max((len(quantity(one.value, one.error)[0]) for one in values), default=0)
