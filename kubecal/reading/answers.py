"""The answers about what was recorded: executions, results, parameters.

Every field is optional or has been there from the first version, and unknown fields are left aside: an older
command line understands a newer ``kubecal-api``. Values are in the catalogue's units, times are UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """What all answers share: frozen, camelCase as JSON."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        populate_by_name=True,
        # JSON has no word for what is not a number: "NaN" and "Infinity" are read back as what they were.
        ser_json_inf_nan="strings",
    )


class Execution(Answer):
    """One session as it was carried out, in brief."""

    execution_id: str
    project_id: str
    chip: str
    session: str
    """Name of the CalibrationSession."""
    namespace: str
    session_uid: str
    flow_name: str
    username: str
    status: str
    """scheduled, running, completed, failed or cancelled."""
    phase: str
    """The session's own word: Running, PartiallyFailed, ..."""
    message: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    counts: dict[str, int] = {}
    """Tasks by how they ended: succeeded, failed, skipped, cancelled, planned."""
    cooldown_id: str = ""
    created_at: datetime
    started_at: datetime | None = None
    """When it first held the chip."""
    ended_at: datetime | None = None


class ExecutionDetail(Execution):
    """An execution with all that is needed to understand it and to run it again."""

    chip_spec: dict[str, Any]
    """The execution's own copy of ``Chip.spec``, as a manifest writes it."""
    session_spec: dict[str, Any]
    """``CalibrationSession.spec`` as it was admitted, as a manifest writes it."""
    hardware_id: str
    time_zone: str
    image: str
    catalogue_hash: str


class TaskState(Answer):
    """One attempt in brief: what a live view shows. Of a MUX or batch task there is one for each that is judged."""

    task_id: str
    step: str
    task: str
    target: str
    """What the task ran on."""
    qid: str
    """The qubit or coupling that is judged; empty: the chip."""
    ordinal: int
    attempt: int
    status: str
    """scheduled, running, completed, failed, skipped or cancelled."""
    verdict: str = ""
    """Empty: it reached none."""
    message: str = ""
    superseded: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None


class InputValue(Answer):
    """One input as an attempt used it."""

    name: str
    value: float
    error: float
    unit: str
    origin: str
    """Where it came from: override, snapshot, session, published, prior, design, backend, fallback."""
    role: str = ""
    """Of a coupling task's inputs whose they are: control, target; empty: the row's own."""
    entity_id: str = ""


class OutputValue(Answer):
    """One output of an attempt."""

    name: str
    value: float
    error: float
    unit: str
    description: str = ""
    group: str = ""
    accepted: bool = True
    """Whether its own checks and those of its group passed."""
    previous: float | None = None
    """The value that was the chip's when the attempt began, or that it would replace; None: there was none."""
    previous_error: float | None = None
    sigmas: float | None = None
    """(value - previous) / sqrt(error² + previous_error²); None: no value before it."""


class Check(Answer):
    """One named judgement with what was compared."""

    name: str
    value: float
    limit: float
    ok: bool
    message: str = ""


class Suggestion(Answer):
    """Concrete run parameters for a next attempt, as a manifest would write them."""

    parameters: dict[str, Any]
    reason: str


class Result(TaskState):
    """One attempt whole: a row of ``task_result_history``."""

    execution_id: str
    chip: str
    inputs: tuple[InputValue, ...] = ()
    run_parameters: dict[str, Any] = {}
    adapted: dict[str, Any] = {}
    """Run parameters that the attempt before suggested."""
    outputs: tuple[OutputValue, ...] = ()
    metrics: dict[str, float] = {}
    checks: tuple[Check, ...] = ()
    suggestion: Suggestion | None = None
    moved: dict[str, float] = {}
    """Outputs that are not any more what they were in the same cool-down, by how many sigmas."""
    measured_at: datetime | None = None
    wires: tuple[tuple[str, str, str], ...] = ()
    """What it held: mode (X or S), kind, id."""
    figure_ids: tuple[str, ...] = ()
    """File ids, SVG and PNG of each figure in turn."""
    json_figure_ids: tuple[str, ...] = ()
    raw_data_ids: tuple[str, ...] = ()
    source_task_id: str = ""
    """The row whose data were analysed anew."""
    excluded: bool = False
    excluded_reason: str = ""
    stack_trace: str = ""
    log_tail: str = ""


class ParameterValue(Answer):
    """One value of one parameter of one qubit or coupling: current, or one of its history."""

    target: str
    """Id of the qubit or coupling."""
    name: str
    value: float
    error: float
    unit: str
    description: str = ""
    measured_at: datetime
    cooldown_id: str = ""
    execution_id: str = ""
    task_id: str = ""
    task: str = ""
    """What it came from: a task's name, or set, revert, publish. Empty where the records do not say."""
    by_hand: bool = False
    entity_id: str = ""
    reverted: bool = False
    """Of a value of the history: whether it was taken back."""
