"""Every parameter of the chip with its values: what this session found, beside what was known before."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kubecal.api.catalogue import Catalogue
from kubecal.api.naming import spoken_target
from kubecal.reading.answers import OutputValue, ParameterValue, Result
from kubecal.reading.attempts import last_attempts
from kubecal.reading.order import by_number
from kubecal.reading.quantities import quantity
from kubecal.report.attempts import COMPLETED
from kubecal.report.changes import Change, change_of
from kubecal.report.histogram import Histogram, histogram


class Kind(StrEnum):
    """What a parameter is about."""

    TARGET = "target"
    """A property of the qubit or coupling: it ages, and that it is another one is news."""
    CHECK = "check"
    """What a task finds that only looks."""
    SETTING = "setting"
    """What belongs to the fit or the readout of a task that calibrates something else."""


Kinds = Mapping[tuple[str, str], Kind]
"""By task and output."""
_FIRST = (
    *("x90_gate_fidelity", "average_gate_fidelity", "zx90_gate_fidelity", "bell_state_fidelity"),
    *("t1", "t1_average", "t2_echo", "t2_echo_average", "qubit_frequency", "average_readout_fidelity"),
    *("readout_frequency", "control_amplitude"),
)
"""What people look at first, in this order; the rest follows in the order in which it was measured."""


_KINDS = (Kind.TARGET, Kind.CHECK, Kind.SETTING)


@dataclass(frozen=True)
class Value:
    """One parameter of one target."""

    target: str
    number: float
    value: str
    """To as many digits as its error allows."""
    error: str
    """Empty: it has none."""
    change: Change | None
    task: str
    """What it came from."""
    result: Result | None
    """The attempt of this session; None: it is older."""
    good: bool
    """Whether it was accepted: the others are in no histogram."""

    @property
    def remark(self) -> str:
        """What is to be known of it besides; empty: nothing."""
        return "not accepted" if not self.good else "earlier" if self.result is None else ""

    @property
    def spoken(self) -> str:
        """``qubit 3``."""
        return spoken_target(self.target)


@dataclass(frozen=True)
class Parameter:
    """One parameter of all targets that have it."""

    name: str
    unit: str
    description: str
    values: tuple[Value, ...]
    kind: Kind = Kind.TARGET

    @property
    def fresh(self) -> tuple[Value, ...]:
        """What this session found and accepted."""
        return tuple(value for value in self.values if value.good and value.result is not None)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The accepted values that are finite: of this session where it has any, else the older ones."""
        chosen = self.fresh or tuple(value for value in self.values if value.good)
        return tuple(value.number for value in chosen if math.isfinite(value.number))

    @property
    def histogram(self) -> Histogram | None:
        """How they are spread."""
        return histogram(self.numbers)

    @property
    def compared(self) -> bool:
        """Whether its values are worth comparing with those before: that a setting is another one is no news."""
        return self.kind is Kind.TARGET and any(value.change is not None for value in self.values)

    @property
    def source(self) -> str:
        """The one task that all its values come from; empty: there are several."""
        sources = {value.task for value in self.values}
        return sources.pop() if len(sources) == 1 else ""

    @property
    def notable(self) -> tuple[Value, ...]:
        """Values that changed by more than chance, the most changed first; only of what is the target's own."""
        if self.kind is not Kind.TARGET:
            return ()
        changed = [value for value in self.fresh if value.change is not None and value.change.notable]
        return tuple(sorted(changed, key=lambda value: -abs(value.change.sigmas if value.change else 0.0)))


def kinds_of(catalogue: Catalogue | None) -> Kinds:
    """What the outputs of known tasks are about; of others nothing is said."""
    found: dict[tuple[str, str], Kind] = {}
    for task in catalogue.tasks if catalogue is not None else ():
        ages = any(output.drift is not None for output in task.outputs)
        for output in task.outputs:
            kind = Kind.TARGET if output.drift is not None else Kind.SETTING if ages else Kind.CHECK
            found[task.name, output.name] = kind
    return found


def kind_of(kinds: Kinds, task: str, name: str) -> Kind:
    """What an output of a task is about; of a task that nobody knows all is the target's own."""
    return kinds.get((task, name), Kind.TARGET)


def parameters_of(
    results: Sequence[Result], known: Iterable[ParameterValue], kinds: Kinds = MappingProxyType({})
) -> tuple[Parameter, ...]:
    """All parameters, those that people look at first before the others.

    Parameters
    ----------
    known
        What the chip's parameters were when the session ended; of targets that it measured anew only its own counts.
    kinds
        What they are about.
    """
    kind: dict[str, Kind] = {}
    found: dict[str, dict[str, Value]] = defaultdict(dict)
    about: dict[str, tuple[str, str]] = {}
    for result in last_attempts(results):
        for output in result.outputs:
            about.setdefault(output.name, (output.unit, output.description))
            mine = kind_of(kinds, result.task, output.name)
            kind[output.name] = min(kind.get(output.name, mine), mine, key=_KINDS.index)
            value = _measured(result, output)
            before = found[output.name].get(result.qid)
            if before is None or value.good or not before.good:
                found[output.name][result.qid] = value
    for one in known:
        about.setdefault(one.name, (one.unit, one.description))
        found[one.name].setdefault(one.target, _known(one))

    def rank(name: str) -> tuple[bool, int, int]:
        first = _FIRST.index(name) if name in _FIRST else len(_FIRST)
        return name not in kind, _KINDS.index(kind.get(name, Kind.TARGET)), first

    return tuple(
        Parameter(
            name,
            *about[name],
            tuple(found[name][qid] for qid in sorted(found[name], key=by_number)),
            kind.get(name, Kind.TARGET),
        )
        for name in sorted(found, key=rank)
    )


def _measured(result: Result, output: OutputValue) -> Value:
    value, error = quantity(output.value, output.error)
    return Value(
        target=result.qid,
        number=output.value,
        value=value,
        error=error,
        change=change_of(output),
        task=result.task,
        result=result,
        good=output.accepted and result.status == COMPLETED and not result.excluded,
    )


def _known(one: ParameterValue) -> Value:
    value, error = quantity(one.value, one.error)
    return Value(one.target, one.value, value, error, None, one.task, None, good=True)
