"""In which order answers come."""

from __future__ import annotations

import random

from kubecal.reading.answers import TaskState
from kubecal.reading.order import by_number, in_plan_order

SPEC = {
    "steps": [
        {"name": "b", "tasks": [{"task": "CheckT1"}, {"task": "CheckRabi"}, {"task": "CheckT1"}]},
        {"name": "filter"},
        {"name": "a", "tasks": [{"task": "CheckZX90"}]},
    ]
}


def state(step: str, task: str, target: str, ordinal: int = 0, attempt: int = 1) -> TaskState:
    identity = f"{step}-{task}-{target}-{ordinal}-{attempt}"
    return TaskState(
        task_id=identity, step=step, task=task, target=target, qid=target, ordinal=ordinal, attempt=attempt, status=""
    )


def test_targets_go_by_number_qubits_before_couplings_before_the_rest() -> None:
    ordered = ["0", "2", "10", "0-1", "2-3", "10-11", "mux-0", "mux-10", "chip"]
    mixed = random.Random(1).sample(ordered, len(ordered))
    assert sorted(mixed, key=by_number) == ordered


def test_attempts_go_by_step_by_place_in_it_by_target_and_by_number() -> None:
    ordered = [
        state("b", "CheckT1", "2"),
        state("b", "CheckT1", "10"),
        state("b", "CheckT1", "10", attempt=2),
        state("b", "CheckRabi", "2"),
        state("b", "CheckT1", "2", ordinal=1),
        state("a", "CheckZX90", "0-1"),
        state("parking", "Configure", "0"),
    ]
    mixed = random.Random(1).sample(ordered, len(ordered))
    assert in_plan_order(mixed, SPEC) == ordered
