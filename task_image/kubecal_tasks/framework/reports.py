"""What the measuring child tells its parent: plain values, so that the parent needs no numeric library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubecal.api.request import TaskRequest
from kubecal_tasks.framework.inputs import Candidate, InputValue
from kubecal_tasks.framework.outcome import Drawn, Judgement, NamedFile, Suggestion


@dataclass(frozen=True)
class Go:
    """Parent to child: the attempt is claimed, this is what the records offer as inputs."""

    session: Mapping[str, Candidate] = field(default_factory=dict)
    """This session's own newest ok outputs of the target."""
    published: Mapping[str, Candidate] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """What will be measured with; reported before the measurement, so that it is known however that ends."""

    inputs: Mapping[str, InputValue]
    parameters: Mapping[str, object]
    """Run parameters as a manifest would write them, class defaults included."""


@dataclass(frozen=True)
class Measured:
    """The raw data, reported before anything is judged."""

    files: tuple[NamedFile, ...]
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class OutputValue:
    """One output in the unit of records."""

    name: str
    value: float
    error: float
    unit: str
    description: str
    group: str
    accepted: bool
    """Whether its own checks and those of its group passed."""


@dataclass(frozen=True)
class Judged:
    """The result of the attempt."""

    judgement: Judgement
    outputs: tuple[OutputValue, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    suggestion: Suggestion | None = None
    stack_trace: str = ""
    """Of the instrument's error that became the verdict."""


@dataclass(frozen=True)
class FiguresDrawn:
    """The last thing a child says."""

    figures: tuple[Drawn, ...]
    problem: str = ""
    """Why a figure is missing."""


@dataclass(frozen=True)
class Failed:
    """The attempt ends without a verdict."""

    reason: str
    """CamelCase, for the termination message."""
    message: str
    stack_trace: str = ""


@dataclass(frozen=True)
class AttemptReport:
    """Everything the child said, put together: what goes into the record."""

    request: TaskRequest
    prepared: Prepared | None
    measured: Measured | None
    judged: Judged
    figures: tuple[Drawn, ...]
    log: str = ""
