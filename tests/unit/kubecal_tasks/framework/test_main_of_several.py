"""The process of a task on several qubits, on a coupling or on the chip, against a real database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import GivenInput, Receipt, RequestChip, RequestSite, TaskRequest, TaskTrouble, Verdict
from kubecal.records.results import AttemptResult
from kubecal_tasks.framework.spool import spool
from tests.unit.kubecal_tasks.framework.test_main import Node, a_request, node

__all__ = ["node"]
CHIP = RequestChip(
    project_id="default",
    chip_id="fridge-a",
    hardware_id="lab/fridge-a",
    time_zone="UTC",
    cooldown="2026-11",
    sites=tuple(RequestSite(id=str(n), x=n % 2, y=n // 2, mux=0) for n in range(4)),
    couplings=(("0", "1"), ("0", "2"), ("3", "1"), ("3", "2")),
    backend="fake",
    backend_config={"seed": 3},
)


def several(task: str, parameters: dict[str, Any], **changes: Any) -> TaskRequest:
    kind = TargetKind.MUX if task == "ScriptedMux" else TargetKind.QUBIT
    about = {"kind": kind, "target": "mux-0", "members": ("0", "1", "3"), "chip": CHIP}
    return a_request(task, parameters, **(about | changes))


@pytest.mark.parametrize("task", ["ScriptedMux", "ScriptedBatch"])
async def test_each_qubit_has_a_verdict_of_its_own(node: Node, task: str) -> None:
    request = several(task, {"verdict": "poor_fit", "failing": "1"})

    code, receipt = await node.run(request)

    assert code == 0
    assert isinstance(receipt, Receipt)
    assert (receipt.attempt, receipt.verdict) == (request.task_id, None)
    rows = {one: await node.row(request, one) for one in request.members}
    assert {one: (row["status"], row["verdict"]) for one, row in rows.items()} == {
        "0": ("completed", "ok"),
        "1": ("failed", "poor_fit"),
        "3": ("completed", "ok"),
    }
    async with node.store.connected() as database:
        published = await database.qubit.find().to_list()
    assert {each["qid"] for each in published} == {"0", "3"}


async def test_a_task_that_can_batch_also_runs_on_one_qubit(node: Node) -> None:
    request = a_request("ScriptedBatch", {"verdict": "no_signal"})
    code, receipt = await node.run(request)
    assert code == 0
    assert isinstance(receipt, Receipt)
    assert receipt.verdict is Verdict.NO_SIGNAL


async def test_a_measurement_of_several_that_hangs_is_a_hardware_error_of_each(node: Node) -> None:
    request = several("ScriptedMux", {"seconds": 60}, timeout_s=2.0)
    code, _ = await node.run(request)
    verdicts = [(await node.row(request, one))["verdict"] for one in request.members]
    assert (code, verdicts) == (0, ["hardware_error"] * 3)


async def test_a_process_that_dies_leaves_every_row_to_the_controller(node: Node) -> None:
    request = several("ScriptedMux", {"exit_code": 7})
    code, trouble = await node.run(request)
    assert code == 7
    assert isinstance(trouble, TaskTrouble)
    rows = [await node.row(request, one) for one in request.members]
    assert {(row["status"], row["message"][:16]) for row in rows} == {("running", "MeasurementDied:")}


async def test_a_task_that_cannot_batch_says_so(node: Node) -> None:
    request = several("Scripted", {})
    code, trouble = await node.run(request)
    assert code == 1
    assert isinstance(trouble, TaskTrouble)
    assert "results of mux-0, but the attempt judges 0, 1, 3" in trouble.message


async def test_a_coupling_task_reads_both_its_qubits_and_publishes_on_the_coupling(node: Node) -> None:
    for qubit, value in (("0", 0.25), ("1", 0.75)):
        code, _ = await node.run(a_request("Scripted", {"value": value}, target=qubit, chip=CHIP, session_uid="one"))
        assert code == 0
    by_hand = {"0-1": {"scripted_strength": GivenInput(value=0.125)}}
    request = a_request(
        "ScriptedCoupling", {"value": 0.5}, kind=TargetKind.COUPLING, target="0-1", chip=CHIP, overrides=by_hand
    )

    code, receipt = await node.run(request)

    assert code == 0
    assert isinstance(receipt, Receipt)
    assert receipt.metrics == {
        "scripted": 0.0,
        "control_scripted_value": 0.25,
        "target_scripted_value": 0.75,
        "scripted_strength": 0.125,
    }
    inputs = (await node.row(request))["input_parameters"]
    assert {key: (each["name"], each["origin"]) for key, each in inputs.items()} == {
        "control_scripted_value": ("scripted_value", "published"),
        "target_scripted_value": ("scripted_value", "published"),
        "scripted_strength": ("scripted_strength", "override"),
    }
    async with node.store.connected() as database:
        coupling = await database.coupling.find_one({"qid": "0-1"})
    assert coupling is not None
    assert coupling["data"]["scripted_strength"]["value"] == 0.5


async def test_a_chip_task_has_one_row_and_publishes_nothing(node: Node) -> None:
    request = a_request("ScriptedChip", {"metric": 3}, kind=TargetKind.CHIP, target="chip", chip=CHIP)
    code, receipt = await node.run(request)
    assert code == 0
    assert isinstance(receipt, Receipt)
    assert (receipt.verdict, receipt.metrics) == (Verdict.OK, {"scripted": 3.0})
    assert (await node.row(request))["status"] == "completed"


async def test_a_bad_verdict_suggests_what_it_is_told_to(node: Node) -> None:
    script = {"verdict": "imprecise", "suggested_verdict": "ok", "suggested_value": 0.75}
    request = a_request("Scripted", script)
    await node.run(request)
    suggestion = (await node.row(request))["suggestion"]
    assert suggestion["parameters"] == {"verdict": "ok", "value": 0.75}


def test_what_could_not_be_stored_is_kept_for_each(tmp_path: Path) -> None:
    at = a_request("Scripted", {}).measure_at
    results = {one: AttemptResult(Verdict.OK, one, at, at, at) for one in ("0", "3")}

    folder = spool(results, tmp_path)

    assert {path.parent.name for path in folder.glob("*/result.json")} == {"0", "3"}
    assert '"message": "3"' in (folder / "3" / "result.json").read_text()
