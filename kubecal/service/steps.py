"""The steps of ``CalibService.run``: each says what a session is asked for, and what is told of its results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubecal.api.steps import MAX_TASKS_PER_STEP
from kubecal.service.defaults import Defaults
from kubecal.service.errors import ServiceError
from kubecal.service.names import step_name
from kubecal.service.task_lists import BRINGUP_TASKS, CHECK_1Q_TASKS, FULL_1Q_TASKS_AFTER_CHECK, FULL_2Q_TASKS

Manifest = dict[str, Any]
"""A step as a manifest writes it; Any: manifest values."""
METRICS = {
    "x90_fidelity": "x90_gate_fidelity",
    "x180_fidelity": "x180_gate_fidelity",
    "zx90_fidelity": "zx90_gate_fidelity",
    "rb_fidelity": "average_gate_fidelity",
    "bell_fidelity": "bell_state_fidelity",
}
"""What flows call some outputs."""
_MODES = {"scheduled": "MuxSerial", "synchronized": "Isolated", "serial": "Serial"}


@dataclass(frozen=True)
class Course:
    """What the steps before have arranged for the ones that follow."""

    defaults: Defaults
    named: tuple[str, ...] = ()
    """Couplings that the targets name; empty: all between the qubits."""
    pairs: tuple[tuple[str, ...], ...] = ()
    """Groups of couplings, one after another; empty: as the wiring allows."""
    inverse: bool = False
    max_parallel: int = 0


@dataclass(frozen=True)
class Planned:
    """A step, and the manifest steps that it became."""

    step: Step
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True)
class Step(ABC):
    """One part of a calibration."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Under which its results are found."""

    @abstractmethod
    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """What the session is asked for; nothing: it only arranges what follows."""

    def after(self, course: Course) -> Course:
        """What it arranges for the steps that follow."""
        return course


class QubitStep(Step):
    """Tasks on qubits."""

    mode: str
    """``synchronized``: no two neighbours at a time; ``scheduled``: one qubit of a MUX at a time; ``serial``."""

    @property
    @abstractmethod
    def task_names(self) -> Sequence[str]:
        """What is run, in order."""

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """These tasks on every target that has come this far."""
        if self.mode not in _MODES:
            raise ServiceError(f"{type(self).__name__}: mode is {self.mode!r}: write one of {', '.join(_MODES)}")
        return _of_tasks(self.name, self.task_names, course, {"schedule": {"mode": _MODES[self.mode]}})


@dataclass(frozen=True)
class CustomOneQubit(QubitStep):
    """Any tasks on qubits: ``CustomOneQubit(step_name="coherence", tasks=["CheckT1", "CheckT2Echo"])``."""

    step_name: str = "custom_one_qubit"
    tasks: Sequence[str] = ()
    mode: str = "synchronized"

    @property
    def name(self) -> str:
        """Its own."""
        return self.step_name

    @property
    def task_names(self) -> Sequence[str]:
        """Its tasks."""
        return self.tasks


@dataclass(frozen=True)
class OneQubitCheck(QubitStep):
    """Whether qubits are as they should be: Rabi, half-pi pulse, coherence."""

    mode: str = "synchronized"
    tasks: Sequence[str] | None = None
    configure: bool = False
    """Whether the qubit's settings are pushed first."""

    @property
    def name(self) -> str:
        """``one_qubit_check``."""
        return "one_qubit_check"

    @property
    def task_names(self) -> Sequence[str]:
        """Its tasks, or the standard ones."""
        return _configured(self.tasks or CHECK_1Q_TASKS, self.configure)


@dataclass(frozen=True)
class OneQubitFineTune(QubitStep):
    """Gates of known fidelity: DRAG pulses, readout, randomized benchmarking."""

    mode: str = "synchronized"
    tasks: Sequence[str] | None = None
    configure: bool = False
    """Whether the qubit's settings are pushed first."""

    @property
    def name(self) -> str:
        """``one_qubit_fine_tune``."""
        return "one_qubit_fine_tune"

    @property
    def task_names(self) -> Sequence[str]:
        """Its tasks, or the standard ones."""
        return _configured(self.tasks or FULL_1Q_TASKS_AFTER_CHECK, self.configure)


@dataclass(frozen=True)
class BringUp(QubitStep):
    """From nothing but the design to qubits that can be driven; spectroscopy of a MUX runs once for its qubits."""

    mode: str = "scheduled"
    tasks: Sequence[str] = field(default_factory=lambda: list(BRINGUP_TASKS))

    @property
    def name(self) -> str:
        """``bringup``."""
        return "bringup"

    @property
    def task_names(self) -> Sequence[str]:
        """Its tasks."""
        return self.tasks


@dataclass(frozen=True)
class ConfigureAll(Step):
    """Push all settings to the instruments."""

    @property
    def name(self) -> str:
        """``configure_all``."""
        return "configure_all"

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """One task of the chip."""
        return _of_tasks(self.name, ["ConfigureAll"], course, {"targets": {"chip": True}})


@dataclass(frozen=True)
class FilterByStatus(Step):
    """Only qubits of which no task has failed go on."""

    @property
    def name(self) -> str:
        """``filter_by_status``."""
        return "filter_by_status"

    @property
    def criteria(self) -> str:
        """In words."""
        return "status == success"

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """A filter."""
        return ({"name": step_name(self.name), "filter": {"status": "Succeeded"}},)


@dataclass(frozen=True)
class FilterByMetric(Step):
    """Only qubits go on of which an output, like ``x90_gate_fidelity``, is not below a threshold."""

    metric: str = "x90_fidelity"
    threshold: float = 0.9

    @property
    def name(self) -> str:
        """``filter_by_x90_fidelity``."""
        return f"filter_by_{self.metric}"

    @property
    def criteria(self) -> str:
        """In words."""
        return f"{self.metric} >= {self.threshold:g}"

    @property
    def output(self) -> str:
        """The output as tasks call it."""
        return METRICS.get(self.metric, self.metric)

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """A filter."""
        return ({"name": step_name(self.name), "filter": {"metric": self.output, "min": self.threshold}},)


@dataclass(frozen=True)
class GenerateCRSchedule(Step):
    """How the two-qubit steps that follow go over the couplings: as the wiring allows, in one of two directions."""

    max_parallel_ops: int = 10
    inverse: bool = False
    """The other direction than the design's."""

    @property
    def name(self) -> str:
        """``generate_cr_schedule``."""
        return "generate_cr_schedule"

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """Nothing by itself."""
        return ()

    def after(self, course: Course) -> Course:
        """The schedule."""
        return replace(course, pairs=(), inverse=self.inverse, max_parallel=self.max_parallel_ops)


@dataclass(frozen=True)
class SetCRSchedule(Step):
    """How the two-qubit steps that follow go over the couplings: group by group, ``[[("0", "1")], [("2", "3")]]``."""

    schedule: Sequence[Sequence[tuple[str, str]]] = ()

    @property
    def name(self) -> str:
        """``set_cr_schedule``."""
        return "set_cr_schedule"

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """Nothing by itself."""
        return ()

    def after(self, course: Course) -> Course:
        """The schedule."""
        groups = tuple(tuple(f"{control}-{target}" for control, target in group) for group in self.schedule)
        if not all(groups) or not groups:
            raise ServiceError("SetCRSchedule: the schedule, or a group of it, is empty: name couplings")
        return replace(course, pairs=groups, inverse=False, max_parallel=0)


class CouplingStep(Step):
    """Tasks on couplings whose two qubits have come this far."""

    @property
    @abstractmethod
    def task_names(self) -> Sequence[str]:
        """What is run, in order."""

    def manifests(self, course: Course) -> tuple[Manifest, ...]:
        """These tasks on the couplings, scheduled as arranged."""
        ids = [one for group in course.pairs for one in group] or list(course.named)
        couplings: Manifest = {"ids": ids} if ids else {"auto": True, **({"inverse": True} if course.inverse else {})}
        where: Manifest = {"targets": {"couplings": couplings}}
        if course.pairs:
            where["pairs"] = [list(group) for group in course.pairs]
        if course.max_parallel:
            where["schedule"] = {"maxParallel": course.max_parallel}
        return _of_tasks(self.name, self.task_names, course, where)


@dataclass(frozen=True)
class CustomTwoQubit(CouplingStep):
    """Any tasks on couplings: ``CustomTwoQubit(step_name="cr", tasks=["CheckCrossResonance"])``."""

    step_name: str = "custom_two_qubit"
    tasks: Sequence[str] = ()

    @property
    def name(self) -> str:
        """Its own."""
        return self.step_name

    @property
    def task_names(self) -> Sequence[str]:
        """Its tasks."""
        return self.tasks


@dataclass(frozen=True)
class TwoQubitCalibration(CouplingStep):
    """Cross-resonance gates, from the first look to benchmarking."""

    tasks: Sequence[str] | None = None

    @property
    def name(self) -> str:
        """``two_qubit_calibration``."""
        return "two_qubit_calibration"

    @property
    def task_names(self) -> Sequence[str]:
        """Its tasks, or the standard ones."""
        return self.tasks or FULL_2Q_TASKS


def planned(steps: Sequence[Step], course: Course) -> tuple[Planned, ...]:
    """Every step with what the session is asked for.

    Raises
    ------
    ServiceError
        If one makes no sense.
    """
    found = []
    for step in steps:
        if not isinstance(step, Step):
            raise ServiceError(f"{step!r} is no step: write steps like CustomOneQubit(tasks=['CheckT1'])")
        found.append(Planned(step, step.manifests(course)))
        course = step.after(course)
    if not any(one.manifests for one in found):
        raise ServiceError("steps: there is nothing to run: add a step with tasks")
    return tuple(found)


def _of_tasks(name: str, tasks: Sequence[str], course: Course, where: Manifest) -> tuple[Manifest, ...]:
    """As many manifest steps as the tasks need."""
    if not tasks:
        raise ServiceError(f"step {name}: it has no task: give tasks")
    return tuple(
        {"name": step_name(name), "tasks": [course.defaults.entry(task) for task in some], **where}
        for some in _parts(tasks, MAX_TASKS_PER_STEP)
    )


def _parts(tasks: Sequence[str], size: int) -> list[Sequence[str]]:
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]


def _configured(tasks: Sequence[str], configure: bool) -> Sequence[str]:
    return ["Configure", *tasks] if configure else tasks
