"""What a task class declares of its inputs, outputs and run parameters.

These are the catalogue's entries plus what only the task itself needs: bounds, limits of precision and
fallbacks. Units are those of records and manifests; inside a task everything is SI.
"""

from __future__ import annotations

from dataclasses import dataclass

from kubecal.api.catalogue import Input, Output
from kubecal.records.results import input_key

DAY_S = 86_400.0


@dataclass(frozen=True)
class InputParameter:
    """One parameter a task reads."""

    name: str
    unit: str
    required: bool = True
    hint: str = ""
    """Which task provides it, for the message when it is missing."""
    fallback: float | None = None
    """Used when nothing else provides it, in ``unit``."""
    role: str = ""
    """Of a coupling task's inputs whose they are: ``control``, ``target``, or the coupling's own (empty)."""
    instead: str = ""
    """Another parameter in the same unit, which serves wherever this one is known from nowhere."""

    @property
    def key(self) -> str:
        """Under which name the task asks for its value: ``control_qubit_frequency``."""
        return input_key(self.name, self.role)

    def entries(self) -> tuple[Input, ...]:
        """The catalogue's view. An input with a fallback is never missing; of two that serve neither must be there."""
        required = self.required and self.fallback is None and not self.instead
        own = Input(name=self.name, unit=self.unit, required=required, role=self.role, hint=self.hint)
        return (own, own.model_copy(update={"name": self.instead, "hint": ""})) if self.instead else (own,)


@dataclass(frozen=True)
class Precision:
    """The largest error with which an output is still of use; both given: either suffices."""

    relative: float | None = None
    """Fraction of the value."""
    absolute: float | None = None
    """In the output's unit."""


@dataclass(frozen=True)
class OutputParameter:
    """One parameter a task writes."""

    name: str
    unit: str
    required: bool = True
    group: str = ""
    description: str = ""
    minimum: float | None = None
    """Bound in ``unit``; violated only where value plus 3 sigma is below it."""
    maximum: float | None = None
    band: str = ""
    """``qubit`` or ``readout``: additionally bounded by that band of ``Chip.spec.design``, where there is one."""
    precision: Precision | None = None
    """None: never imprecise."""
    drift: float | None = None
    """What it may drift within ``max_age_s``, in ``unit``; None: it is not judged by what was known of it before."""
    drift_relative: bool = False
    """Whether ``drift`` is a fraction of the value."""
    max_age_s: float | None = None
    """From then on a published value counts as stale; None: never."""

    def entry(self) -> Output:
        """The catalogue's view."""
        return Output(
            name=self.name,
            unit=self.unit,
            required=self.required,
            group=self.group,
            description=self.description,
            drift=self.drift,
            drift_relative=self.drift_relative,
            max_age_s=self.max_age_s,
        )
