"""What one attempt hands to the records: plain values and bytes, no arrays.

The task side builds these; :mod:`kubecal.records.task` writes them. They know nothing of how a task measures
or fits, only what a record repeats of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kubecal.api.request import TaskRequest, Verdict

MAX_STACK_TRACE = 10_000
"""Characters of a stack trace that a row keeps; the end is kept, where the error stands."""
MAX_LOG_TAIL = 20_000
"""Characters of log that a row keeps, the last ones."""


RAW_DATA = "application/x-npz"
"""Content type of raw data."""
READING = "application/json"
"""Content type of what instruments told in words and numbers, which is kept as raw data too."""


def raw_type(name: str) -> str:
    """The content type of a file of raw data, from its name."""
    return READING if name.endswith(".json") else RAW_DATA


@dataclass(frozen=True)
class FileContent:
    """A file to be stored beside a row: figures and raw data never live in documents."""

    name: str
    """Without folders: ``rabi.svg``, ``raw.npz``."""
    content_type: str
    content: bytes = field(repr=False)

    @property
    def file_id(self) -> str:
        """Its GridFS id, made of its content's SHA-256 and its name: storing it twice is storing it once."""
        return f"{hashlib.sha256(self.content).hexdigest()}-{self.name}"


@dataclass(frozen=True)
class Figure:
    """One figure in the three forms in which it is kept."""

    svg: FileContent
    png: FileContent
    json: FileContent
    """The plotted arrays."""


def input_key(name: str, role: str) -> str:
    """What an input is called where those of several are told apart: ``control_qubit_frequency``."""
    return f"{role}_{name}" if role else name


@dataclass(frozen=True)
class InputRecord:
    """One input as the attempt used it."""

    name: str
    value: float
    error: float
    unit: str
    origin: str
    """Where it came from: override, snapshot, session, published, prior, design, backend, fallback."""
    entity_id: str = ""
    """The parameter version it was, for provenance; empty where there is none."""
    role: str = ""
    """Of a coupling task's inputs whose they are: control, target; empty: the row's own."""

    @property
    def key(self) -> str:
        """What it is called in its row, where both qubits of a coupling have a parameter of the same name."""
        return input_key(self.name, self.role)


@dataclass(frozen=True)
class OutputRecord:
    """One output in the unit of records."""

    name: str
    value: float
    error: float
    unit: str
    description: str = ""
    group: str = ""
    """Outputs of one group are published whole or not at all; empty: on its own."""
    accepted: bool = True
    """Whether its own checks and those of its group passed; others stay in the row and are never published."""


@dataclass(frozen=True)
class CheckRecord:
    """One named judgement with what was compared."""

    name: str
    value: float
    limit: float
    ok: bool
    message: str = ""


@dataclass(frozen=True)
class ShiftRecord:
    """How far an output is from the published value that it replaces: a number, whatever the verdict says of it."""

    previous: float
    """The value that was published, measured in the same cool-down; in the output's unit."""
    previous_error: float
    sigmas: float
    """The new value less the previous one, over both errors together: no drift is allowed for."""


@dataclass(frozen=True)
class SuggestionRecord:
    """Concrete run parameters for a next attempt, as a manifest would write them."""

    parameters: Mapping[str, Any]
    """Any: a run parameter's value is whatever its declaration allows."""
    reason: str


@dataclass(frozen=True)
class AttemptResult:
    """Everything an attempt that reached a verdict leaves behind, of one of those that it judges."""

    verdict: Verdict
    message: str
    started_at: datetime
    ended_at: datetime
    measured_at: datetime
    """The time the values hold for (the request's ``measure_at``)."""
    inputs: tuple[InputRecord, ...] = ()
    run_parameters: Mapping[str, Any] = field(default_factory=dict)
    """As a manifest would write them, class defaults included; Any: as their declarations allow."""
    outputs: tuple[OutputRecord, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    """r2, chi2, p_value, ...: ``quality_metrics`` of the row."""
    checks: tuple[CheckRecord, ...] = ()
    suggestion: SuggestionRecord | None = None
    moved: Mapping[str, float] = field(default_factory=dict)
    """Outputs that are not any more what they were in the same cool-down, as two attempts agree; by how many sigmas."""
    shift: Mapping[str, ShiftRecord] = field(default_factory=dict)
    """Of each accepted output how far it is from the value that it replaces, where there is one of the same thing."""
    disputed: tuple[str, ...] = ()
    """Outputs that were inconsistent: the next attempt is told their values."""
    figures: tuple[Figure, ...] = ()
    raw_data: tuple[FileContent, ...] = ()
    stack_trace: str = ""
    """Of the error that became the verdict hardware_error."""
    log_tail: str = ""

    @property
    def ok(self) -> bool:
        """Whether its accepted outputs may be published."""
        return self.verdict is Verdict.OK


@dataclass(frozen=True)
class StoredData:
    """What an earlier attempt measured, and with what: to be analysed anew."""

    measured_at: datetime
    cooldown_id: str
    """The cool-down in which it was measured."""
    run_parameters: Mapping[str, Any]
    """As a manifest would write them, class defaults included; Any: as their declarations allow."""
    inputs: Mapping[str, tuple[InputRecord, ...]]
    """What it used, of each that is judged."""
    raw_data: tuple[FileContent, ...]
    """In the order in which it was measured."""

    def of_then(self, request: TaskRequest) -> TaskRequest:
        """The request as it was when the data were measured: time, run parameters and cool-down are theirs."""
        return request.model_copy(
            update={
                "measure_at": self.measured_at,
                "parameters": dict(self.run_parameters),
                "chip": request.chip.model_copy(update={"cooldown": self.cooldown_id}),
            }
        )


@dataclass(frozen=True)
class CrashReport:
    """What an attempt that ends without a verdict leaves behind; the controller says what becomes of it."""

    reason: str
    """CamelCase, as on the termination message."""
    message: str
    stack_trace: str = ""
    log_tail: str = ""
    inputs: Mapping[str, tuple[InputRecord, ...]] = field(default_factory=dict)
    """Of each that would have been judged."""
    run_parameters: Mapping[str, Any] = field(default_factory=dict)
    """Any: as their declarations allow."""
    raw_data: tuple[FileContent, ...] = ()


@dataclass(frozen=True)
class Offer:
    """A value the records offer as an input."""

    name: str
    value: float
    error: float
    unit: str
    calibrated_at: datetime | None
    """None: the records do not say; of inputs that were used once they know only the value."""
    entity_id: str
    """The parameter version's id, also for values of this session that were never published."""
    cooldown_id: str = ""
    """The cool-down in which it was measured; empty: not known."""
    by_hand: bool = False
    """Whether a person said so: no measurement has to agree with it."""


@dataclass(frozen=True)
class InputOffers:
    """What the records have for one qubit or coupling."""

    snapshot: Mapping[str, Offer] = field(default_factory=dict)
    """What was used in the execution that is repeated."""
    session: Mapping[str, Offer] = field(default_factory=dict)
    """This session's own newest ok outputs, published or not."""
    published: Mapping[str, Offer] = field(default_factory=dict)
    """The chip's current parameters."""
