"""What a plan needs besides manifests, asked of the records."""

from __future__ import annotations

from typing import Any

from kubecal.api.chip import ChipSpec
from kubecal.api.session import SessionSpec
from kubecal.engine.model import TaskKey
from kubecal.reading.facts import facts_for, left_undone
from tests.unit.kubecal.cli.in_memory import CHIP, MemoryRecords, a_result, a_value, an_execution

RUN = "20261125-000"


def _spec(**changes: Any) -> SessionSpec:
    body = {"chip": "fridge-a", "targets": {"all": True}, "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}]}
    return SessionSpec.model_validate({**body, **changes})


def _chip(**changes: Any) -> ChipSpec:
    return ChipSpec.model_validate({**CHIP["spec"], **changes})


def test_what_has_not_succeeded_in_its_last_attempt_is_left_undone() -> None:
    rows = [
        a_result("CheckT1", "0", status="failed"),
        a_result("CheckT1", "0", attempt=2),
        a_result("CheckT1", "1"),
        a_result("CheckT1", "1", status="failed", attempt=2),
        a_result("CheckT1", "2", status="skipped", message="filter good: CheckRabi has not succeeded"),
        a_result("CheckT1", "3", status="skipped", message="CheckRabi failed before it"),
    ]
    assert left_undone(rows) == {TaskKey("check", "CheckT1", "1", 0), TaskKey("check", "CheckT1", "3", 0)}


def test_a_task_on_several_is_undone_if_one_of_them_is() -> None:
    rows = [
        a_result("Readout", "0", target="mux-0"),
        a_result("Readout", "1", target="mux-0", status="failed"),
    ]
    assert left_undone(rows) == {TaskKey("check", "Readout", "mux-0", 0)}


async def test_frequencies_are_those_measured_and_else_those_designed() -> None:
    records = MemoryRecords([an_execution()], now=[a_value("0", "qubit_frequency", 4.95), a_value("0", "t1", 30.0)])
    design = {"qubits": {one: {"qubit_frequency": {"value": 4.9}} for one in ("0", "1")}}
    wanted = _spec(targets={"couplings": {"auto": True, "direction": "Frequency", "ids": []}}, steps=[
        {"name": "gates", "tasks": [{"task": "CheckCrossResonance"}]}])  # fmt: skip
    facts = await facts_for(records, wanted, "fridge-a", _chip(design=design))
    assert facts.frequencies_ghz == {"0": 4.95, "1": 4.9}


async def test_stored_attempts_are_the_last_that_have_raw_data() -> None:
    rows = [
        a_result("CheckT1", "0", raw_data_ids=("a",)),
        a_result("CheckT1", "0", raw_data_ids=("b",), attempt=2),
        a_result("CheckT1", "1", raw_data_ids=("c",), excluded=True),
        a_result("CheckT1", "2"),
    ]
    records = MemoryRecords([an_execution()], {RUN: rows})
    step = {"name": "again", "reanalyse": {"executionId": RUN}}
    facts = await facts_for(records, _spec(steps=[step]), "fridge-a", _chip())
    assert [(one.target, one.attempt, one.session_uid) for one in facts.stored[RUN]] == [("0", 2, "uid-0")]


async def test_an_execution_that_is_not_there_is_a_problem_of_the_plan() -> None:
    step = {"name": "again", "reanalyse": {"executionId": RUN}}
    facts = await facts_for(MemoryRecords(), _spec(steps=[step]), "fridge-a", _chip())
    assert facts.problem.startswith(f"there is no execution {RUN}")
