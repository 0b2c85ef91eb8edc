"""Every planted fault ends with its verdict, on tasks of a check and some that look at the chip beside it.

``python -m tests.bench.faults`` does the same with every task on two hundred chips.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import OutputRecord
from kubecal_tasks.backends.fake.config import FakeConfig, Fault, FaultKind
from kubecal_tasks.backends.fake.faults import active_faults, glitched, narrowed
from kubecal_tasks.framework.registry import all_tasks
from kubecal_tasks.programs import Average, Axis, Program, Readout, Swept, Tone
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.bench.faults import Ended, Key, judged
from tests.bench.planted import COMPUTED, DRIVEN, HEALTHY, PLANTED, RESONATOR, SET_UP, Planted

CHECK = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")
BESIDE = ("CheckQubit", "CheckQubitFrequencies", "CheckReflectionCoefficient")
LOOP = ClosedLoop(square_lattice(2, 2, 4), {})
CASES = [(planted, task) for planted in PLANTED for task in (*CHECK, *BESIDE) if task in planted.touches]


@pytest.fixture(scope="module")
def endings() -> dict[Key, Ended]:
    return judged(3, PLANTED, (*CHECK, *BESIDE), CHECK)


@pytest.mark.parametrize(("planted", "task"), CASES, ids=[f"{planted.words}-{task}" for planted, task in CASES])
def test_a_fault_gets_its_verdict(endings: dict[Key, Ended], planted: Planted, task: str) -> None:
    ended = endings[planted.words, task]
    assert ended.words == planted.verdict_of(task), ended.message
    assert bool(ended.message) is (ended.words != Verdict.OK), "what is wrong is said"


def test_every_task_is_one_that_the_table_knows() -> None:
    groups = (SET_UP, COMPUTED, RESONATOR, DRIVEN)
    assert sorted(name for group in groups for name in group) == sorted(all_tasks())
    for planted in PLANTED:
        assert set(planted.touches) <= all_tasks().keys()
        assert len(set(planted.touches)) == len(planted.touches)
        assert {*planted.otherwise, *planted.flags} <= set(planted.touches)
    assert {each.kind for each in PLANTED} == {HEALTHY, *FaultKind}
    assert all(all_tasks()[name].kind is not TargetKind.CHIP for name in (*RESONATOR, *DRIVEN))


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("Glitches", 0.35, "glitches"),
        ("InstrumentError", None, "the instrument reports an error"),
        ("InstrumentHang", 0.01, "did not answer for 0.01 s"),
        ("WrongWindow", None, "sweep further"),
        ("NoLine", None, "no signal"),
        ("SaturatedReadout", None, "exceed the ADC's full scale: lower readout_amplitude"),
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


def test_a_wrong_window_of_frequencies_is_the_lowest_part_of_the_band() -> None:
    """A twentieth of a frequency would be no frequency that any line plays."""
    tone = Tone("readout/0", Swept("frequency"), 0.1)
    swept = Program((), (), Readout((tone,), 384e-9), Average(16), 1e-4, (Axis("frequency", (6e9, 6.5e9, 7e9), "Hz"),))
    (axis,) = narrowed(swept, None).axes
    assert axis.values == pytest.approx((6e9, 6.025e9, 6.05e9))


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


def through(tasks: tuple[str, ...], faults: list[dict[str, Any]]) -> dict[str, Outcome]:
    """Outcomes of tasks that go on with what the ones before them found."""
    loop = ClosedLoop(LOOP.topology, {"seed": 3, "drift": False, "faults": faults})
    return {task: loop.run(task, "0") for task in ("CheckRabi", "CreateHPIPulse", *tasks)}


def output(outcome: Outcome, name: str) -> OutputRecord:
    return next(each for each in outcome.judged.outputs if each.name == name)


def test_a_two_level_system_shortens_t1_and_moves_the_frequency() -> None:
    before, after = (
        through(("CheckRamsey", "CheckT1"), faults) for faults in ([], [{"kind": "Tls", "target": "0", "value": 80.0}])
    )
    lived = output(after["CheckT1"], "t1").value / output(before["CheckT1"], "t1").value
    assert lived == pytest.approx(0.45, abs=0.05)
    frequencies = [output(each["CheckRamsey"], "qubit_frequency").value for each in (before, after)]
    assert frequencies[1] - frequencies[0] == pytest.approx(80e-6, abs=5e-6)


def test_two_lines_are_seen_as_such_and_only_by_what_turns_long_enough() -> None:
    before, after = (
        through(("CheckRamsey", "CheckT2Echo"), faults)
        for faults in ([], [{"kind": "TwoLines", "target": "0", "value": 200.0}])
    )
    frequency = output(after["CheckRamsey"], "qubit_frequency")
    assert after["CheckRamsey"].judged.metrics["two_lines"] == 1.0
    assert "two_lines" not in before["CheckRamsey"].judged.metrics
    assert frequency.value == pytest.approx(output(before["CheckRamsey"], "qubit_frequency").value, abs=5e-6)
    assert frequency.error == pytest.approx(200e-6, rel=0.05), "half their distance"
    echo = output(after["CheckT2Echo"], "t2_echo")
    assert echo.value == pytest.approx(output(before["CheckT2Echo"], "t2_echo").value, abs=5 * echo.error)


def run_rabi(fault: dict[str, Any]) -> Outcome:
    return ClosedLoop(LOOP.topology, {"seed": 3, "drift": False, "faults": [fault]}).run("CheckRabi", "0")
