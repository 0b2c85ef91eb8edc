"""Stored data analysed anew on a cluster: pods of their own that hold nothing, beside whoever holds the chip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubecal.api.request import TaskRequest, Verdict
from tests.controller.lab import Lab
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]


def again(execution_id: str, **reanalyse: Any) -> list[dict[str, Any]]:
    """Steps; Any: manifest values."""
    return [{"name": "again", "reanalyse": {"executionId": execution_id, **reanalyse}}]


def measured(t1_us: float, **more: Any) -> Callable[[TaskRequest], Play]:
    """A lab whose T1 tasks find this, from data that are the qubit's own; Any: fields of a play."""
    return lambda request: Play(t1_us=t1_us, raw_data=f"of qubit {request.target}".encode(), **more)


async def test_what_was_measured_is_analysed_by_pods_that_hold_nothing(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session("then", tasks=("CheckT1",))
    async with simulated(measured(30.0)) as simulator:
        first = (await lab.phase("Completed", name="then"))["executionId"]
        # Somebody else has the chip for as long as this takes, and is not waited for.
        await lab.apply_session("holding", tasks=("CheckRabi",), open=True, idleSeconds=600)
        await lab.phase("Running", name="holding")
        simulator.script = measured(31.5)
        await lab.apply_session("again", steps=again(first, publish=True))
        status = await lab.phase("Completed", name="again")

    assert status["progress"] == "4/4"
    assert {request.task for request in simulator.measured[4:]} == {"CheckRabi"}
    assert sorted(data.raw_data[0].content for data in simulator.analysed) == [b"of qubit %d" % n for n in range(4)]
    rows = {row["_id"]: row for row in await lab.rows()}
    anew = [row for row in rows.values() if row["execution_id"] == status["executionId"]]
    assert len(anew) == 4
    for row in anew:
        then = rows[row["source_task_id"]]
        assert (row["verdict"], row["wires"], row["measured_at"]) == ("ok", [], then["measured_at"])
        assert row["raw_data_path"] == then["raw_data_path"]
        assert row["output_parameters"]["t1"]["value"] == 31.5
    found = await lab.documents("qubit")
    assert {each["data"]["t1"]["value"] for each in found} == {31.5}


async def test_an_execution_without_data_is_refused_before_any_pod(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session("then", tasks=("CheckT1",))
    async with simulated() as simulator:
        first = (await lab.phase("Completed", name="then"))["executionId"]
        await lab.apply_session("again", steps=again(first))
        status = await lab.phase("Failed", name="again")
    assert "has no raw data that could be analysed anew" in status["message"]
    assert simulator.analysed == []


async def test_a_bad_verdict_of_the_present_code_fails_and_publishes_nothing(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session("then", tasks=("CheckT1",))
    async with simulated(measured(30.0)) as simulator:
        first = (await lab.phase("Completed", name="then"))["executionId"]
        simulator.script = measured(50.0, verdict=Verdict.POOR_FIT)
        await lab.apply_session("again", steps=again(first, publish=True))
        status = await lab.phase("Failed", name="again")
    assert status["tasks"]["failed"] == 4
    assert {each["data"]["t1"]["value"] for each in await lab.documents("qubit")} == {30.0}
