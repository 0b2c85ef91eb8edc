"""Every planted fault ends with its verdict, on each of the six tasks that it touches.

``python -m tests.bench.faults`` does the same on two hundred chips.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.backends.fake.config import FakeConfig, Fault, FaultKind
from kubecal_tasks.backends.fake.faults import active_faults, glitched
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.bench.faults import PLANTED, Planted, judged

CHIPS = (3,)
LOOP = ClosedLoop(square_lattice(2, 2, 4), {})
CASES = [(chip, planted, task) for chip in CHIPS for planted in PLANTED for task in planted.tasks]


@pytest.fixture(scope="module")
def verdicts() -> dict[int, dict[tuple[str, str], tuple[Verdict, str]]]:
    return {chip: judged(chip) for chip in CHIPS}


@pytest.mark.parametrize(
    ("chip", "planted", "task"), CASES, ids=[f"{chip}-{planted.words}-{task}" for chip, planted, task in CASES]
)
def test_a_fault_gets_its_verdict(
    verdicts: dict[int, dict[tuple[str, str], tuple[Verdict, str]]], chip: int, planted: Planted, task: str
) -> None:
    verdict, message = verdicts[chip][planted.words, task]
    assert verdict is planted.expected, message
    assert bool(message) is (verdict is not Verdict.OK), "what is wrong is said"


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("Glitches", 0.35, "glitches"),
        ("InstrumentError", None, "the instrument reports an error"),
        ("InstrumentHang", 0.01, "did not answer for 0.01 s"),
        ("WrongWindow", None, "sweep further"),
        ("NoLine", None, "no signal"),
    ],
)
def test_the_message_names_the_trouble(kind: str, value: float | None, words: str) -> None:
    outcome = run_rabi({"kind": kind, "target": "0"} | ({} if value is None else {"value": value}))
    assert words in outcome.judged.message


@pytest.mark.parametrize(
    ("limits", "attempt", "befalls"),
    [
        ({"target": "0"}, 3, True),
        ({"target": "1"}, 1, False),
        ({"target": "chip"}, 1, False),
        ({"target": "0", "tasks": ("CheckRabi",)}, 1, True),
        ({"target": "0", "tasks": ("CheckT1",)}, 1, False),
        ({"target": "0", "attempts": 1}, 1, True),
        ({"target": "0", "attempts": 1}, 2, False),
    ],
)
def test_a_fault_befalls_its_target_its_tasks_and_its_first_attempts(
    limits: dict[str, Any], attempt: int, befalls: bool
) -> None:
    request = LOOP.request("CheckRabi", "0", {}, 0).model_copy(update={"attempt": attempt})
    config = FakeConfig(faults=(Fault(kind=FaultKind.NO_LINE, **limits),))
    faults = active_faults(config, request)
    assert (faults.anywhere(FaultKind.NO_LINE) is not None) is befalls
    assert (faults.on(FaultKind.NO_LINE, "0") is not None) is befalls


def test_garbage_stays_at_its_points_and_is_new_in_every_sweep() -> None:
    """Were it alike, the alternating sum of an echo's phase cycle would cancel it."""
    clean = np.zeros((50, 2))
    first, second = (
        glitched(clean, 0.1, 1.0, np.random.default_rng(1), np.random.default_rng(sweep)) for sweep in (2, 3)
    )
    hit = np.flatnonzero(first.any(axis=1))
    assert len(hit) == 5
    assert hit.tolist() == np.flatnonzero(second.any(axis=1)).tolist()
    assert not np.any(first[hit] == second[hit])


def run_rabi(fault: dict[str, Any]) -> Outcome:
    return ClosedLoop(LOOP.topology, {"seed": 3, "drift": False, "faults": [fault]}).run("CheckRabi", "0")
