"""Steering a session call by call."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kubecal.api.session_status import Phase
from kubecal.service.calibration import AsyncCalibService
from kubecal.service.config import CalibConfig
from kubecal.service.errors import Cancelled, ServiceError, SessionOverError, TaskFailed
from kubecal.service.made_chip import made_chip
from kubecal.service.steps import CustomOneQubit, FilterByStatus
from kubecal.service.targets import QubitTargets
from tests.unit.kubecal.service.lab import MemoryLab, Standing, place
from tests.unit.kubecal.service.script import FLAT, HANGS, OK


def service(lab: MemoryLab, said: list[str] | None = None, **config: Any) -> AsyncCalibService:
    wanted = CalibConfig(**{"username": "alice", "chip_id": "4Q", "qids": ["0", "1"], "flow_name": "Morning", **config})
    return AsyncCalibService(wanted, say=(said if said is not None else []).append, place=place(lab))


def only(lab: MemoryLab) -> Standing:
    (standing,) = lab.standing.values()
    return standing


async def test_each_call_appends_a_step_with_one_task_and_gives_its_values() -> None:
    lab = MemoryLab()
    async with service(lab) as cal:
        assert (cal.execution_id, cal.session_name[:8]) == ("20261123-000", "morning-")
        result = await cal.execute_task("CheckT1", "0", parameters={"shots": 4096})
        again = await cal.execute_task("CheckT1", 0)
        assert (result["t1"], result["t1"].unit, result["t1"].error) == (30.0, "us", 0.3)
        assert result["task_id"] != again["task_id"]
        assert result.figures[0].svg == b"<svg>picture-svg</svg>"
    first, second = only(lab).spec.steps
    assert (first.tasks[0].task, first.tasks[0].parameters) == ("CheckT1", {"shots": 4096})
    assert first.targets is not None
    assert first.targets.qubits == ("0",)
    assert (first.name, second.name) == ("checkt1", "checkt1-2")
    assert (only(lab).phase, lab.opened) == (Phase.COMPLETED, 0)


@pytest.mark.parametrize(
    ("qid", "targets"),
    [("0-1", {"couplings": {"ids": ["0-1"]}}), ("", {"chip": True}), ("chip", {"chip": True})],
)
async def test_couplings_and_the_chip_are_targets_too(qid: str, targets: dict[str, Any]) -> None:
    lab = MemoryLab()
    async with service(lab) as cal:
        task = "CheckStatus" if targets == {"chip": True} else "CheckCrossResonance"
        assert (await cal.execute_task(task, qid)).ok
        (change,) = lab.changes
        assert change.append_steps[0]["targets"] == targets


async def test_what_counts_is_the_last_attempt() -> None:
    lab = MemoryLab(script={"CheckT1": [FLAT, OK]})
    async with service(lab) as cal:
        assert (await cal.execute_task("CheckT1", "0")).record.attempt == 2


async def test_a_task_that_fails_raises_with_all_there_is_of_it() -> None:
    lab = MemoryLab(script={"CheckT1": FLAT})
    with pytest.raises(TaskFailed, match=r"CheckT1 of qubit 0 failed \(no_signal\): there is nothing") as caught:
        async with service(lab) as cal:
            await cal.execute_task("CheckT1", "0")
    assert caught.value.result.figures
    assert only(lab).phase is Phase.FAILED
    assert only(lab).message.startswith("TaskFailed: CheckT1 of qubit 0 failed")


async def test_a_failure_may_be_looked_at_instead() -> None:
    lab = MemoryLab(script={"CheckT1": FLAT})
    async with service(lab) as cal:
        result = await cal.execute_task("CheckT1", "0", raise_on_failure=False)
        assert (result.ok, result.verdict) == (False, "no_signal")
    assert only(lab).phase is Phase.PARTIALLY_FAILED


@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_an_interruption_cancels(error: BaseException) -> None:
    lab = MemoryLab()
    with pytest.raises(type(error)):
        async with service(lab):
            raise error
    assert only(lab).phase is Phase.CANCELLED


async def test_a_mistyped_task_is_told_without_its_place_in_a_manifest() -> None:
    lab = MemoryLab()
    async with service(lab) as cal:
        with pytest.raises(ServiceError, match=r"^there is no task 'CheckT11'$"):
            await cal.execute_task("CheckT11", "0")
        assert (await cal.execute_task("CheckT1", "0")).ok


async def test_a_session_that_somebody_else_ends_is_over_for_the_program_too() -> None:
    lab = MemoryLab(script={"CheckT1": HANGS})
    async with service(lab) as cal:
        call = asyncio.create_task(cal.execute_task("CheckT1", "0"))
        await lab.until(lambda: only(lab).results)
        lab.end(cal.session_name, Phase.CANCELLED, "the session was cancelled by bob")
        with pytest.raises(SessionOverError, match=r"is over \(Cancelled: the session was cancelled by bob\)"):
            await call
        with pytest.raises(SessionOverError, match="is over"):
            await cal.execute_task("CheckT1", "1")


async def test_a_session_that_waits_for_its_chip_says_so_once() -> None:
    lab, said = MemoryLab(queued=True), list[str]()

    def hear(text: str) -> None:
        said.append(text)
        if "waits" in text:
            (name,) = lab.standing
            lab.let_run(name)

    cal = AsyncCalibService(CalibConfig("alice", "4Q", ["0"]), say=hear, place=place(lab))
    await cal.begin()
    assert [text.endswith("waits for session evening") for text in said] == [False, True]
    await cal.finish_calibration()


async def test_parameters_are_read_and_set_in_the_catalogues_unit() -> None:
    lab = MemoryLab()
    async with service(lab) as cal:
        assert await cal.get_parameter("0", "t1") is None
        await cal.set_parameter("0", "t1", 25, error=0.5)
        value = await cal.get_parameter("0", "t1")
        assert (value, repr(value)) == (25.0, "25.00 ± 0.50 us")
    assert await cal.get_parameter("0", "t1") == 25.0


async def test_stages_are_kept_in_the_note() -> None:
    lab = MemoryLab()
    async with service(lab, note={"why": "a look"}) as cal:
        await cal.record_stage_result("first", {"decision": "go on"})
        assert cal.get_stage_result("first") == {"decision": "go on"}
        assert cal.get_stage_result("second") is None
    assert json.loads(only(lab).spec.note) == {"why": "a look", "stages": {"first": {"decision": "go on"}}}


async def test_run_goes_through_steps_with_many_qubits_at_once_and_ends_the_session() -> None:
    lab = MemoryLab(script={"CheckT1/1": FLAT})
    steps = [CustomOneQubit("first", ["CheckT1"]), FilterByStatus(), CustomOneQubit("then", ["CheckT2Echo"])]
    found = await service(lab, qids=None).run(QubitTargets(["0", "1"]), steps)
    assert found["candidate_qids"] == ["0"]
    assert found["metadata"]["first"].failed_qids() == ["1"]
    assert found["metadata"]["first"].get_metric("0", "t1") == 30.0
    (dropped,) = found["filters"]
    assert (dropped.filtered_out, dropped.pass_rate) == (["1"], 0.5)
    assert only(lab).phase is Phase.PARTIALLY_FAILED


async def test_run_refuses_other_targets_than_the_session_has() -> None:
    async with service(MemoryLab()) as cal:
        with pytest.raises(ServiceError, match="begun for other targets"):
            await cal.run(QubitTargets(["0"]), [CustomOneQubit("first", ["CheckT1"])])


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"qids": None}, "give qids or muxes"),
        ({"muxes": [0]}, "give either qids or muxes"),
        ({"qids": ["07"]}, 'a qubit id is a number without leading zeros, in quotes: write "0" or "12"'),
        ({"tags": ["a"] * 40}, "spec.tags: must have at most 32 entries"),
        ({"execution_id": "yesterday"}, "spec.executionId: write YYYYMMDD-NNN"),
        ({"default_run_parameters": {"shot": 1}}, "no task has a run parameter 'shot': did you mean shots?"),
        ({"chip_id": "fridge-a"}, "there is no chip 'fridge-a' .* name it like 16Q"),
        ({"backend_name": "qubex"}, "there is no chip '4q'"),
    ],
)
async def test_a_session_that_makes_no_sense_is_refused_with_a_sentence(config: dict[str, Any], sentence: str) -> None:
    lab = MemoryLab()
    with pytest.raises(ServiceError, match=sentence):
        await service(lab, **config).begin()
    assert (lab.standing, lab.opened) == ({}, 0)


async def test_a_chip_has_to_be_what_the_program_thinks_it_is() -> None:
    chip = made_chip("4Q", "cold")
    assert chip is not None
    for config, sentence in (
        ({"backend_name": "qubex"}, "has the backend fake, not qubex"),
        ({"project_id": "warm"}, "belongs to the project 'cold', not to 'warm'"),
    ):
        cal = AsyncCalibService(
            CalibConfig("alice", "4Q", ["0"], **config), place=place(MemoryLab(chip), makes_chips=False)
        )
        with pytest.raises(ServiceError, match=sentence):
            await cal.begin()


async def test_who_joins_a_session_takes_names_that_are_free() -> None:
    lab = MemoryLab()
    async with service(lab, execution_id="20240101-001") as first:
        second = await service(lab, execution_id="20240101-001").begin()
        for cal in (first, second, first):
            await cal.execute_task("CheckT1", "0")
        await second.finish_calibration()
    assert [step.name for step in only(lab).spec.steps] == ["checkt1", "checkt1-2", "checkt1-3"]


async def test_an_execution_id_that_is_free_is_taken() -> None:
    lab = MemoryLab()
    async with service(lab, execution_id="20240101-001") as cal:
        assert cal.execution_id == "20240101-001"


async def test_an_execution_id_of_an_open_session_of_the_same_chip_and_user_is_joined() -> None:
    lab, said = MemoryLab(), list[str]()
    async with service(lab, execution_id="20240101-001") as first:
        second = await service(lab, said, execution_id="20240101-001").begin()
        assert second.session_name == first.session_name
        assert said[-1].startswith("joined the open session")
        await second.execute_task("CheckT1", "0")
        await second.finish_calibration()
    assert len(lab.standing) == 1


@pytest.mark.parametrize(
    ("config", "sentence"),
    [({"username": "bob"}, "of user alice on chip 4q"), ({"chip_id": "16Q"}, "of user alice on chip 4q")],
)
async def test_an_execution_id_of_anything_else_is_refused(config: dict[str, Any], sentence: str) -> None:
    lab = MemoryLab()
    async with service(lab, execution_id="20240101-001"):
        with pytest.raises(ServiceError, match=f"20240101-001 is taken.*{sentence}"):
            await service(lab, execution_id="20240101-001", **config).begin()
    with pytest.raises(ServiceError, match=r"has ended \(Completed\): leave execution_id out"):
        await service(lab, execution_id="20240101-001").begin()
