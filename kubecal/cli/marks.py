"""What becomes of each qubit of a session, as signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from kubecal.api.chip import Chip
from kubecal.cli.lattice import Mark
from kubecal.reading.answers import TaskState


class QubitState(Enum):
    """Where a qubit stands, with its sign; those that ask for a look come first."""

    FAILED = Mark("✗", "bold red", 6)
    RUNNING = Mark("●", "bold cyan", 5)
    PARTLY = Mark("○", "cyan", 4)
    """Some of its tasks are done, none runs."""
    WAITING = Mark("·", "", 3)
    DONE = Mark("✓", "green", 2)
    STOPPED = Mark("-", "yellow", 1)
    """The rest of its tasks was skipped or cancelled."""
    DISABLED = Mark("#", "dim", 0)


SPOKEN = {
    QubitState.RUNNING: "running",
    QubitState.DONE: "done",
    QubitState.FAILED: "failed",
    QubitState.PARTLY: "partly done",
    QubitState.WAITING: "waiting",
    QubitState.STOPPED: "stopped",
    QubitState.DISABLED: "off",
}
"""In the order of the legend."""


def qubit_states(last: Iterable[TaskState], chip: Chip | None) -> dict[str, QubitState]:
    """The state of every qubit that a task is about, and of those that are disabled.

    Parameters
    ----------
    last
        The last attempts.
    """
    statuses: dict[str, set[str]] = {}
    for one in last:
        for qubit in _qubits(one.qid):
            statuses.setdefault(qubit, set()).add(one.status)
    states = {qubit: _state(found) for qubit, found in statuses.items()}
    disabled = chip.spec.disabled.qubits if chip is not None else ()
    return {**states, **{qubit: QubitState.DISABLED for qubit in disabled if qubit not in states}}


def legend(states: Mapping[str, QubitState]) -> Sequence[tuple[QubitState, int]]:
    """Which states there are, and how many qubits are in each."""
    counts = Counter(states.values())
    return [(state, counts[state]) for state in SPOKEN if counts[state]]


def _qubits(qid: str) -> Sequence[str]:
    """The qubits a result is about: one, a coupling's two, none of the chip's."""
    return [part for part in qid.split("-") if part.isdigit()]


def _state(statuses: set[str]) -> QubitState:
    if "running" in statuses:
        return QubitState.RUNNING
    if "failed" in statuses:
        return QubitState.FAILED
    if "scheduled" in statuses:
        return QubitState.PARTLY if "completed" in statuses else QubitState.WAITING
    return QubitState.DONE if statuses == {"completed"} else QubitState.STOPPED
