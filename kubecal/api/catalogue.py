"""The catalogue: what the operator and `plan` must know of every task and backend without importing numpy.

``kubecal tasks export`` writes it from the task classes; the built-in one ships with the light package
and the chart. A session pins the catalogue's hash at admission and every pod compares it with its own, so
an image and a catalogue that do not belong together are noticed before anything is driven.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

CONFIG_MAP_KEY = "catalogue.json"
"""Under which a ConfigMap holds the catalogue of an author's image."""


class TargetKind(StrEnum):
    """What one task acts on."""

    QUBIT = "Qubit"
    COUPLING = "Coupling"
    MUX = "Mux"
    """Runs once a MUX, judged for each of its qubits."""
    CHIP = "Chip"


class ParameterKind(StrEnum):
    """What may be written as a run parameter's value."""

    INTEGER = "Integer"
    NUMBER = "Number"
    """A number in the parameter's unit, or a string with a unit."""
    SWEEP = "Sweep"
    """A list of numbers, or ``{start, stop, num | step, scale}``."""
    STRING = "String"
    BOOLEAN = "Boolean"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class RunParameter(_Entry):
    """One run parameter of a task."""

    name: str
    kind: ParameterKind
    unit: str = ""
    """Unit of plain numbers; empty for dimensionless ones."""
    default: Any = None
    """As a manifest writes it. None: computed by the task from its inputs."""
    minimum: float | None = None
    maximum: float | None = None
    max_points: int | None = None
    """Longest sweep accepted."""
    choices: tuple[str, ...] = ()
    """Accepted values of a String."""
    description: str = ""


class Input(_Entry):
    """One parameter a task reads."""

    name: str
    unit: str = ""
    required: bool = True
    role: str = ""
    """Of a coupling task's inputs whose they are: ``control``, ``target``, or the coupling's own (empty)."""
    hint: str = ""
    """Which task provides it, for the message when it is missing."""


class Output(_Entry):
    """One parameter a task writes."""

    name: str
    unit: str = ""
    required: bool = True
    """False: may fail its checks without failing the task."""
    group: str = ""
    """Outputs of one group are published whole or not at all."""
    description: str = ""
    drift: float | None = None
    """What may change within ``max_age_s`` without alarm; in the unit, or a fraction where drift_relative."""
    drift_relative: bool = False
    max_age_s: float | None = None


class CatalogueTask(_Entry):
    """What is known of a task without its code."""

    name: str
    kind: TargetKind
    description: str
    drives: bool = True
    """False: only computes, claims nothing."""
    batch: bool = False
    """Whether one pod of it can measure several qubits at once."""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()
    run_parameters: tuple[RunParameter, ...] = ()
    timeout_s: float = 3600.0
    r2_threshold: float | None = None
    """The default of the R2 gate; None: the task has no gate, and a manifest may not set one."""
    duration_s: float = 0.0
    """Estimated time on real instruments at default sweeps."""
    source: str = ""
    """The loose file that defines it, with its SHA-256, ``my_task.py sha256:...``; empty: it is installed."""

    @cached_property
    def run_parameter_by_name(self) -> dict[str, RunParameter]:
        """Run parameters under their names."""
        return {parameter.name: parameter for parameter in self.run_parameters}


class CatalogueBackend(_Entry):
    """What is known of a backend without its code."""

    name: str
    description: str = ""
    config_schema: dict[str, Any]
    """JSON schema of ``Chip.spec.backend.config``; Any because that is what JSON schema is."""
    takes_clock: bool = False
    """True: the engine reads config.clock and decides what time the pods measure at."""
    simulated: bool = False
    """True: no instruments, modules are shared unless the wiring says otherwise."""


class Catalogue(_Entry):
    """Every task and backend of one image."""

    version: int = 1
    tasks: tuple[CatalogueTask, ...]
    backends: tuple[CatalogueBackend, ...]

    @cached_property
    def task_by_name(self) -> dict[str, CatalogueTask]:
        """Tasks under their names."""
        return {task.name: task for task in self.tasks}

    @cached_property
    def backend_by_name(self) -> dict[str, CatalogueBackend]:
        """Backends under their names."""
        return {backend.name: backend for backend in self.backends}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits."""
        return hashlib.sha256(self.to_json(indent=None).encode()).hexdigest()

    def to_json(self, indent: int | None = 1) -> str:
        """The catalogue as text; with ``indent=None`` the canonical form that is hashed."""
        document = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        separators = (",", ":") if indent is None else (",", ": ")
        return json.dumps(document, sort_keys=True, indent=indent, separators=separators, ensure_ascii=False)


def load_catalogue(text: str) -> Catalogue:
    """Read a catalogue file.

    Raises
    ------
    pydantic.ValidationError
        If it is not a catalogue of this version.
    """
    return Catalogue.model_validate_json(text)


def built_in_catalogue() -> Catalogue:
    """The catalogue of the tasks that ship with kubecal."""
    return load_catalogue(resources.files("kubecal.api").joinpath("catalogue.json").read_text("utf-8"))
