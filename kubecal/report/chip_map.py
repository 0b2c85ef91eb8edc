"""The chip coloured by how its tasks ended, or by any of its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from kubecal.api.chip import Disabled, TopologySpec
from kubecal.api.naming import spoken_target
from kubecal.api.topology import Topology
from kubecal.reading.answers import ExecutionDetail, Result
from kubecal.reading.attempts import last_attempts
from kubecal.report.attempts import COMPLETED, FAILED, by_target
from kubecal.report.lattice import Lattice, lattice, places_for
from kubecal.report.parameters import Parameter, Value
from kubecal.report.scale import Scale, ink_on, scale_of

QUBIT_ROOM, COUPLING_ROOM = 7, 6
"""Characters that a number on the map may have."""
OUTCOME = "outcome"
_OUTCOMES = {"good": "✓", "bad": "✕", "none": "–"}


@dataclass(frozen=True)
class Mark:
    """How one qubit or coupling looks under one choice."""

    text: str
    state: str
    """coloured, older (a value of before this session; and failed: a task did), good, bad, none, disabled."""
    spoken: str
    """All of it in words: ``qubit 3: t1 19.33 ± 0.31 us``."""
    fill: str = ""
    """``#rrggbb``; empty: the state's own."""
    ink: str = ""


@dataclass(frozen=True)
class Choice:
    """One way to colour the map."""

    name: str
    title: str
    """``t1 (us)``."""
    marks: Mapping[str, Mark]
    """By qubit and coupling; who is not in it has nothing to show."""
    low: str = ""
    """The ends of the scale as they are written; empty: there is none."""
    high: str = ""

    @property
    def failed(self) -> frozenset[str]:
        """Targets that a task failed on, where this says how tasks ended."""
        return frozenset(target for target, mark in self.marks.items() if mark.state == "bad")


@dataclass(frozen=True)
class ChipMap:
    """The drawing and the ways to colour it."""

    lattice: Lattice
    choices: tuple[Choice, ...]
    chosen: int
    """What it shows at first."""
    disabled_reason: str

    @property
    def first(self) -> Choice:
        """What it shows at first."""
        return self.choices[self.chosen]


def chip_map(detail: ExecutionDetail, results: Sequence[Result], parameters: Sequence[Parameter]) -> ChipMap | None:
    """The chip as it was for this execution; None: its topology is not understood by this version."""
    try:
        topology = TopologySpec.model_validate(detail.chip_spec.get("topology")).resolve()
        disabled = Disabled.model_validate(detail.chip_spec.get("disabled") or {})
    except ValidationError:
        return None
    off = _disabled(topology, disabled)
    named = frozenset(disabled.qubits + disabled.couplings)
    everything = [*(site.id for site in topology.sites), *(coupling.id for coupling in topology.couplings)]
    shown = [parameter for parameter in parameters if parameter.numbers and any(_on_map(parameter, everything))]
    outcome = _outcomes(everything, off, named, results)
    choices = (outcome, *(_by_parameter(parameter, everything, off, outcome) for parameter in shown))
    measured = next((number for number, one in enumerate(shown, 1) if one.fresh), 0)
    return ChipMap(lattice(topology), choices, measured, disabled.reason)


def _disabled(topology: Topology, disabled: Disabled) -> frozenset[str]:
    """Qubits and couplings that are left out; a disabled qubit takes its couplings with it."""
    qubits = frozenset(disabled.qubits)
    ends = {coupling.id for coupling in topology.couplings if {coupling.control, coupling.target} & qubits}
    return qubits | ends | frozenset(disabled.couplings)


def _on_map(parameter: Parameter, everything: Sequence[str]) -> Iterable[bool]:
    known = set(everything)
    return (value.target in known for value in parameter.values)


def _outcomes(
    everything: Sequence[str], off: frozenset[str], named: frozenset[str], results: Sequence[Result]
) -> Choice:
    tasks = by_target(last_attempts(results))
    # Where no coupling was measured a dash on each of them would tell nothing.
    pairs = any("-" in qid for qid in tasks)
    shown = [one for one in everything if pairs or "-" not in one or one in named]
    marks = {one: _outcome(one, tasks.get(one, ()), disabled=one in off) for one in shown}
    return Choice(OUTCOME, "how its tasks ended", marks)


def _outcome(target: str, tasks: Sequence[Result], *, disabled: bool) -> Mark:
    name = spoken_target(target)
    if disabled:
        return Mark("off", "disabled", f"{name}: disabled")
    failed = sum(task.status == FAILED for task in tasks)
    ok = sum(task.status == COMPLETED for task in tasks)
    state = "bad" if failed else "good" if ok and ok == len(tasks) else "none"
    text = f"{_OUTCOMES[state]} {ok}/{len(tasks)}" if tasks else _OUTCOMES["none"]
    said = f"{ok} of {len(tasks)} tasks ok, {failed} failed" if tasks else "not measured"
    return Mark(text, state, f"{name}: {said}")


def _by_parameter(parameter: Parameter, everything: Sequence[str], off: frozenset[str], outcome: Choice) -> Choice:
    scale = scale_of(value.number for value in parameter.values if value.good) or Scale(0.0, 0.0)
    room = COUPLING_ROOM if any("-" in value.target for value in parameter.values) else QUBIT_ROOM
    places = places_for([value.number for value in parameter.values if value.good], room)
    marks = {
        value.target: _mark(value, parameter, scale, places, failed=value.target in outcome.failed)
        for value in parameter.values
        if value.good and math.isfinite(value.number)
    }
    of_couplings = any("-" in target for target in marks)
    for target in everything:
        if target in off and ("-" not in target or of_couplings or target in outcome.marks):
            marks[target] = _outcome(target, (), disabled=True)
        elif target not in marks and ("-" in target) == of_couplings:
            marks[target] = _lacking(target, parameter, failed=target in outcome.failed)
    title = f"{parameter.name} ({parameter.unit})" if parameter.unit else parameter.name
    return Choice(parameter.name, title, marks, short(scale.low, places), short(scale.high, places))


def _mark(value: Value, parameter: Parameter, scale: Scale, places: int, *, failed: bool) -> Mark:
    fill = scale.colour(value.number)
    error = f" ± {value.error}" if value.error else ""
    state, age = "coloured", ""
    if value.result is None:
        state, age = "older", ", from before this session"
        if failed:
            state, age = "older failed", f"{age}, in which a task failed"
    said = f"{value.spoken}: {parameter.name} {value.value}{error} {parameter.unit}".rstrip() + age
    return Mark(short(value.number, places), state, said, fill, ink_on(fill))


def _lacking(target: str, parameter: Parameter, *, failed: bool) -> Mark:
    if failed:
        return Mark(_OUTCOMES["bad"], "bad", f"{spoken_target(target)}: no {parameter.name}, a task failed")
    return Mark(_OUTCOMES["none"], "none", f"{spoken_target(target)}: no {parameter.name}")


def short(number: float, places: int) -> str:
    """A number as it fits on the map."""
    plain = f"{number:.{places}f}"
    # What rounds to nothing is written by its power of ten.
    return plain if number == 0 or float(plain) != 0 else f"{number:.0e}"


def for_script(chip: ChipMap) -> list[dict[str, Any]]:
    """The choices as the page's script reads them; Any: JSON."""
    return [
        {
            "name": choice.name,
            "title": choice.title,
            "low": choice.low,
            "high": choice.high,
            "marks": {
                target: [mark.text, mark.state, mark.spoken, mark.fill, mark.ink]
                for target, mark in choice.marks.items()
            },
        }
        for choice in chip.choices
    ]
