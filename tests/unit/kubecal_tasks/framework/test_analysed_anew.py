"""Stored data analysed anew say what they said when they were measured, and nothing is driven for it."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import InputOffers, InputRecord, StoredData
from kubecal_tasks.backends.fake.backend import FakeBackend
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Prepared, Report
from tests.bench.closed_loop import MEASURED_AT, ClosedLoop, Outcome

TASKS = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")
QUBIT = "0"


@pytest.fixture(scope="module")
def loop() -> ClosedLoop:
    return ClosedLoop(square_lattice(2, 2, 4), {"seed": 3, "drift": False})


@pytest.fixture(scope="module")
def measured(loop: ClosedLoop) -> dict[str, Outcome]:
    return {task: loop.run(task, QUBIT) for task in TASKS}


def stored(outcome: Outcome, **run_parameters: object) -> StoredData:
    inputs: tuple[InputRecord, ...] = tuple(outcome.inputs.values())
    return StoredData(MEASURED_AT, "2026-10", run_parameters, {QUBIT: inputs}, outcome.raw_data)


def again(loop: ClosedLoop, task: str, data: StoredData, figures: bool = False) -> list[Report]:
    reports: list[Report] = []
    offers = {QUBIT: InputOffers(session=loop.found[QUBIT], published=loop.found[QUBIT])}
    prepare_attempt(loop.request(task, QUBIT, {}, 0), reports.append, figures).run(offers, data)
    return reports


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instruments that must not be spoken to."""

    def refuse(*_: object) -> None:
        raise AssertionError("the instruments were spoken to")

    for verb in ("connect", "configure", "run", "park", "disconnect"):
        monkeypatch.setattr(FakeBackend, verb, refuse)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("task", TASKS)
def test_the_same_code_says_the_same_of_the_same_data(
    loop: ClosedLoop, measured: dict[str, Outcome], task: str
) -> None:
    (judged,) = [one for one in again(loop, task, stored(measured[task])) if isinstance(one, Judged)]
    assert judged == measured[task].judged


@pytest.mark.usefixtures("silent")
def test_inputs_and_raw_data_are_those_of_then(loop: ClosedLoop, measured: dict[str, Outcome]) -> None:
    reports = again(loop, "CheckHPIPulse", stored(measured["CheckHPIPulse"]))
    (prepared,) = [one for one in reports if isinstance(one, Prepared)]
    (kept,) = [one for one in reports if isinstance(one, Measured)]
    then = measured["CheckHPIPulse"].inputs
    assert {each.name: each.value for each in prepared.inputs[QUBIT]} == {n: each.value for n, each in then.items()}
    assert {each.origin for each in prepared.inputs[QUBIT]} == {"snapshot"}
    assert kept.raw_data == measured["CheckHPIPulse"].raw_data


@pytest.mark.usefixtures("silent")
def test_an_input_that_was_not_used_then_is_not_taken_from_what_is_known_now(
    loop: ClosedLoop, measured: dict[str, Outcome]
) -> None:
    """T1 was not known when the Rabi was measured; it is now."""
    assert "t1" in loop.found[QUBIT]
    (prepared,) = [one for one in again(loop, "CheckRabi", stored(measured["CheckRabi"])) if isinstance(one, Prepared)]
    assert "t1" not in {each.name for each in prepared.inputs[QUBIT]}


@pytest.mark.usefixtures("silent")
def test_figures_are_drawn_anew(loop: ClosedLoop, measured: dict[str, Outcome]) -> None:
    (drawn,) = [one for one in again(loop, "CheckT1", stored(measured["CheckT1"]), True) if isinstance(one, Drawn)]
    assert drawn.figures[QUBIT]


@pytest.mark.usefixtures("silent")
def test_what_is_known_now_contradicts_nothing(loop: ClosedLoop, measured: dict[str, Outcome]) -> None:
    """What is published now may be made of the same data: a measurement would be compared with it."""
    reports = again(loop, "CreateHPIPulse", stored(measured["CreateHPIPulse"]))
    (judged,) = [one for one in reports if isinstance(one, Judged)]
    assert judged.verdict is Verdict.OK
    assert not any("inconsistent" in check.name for check in judged.checks)


@pytest.mark.usefixtures("silent")
def test_a_run_parameter_that_is_not_known_any_more_is_said(loop: ClosedLoop, measured: dict[str, Outcome]) -> None:
    (failed,) = again(loop, "CheckT1", stored(measured["CheckT1"], waits=3))
    assert isinstance(failed, Failed)
    assert (failed.reason, "waits" in failed.message) == ("BadParameters", True)
