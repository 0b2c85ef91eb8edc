"""The base class of all tasks: one measurement of one kind of target, in one file.

A task class declares what it reads, writes and may be told; an instance is bound to its target, its inputs
and its run parameters. Inside everything is SI: conversion happens once, when the binding is made and when
outputs leave.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from kubecal.api.catalogue import CatalogueTask, RunParameter, TargetKind
from kubecal.api.request import Verdict
from kubecal.api.run_parameters import RunValue
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.inputs import InputValue
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion, in_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kubecal_tasks.backends.base import Backend
    from kubecal_tasks.backends.reading import Reading
    from kubecal_tasks.figures import Figure
    from kubecal_tasks.programs import Acquisition


UNKNOWN_DURATION_S = 60.0
"""Of a task that does not say how long it takes."""


@dataclass(frozen=True)
class Binding:
    """What an instance of a task is bound to."""

    target: str
    inputs: Mapping[str, InputValue]
    """By their keys; empty where there are several members, of which each has its own."""
    parameters: Mapping[str, RunValue]
    """Every declared run parameter; those without a default and without a value are absent."""
    r2_threshold: float | None = None
    members: Mapping[str, Mapping[str, InputValue]] = field(default_factory=dict)
    """The inputs of each qubit that a MUX or batch task judges by itself; empty: only the target is judged."""
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of the chip's design, by name (``qubit``, ``readout``), Hz; empty where it states none."""


@dataclass(frozen=True)
class PostProcessResult:
    """What the analysis of one attempt's data says, of one of those that it judges."""

    estimates: tuple[Estimate, ...] = ()
    checks: tuple[Check, ...] = ()
    r2: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Quality metrics besides r2: chi2, dof, contrast, ..."""
    suggestion: Suggestion | None = None
    figures: tuple[Callable[[FigureContext], Figure], ...] = ()
    """Called after the verdict, which they show; whatever they cost, the result is stored before."""
    lines: tuple[str, ...] = ()
    """Values with errors and units, chi2, R2: what figures print."""
    measured: bool = True
    """False: the task refused to measure."""


PostProcessed = PostProcessResult | Mapping[str, PostProcessResult]
"""Of the target, or of each member."""


def unfit(error: Exception) -> PostProcessResult:
    """Data of which no curve can be made (too few points that are numbers) are judged, not crashed over."""
    check = Check("fit", math.nan, 0.0, False, Verdict.POOR_FIT, message=in_words(error))
    return PostProcessResult(checks=(check,), measured=False)


@dataclass(frozen=True)
class FigureContext:
    """What a figure shows besides data and fit."""

    task: str
    target: str
    verdict: str
    measured_at: str
    lines: tuple[str, ...]
    """Values with errors and units, chi2, R2: ready to print."""


class BaseTask(ABC):
    """One calibration measurement; see ``tasks/`` for examples, each a single file."""

    name: ClassVar[str]
    kind: ClassVar[TargetKind] = TargetKind.QUBIT
    drives: ClassVar[bool] = True
    """False: it only computes and claims nothing."""
    plays: ClassVar[bool] = True
    """False: it asks the backend's verbs alone, so nothing is configured for it beforehand."""
    batch: ClassVar[bool] = False
    """Of a qubit task: whether one pod can measure several qubits at once; it then has several members."""
    inputs: ClassVar[tuple[InputParameter, ...]] = ()
    outputs: ClassVar[tuple[OutputParameter, ...]] = ()
    run_parameters: ClassVar[tuple[RunParameter, ...]] = ()
    judges_clipping: ClassVar[bool] = False
    """True: it raises a tone until the ADC clips, and leaves out what did; elsewhere clipped data are unphysical."""
    timeout_s: ClassVar[float] = 3600.0
    r2_threshold: ClassVar[float | None] = None
    """Fits with R2 at or below it fail; None: no gate."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding

    @cached_property
    def members(self) -> Mapping[str, Self]:
        """The task as each of those that it judges would have it alone; a task on one target is its only member."""
        binding = self.binding
        if not binding.members:
            return {binding.target: self}
        return {
            qubit: type(self)(replace(binding, target=qubit, inputs=inputs, members={}))
            for qubit, inputs in binding.members.items()
        }

    # ------------------------------------------------------------ the three steps

    @abstractmethod
    def preprocess(self, backend: Backend) -> None:
        """From inputs and run parameters to what will be measured.

        Raises
        ------
        Refusal
            If what would be measured could not be decided afterwards.
        """

    @abstractmethod
    def run(self, backend: Backend) -> Sequence[Acquisition | Reading] | None:
        """Measure; every program is handed back with its data, and what was asked of the backend as it was told.

        None: nothing was measured that is to be kept.
        """

    @abstractmethod
    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessed | None:
        """Fit, judge, prepare figures. Touches no instrument, so that stored data can be analysed again.

        A task that judges several members returns a result for each (see ``each``), any other task only one. None:
        there is nothing to say, which fails a task that declares outputs, and no other.
        """

    @classmethod
    def estimated_duration_s(cls) -> float:
        """Time on real instruments at default sweeps; orders tasks and tells `plan` how long it takes."""
        return UNKNOWN_DURATION_S

    # ------------------------------------------------------------ what it is bound to

    @property
    def target(self) -> str:
        """The target's id: ``3``, ``0-1``, ``mux-0`` or ``chip``."""
        return self.binding.target

    @property
    def ends(self) -> tuple[str, str]:
        """Of a coupling task its control and target qubit."""
        control, _, target = self.target.partition("-")
        return control, target

    def each(self, analyse: Callable[[Self], PostProcessResult]) -> dict[str, PostProcessResult]:
        """What an analysis says of each member.

        One whose data make no curve is judged so, and costs the others nothing.
        """
        from kubecal_tasks.fits.values import FitError  # not at import: it is numeric

        found: dict[str, PostProcessResult] = {}
        for qubit, member in self.members.items():
            try:
                found[qubit] = analyse(member)
            except FitError as error:
                found[qubit] = unfit(error)
        return found

    def has(self, name: str) -> bool:
        """Whether an optional input is known; of a coupling's qubits it is called ``control_qubit_frequency``."""
        return name in self.binding.inputs

    def value(self, name: str) -> float:
        """An input in SI."""
        return self.binding.inputs[name].si_value

    def error(self, name: str) -> float:
        """The one-sigma error of an input in SI; 0 where none is known."""
        return self.binding.inputs[name].si_error

    def number(self, name: str) -> float:
        """A run parameter that is a number, in SI."""
        value = self.binding.parameters[name]
        assert isinstance(value, int | float)
        return float(value)

    def integer(self, name: str) -> int:
        """A run parameter that is a whole number."""
        value = self.binding.parameters[name]
        assert isinstance(value, int)
        return value

    def sweep(self, name: str) -> NDArray[np.float64]:
        """A run parameter that is a sweep, in SI."""
        import numpy as np  # not at import: the catalogue is exported and pods start without it

        return np.asarray(self.binding.parameters[name], dtype=np.float64)

    # ------------------------------------------------------------ the catalogue's view

    @classmethod
    def catalogue_entry(cls) -> CatalogueTask:
        """The task as the catalogue knows it."""
        return CatalogueTask(
            name=cls.name,
            kind=cls.kind,
            description=next(iter((cls.__doc__ or "").strip().splitlines()), cls.name),
            drives=cls.drives,
            batch=cls.batch,
            inputs=tuple(entry for each in cls.inputs for entry in each.entries()),
            outputs=tuple(each.entry() for each in cls.outputs),
            run_parameters=cls.run_parameters,
            timeout_s=cls.timeout_s,
            r2_threshold=cls.r2_threshold,
            duration_s=round(cls.estimated_duration_s(), 1),
        )
