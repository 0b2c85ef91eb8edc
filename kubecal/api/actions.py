"""Steps that work on records instead of measuring: set, publish, revert, exclude, reanalyse. None claims a wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubecal.api.chip import MAX_COUPLINGS, MAX_QUBITS, CouplingId, QubitId
from kubecal.api.model import Boolean, Matching, Model, Number, Unique, rule

ExecutionId = Annotated[
    str,
    Field(max_length=16),
    Matching(r"([0-9]{8}-[0-9]{3,7})?", "write YYYYMMDD-NNN, like 20261123-004"),
]
GivenExecutionId = Annotated[
    str,
    Field(max_length=16),
    Matching(r"[0-9]{8}-[0-9]{3,7}", "write YYYYMMDD-NNN, like 20261123-004"),
]
TaskName = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(r"[A-Za-z][A-Za-z0-9]*", "write the name of a task: letters and digits, like CheckT1"),
]
ParameterName = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(r"[a-z][a-z0-9_]*", "write the name of a parameter, like qubit_frequency"),
]
TaskId = Annotated[
    str,
    Field(max_length=32),
    Matching(r"[0-9a-f]{32}", "write a task id: 32 hexadecimal digits, as results show it"),
]


TargetId = Annotated[
    str,
    Field(max_length=11),
    Matching(
        r"(0|[1-9][0-9]*)(-(0|[1-9][0-9]*))?",
        'write the id of a qubit or coupling without leading zeros, in quotes, like "0" or "0-1"',
    ),
]


class GivenValue(Model):
    """A parameter's value by hand."""

    value: Number
    """In the catalogue's unit."""
    error: Number = Field(default=0.0, ge=0)
    """One standard deviation, in the same unit; 0: not known."""


GivenValues = Annotated[dict[ParameterName, GivenValue], Field(min_length=1, max_length=64)]
"""Values by parameter name."""


class GivenParameters(Model):
    """Values of parameters by what they belong to."""

    qubits: dict[QubitId, GivenValues] = Field(default_factory=dict, max_length=MAX_QUBITS)
    """By qubit and name, like {"0": {qubit_frequency: {value: 4.91, error: 0.002}}}."""
    couplings: dict[CouplingId, GivenValues] = Field(default_factory=dict, max_length=MAX_COUPLINGS)
    """By coupling and name."""

    @property
    def by_id(self) -> dict[str, dict[str, GivenValue]]:
        """All of them, qubits first."""
        return {**self.qubits, **self.couplings}


class SetParameters(GivenParameters):
    """Parameters set by hand: they become the chip's current ones, recorded as set by this session."""

    @rule(
        "(has(self.qubits) && size(self.qubits) > 0) || (has(self.couplings) && size(self.couplings) > 0)",
        "give values under qubits or couplings",
    )
    def _something(self) -> bool:
        return bool(self.qubits or self.couplings)


class PublishResults(Model):
    """Make accepted results of an earlier execution the chip's current parameters."""

    execution_id: GivenExecutionId
    """Of which execution, on the same chip."""
    targets: Annotated[tuple[TargetId, ...], Field(max_length=MAX_QUBITS), Unique()] = ()
    """Only those of these qubits and couplings; empty: of all."""
    parameters: Annotated[tuple[ParameterName, ...], Field(max_length=64), Unique()] = ()
    """Only these parameters; empty: all. Members of one group go together."""


class RevertExecution(Model):
    """Take back what an execution published: what was current before is current again."""

    execution_id: GivenExecutionId
    """Of which execution, on the same chip."""


class ExcludeResults(Model):
    """Take results out of statistics and filters, or back in."""

    task_ids: Annotated[tuple[TaskId, ...], Field(min_length=1, max_length=256), Unique()]
    """Which results, by their task ids."""
    reason: str = Field(default="", max_length=1024)
    """For people; required unless undone."""
    undo: Boolean = False
    """True: count them again."""

    @rule("self.undo || (has(self.reason) && self.reason != '')", "give a reason: others will ask")
    def _says_why(self) -> bool:
        return self.undo or bool(self.reason)


class ReanalyseResults(Model):
    """Run the present code on the stored raw data of an earlier execution; no instrument is touched.

    What comes out are results of this session, each of which names the result whose data it is made of.
    """

    execution_id: GivenExecutionId
    """Of which execution, on the same chip."""
    tasks: Annotated[tuple[TaskName, ...], Field(max_length=64), Unique()] = ()
    """Only the results of these tasks; empty: of all that have raw data."""
    publish: Boolean = False
    """True: good results become the chip's current parameters, unless what is current was measured later."""
