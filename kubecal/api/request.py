"""What goes into a task pod and what comes back on its termination message.

The request is one JSON document in the environment variable ``KUBECAL_REQUEST``; the receipt is what the
pod writes to its termination log. What a pod says is untrusted text: the receipt has a strict schema, and
is believed for dispatch only, until its record was read.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from kubecal.api.catalogue import TargetKind
from kubecal.api.naming import task_id

REQUEST_VARIABLE = "KUBECAL_REQUEST"
"""Environment variable that carries the request."""
POD_UID_VARIABLE = "KUBECAL_POD_UID"
"""Environment variable with the pod's own uid (downward API); the local driver invents one."""
MONGODB_URI_FILE_VARIABLE = "KUBECAL_MONGODB_URI_FILE"
"""Environment variable with the path of the mounted file that holds the MongoDB URI."""
TERMINATION_LOG_VARIABLE = "KUBECAL_TERMINATION_LOG"
"""Environment variable with the path the receipt is written to."""
SCRATCH_VARIABLE = "KUBECAL_SCRATCH"
"""Environment variable with the folder for HOME, matplotlib and the spool."""
DRIVER_PIPE_VARIABLE = "KUBECAL_DRIVER_PIPE"
"""Environment variable with a file descriptor that reads end of file when the local driver is gone; only set by it."""
LOG_VARIABLE = "KUBECAL_LOG"
"""Environment variable with the path of the file that holds what the process prints; only set by the local driver."""
TASK_FILES_VARIABLE = "KUBECAL_TASK_FILES"
"""Environment variable with the paths of loose Python files whose task classes count as installed, as a JSON list."""
UNFIT_TASK_FILE = 3
"""Exit code of the catalogue's export when a loose file cannot be used; why stands on its standard error."""
MAX_REQUEST_BYTES = 64 * 1024
MAX_RECEIPT_BYTES = 4096


class Verdict(StrEnum):
    """The judgement of one attempt's data, worst first."""

    HARDWARE_ERROR = "hardware_error"
    NO_SIGNAL = "no_signal"
    UNPHYSICAL = "unphysical"
    WINDOW = "window"
    POOR_FIT = "poor_fit"
    INCONSISTENT = "inconsistent"
    """Good data of a value that is not what was measured before in the same cool-down."""
    IMPRECISE = "imprecise"
    OK = "ok"


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class RequestSite(_Wire):
    """A qubit of the chip, as the backend needs it."""

    id: str
    x: int
    y: int
    mux: int


class GivenInput(_Wire):
    """An input by hand, in the catalogue's unit."""

    value: float
    error: float = 0.0


class DisputedValues(_Wire):
    """What the attempt before found and what was measured before that did not confirm, in the catalogue's units."""

    measured_at: datetime
    values: dict[str, GivenInput]
    """By the outputs' names; only those that were inconsistent."""


class StoredSource(_Wire):
    """The attempt of an earlier execution whose raw data this one analyses anew; task and targets are the same."""

    execution_id: str
    session_uid: str
    step: str
    ordinal: int
    attempt: int


class RequestChip(_Wire):
    """The chip as it was when the session was planned."""

    project_id: str
    chip_id: str
    hardware_id: str
    time_zone: str
    cooldown: str = ""
    """Name of the present cool-down."""
    sites: tuple[RequestSite, ...]
    couplings: tuple[tuple[str, str], ...]
    """(control, target) of every coupling between the sites; empty where there are too many for a request."""
    design: dict[str, Any] = Field(default_factory=dict)
    """``Chip.spec.design`` cut down to the bands and this task's targets; Any: values are checked by the task."""
    backend: str
    backend_config: dict[str, Any] = Field(default_factory=dict)
    """Checked by the backend's own schema."""


class TaskRequest(_Wire):
    """Everything one attempt needs to know besides what it reads from MongoDB."""

    version: int = 1
    session_uid: str
    session: str
    namespace: str
    execution_id: str
    username: str
    step: str
    task: str
    target: str
    ordinal: int
    attempt: int = Field(ge=1)
    charged_retries: int = Field(ge=0)
    """Crashes and bad verdicts so far: part of the simulator's random key."""
    kind: TargetKind = TargetKind.QUBIT
    members: tuple[str, ...] = ()
    """The qubits that a MUX or batch task measures in this attempt, each with a row of its own; empty for others."""
    parameters: dict[str, Any]
    """Run parameters after precedence, without class defaults; Any: checked strictly by the task's declaration."""
    timeout_s: float
    r2_threshold: float | None
    publish: bool
    tags: tuple[str, ...]
    measure_at: datetime
    """The time the measurement counts as made at; on a simulated chip also the truth's."""
    snapshot: str = ""
    """Execution whose inputs this attempt takes where it has them; empty: none."""
    overrides: dict[str, dict[str, GivenInput]] = Field(default_factory=dict)
    """Inputs by hand, by qubit or coupling and name; they win over all others."""
    disputed: dict[str, DisputedValues] = Field(default_factory=dict)
    """With what this attempt has to agree, by what is judged, where the one before it was inconsistent."""
    reanalyses: StoredSource | None = None
    """Nothing is measured: these data are analysed; None: it measures."""
    catalogue_hash: str
    chip: RequestChip

    @property
    def task_id(self) -> str:
        """Identifies this attempt; the ``_id`` of its row where it has only one."""
        return self.row_id(self.target)

    def row_id(self, qid: str) -> str:
        """The ``_id`` of the row of one member; of a task with one row that is the target's."""
        return task_id(self.session_uid, self.step, self.task, self.target, self.ordinal, self.attempt, qid)

    def source_row_id(self, qid: str) -> str:
        """The ``_id`` of the row whose data are analysed anew for one of those that are judged; empty: none."""
        source = self.reanalyses
        if source is None:
            return ""
        return task_id(source.session_uid, source.step, self.task, self.target, source.ordinal, source.attempt, qid)

    @property
    def judged(self) -> tuple[str, ...]:
        """What is judged, each in a row of its own: the members of a MUX or batch task, else the target."""
        return self.members or (self.target,)

    @property
    def qubits(self) -> tuple[str, ...]:
        """The qubits that it drives or reads; of a chip task all that the request has."""
        if self.kind is TargetKind.CHIP:
            return tuple(site.id for site in self.chip.sites)
        return concerned_qubits(self.kind, self.target, self.members)

    @property
    def parameter_ids(self) -> tuple[str, ...]:
        """The qubits and the coupling whose parameters it reads; a chip task reads none."""
        return concerned_ids(self.kind, self.target, self.members)

    def to_json(self) -> str:
        """The text of the environment variable."""
        return self.model_dump_json(by_alias=True)


def concerned_qubits(kind: TargetKind, target: str, members: tuple[str, ...]) -> tuple[str, ...]:
    """The qubits a task is about: its members, both of its coupling, or its only one; none of a chip task's is named.

    Raises
    ------
    ValueError
        If it is a MUX task without members: an attempt without rows.
    """
    if members:
        return members
    match kind:
        case TargetKind.QUBIT:
            return (target,)
        case TargetKind.COUPLING:
            control, _, other = target.partition("-")
            return (control, other)
        case TargetKind.CHIP:
            return ()
        case TargetKind.MUX:
            raise ValueError(f"a MUX task on {target!r} has no members: name the qubits that it measures")


def concerned_ids(kind: TargetKind, target: str, members: tuple[str, ...]) -> tuple[str, ...]:
    """The qubits a task is about and, of a coupling task, the coupling: under these ids records hold its parameters."""
    qubits = concerned_qubits(kind, target, members)
    return (*qubits, target) if kind is TargetKind.COUPLING else qubits


class Receipt(_Wire):
    """What a task says of itself when it ends, in at most 4 KiB."""

    attempt: str
    """The row's ``_id``."""
    checksum: str
    """SHA-256 of what was stored: of a single row what the row repeats, of several rows one over what each repeats."""
    verdict: Verdict | None = None
    """None: it has several rows, each with a verdict of its own, which the record tells."""
    metrics: dict[str, float] = Field(default_factory=dict)
    message: str = Field(default="", max_length=1024)

    def to_json(self) -> str:
        """The text of the termination message."""
        return self.model_dump_json(by_alias=True)


class TaskTrouble(_Wire):
    """The termination message of a task that ended without a result."""

    reason: str = Field(pattern="^[A-Za-z]{1,40}$")
    """CamelCase: ResultNotStored, CatalogueMismatch, Interrupted, NotClaimed, ..."""
    message: str = Field(default="", max_length=2048)

    def to_json(self) -> str:
        """The text of the termination message."""
        return self.model_dump_json(by_alias=True)


def parse_termination_message(text: str) -> Receipt | TaskTrouble | None:
    """Read what a container left behind; None if it is neither a receipt nor a trouble, whatever it is."""
    if not text or len(text.encode()) > MAX_RECEIPT_BYTES:
        return None
    try:
        document = json.loads(text)
        return (Receipt if "checksum" in document else TaskTrouble).model_validate(document)
    except (ValueError, TypeError, ValidationError):
        return None
