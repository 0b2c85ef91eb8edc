"""Pods that do not come to a good end: what is tried again, what is charged, what fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from kubecal.api.request import GivenInput, TaskRequest, Verdict
from kubecal.records.ended import milliseconds
from tests.controller.lab import Lab
from tests.controller.lives import lives, overlaps
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]
ONE = {"qubits": ["0"]}


def _long_at_first(request: TaskRequest) -> Play:
    return Play(seconds=60 if request.attempt == 1 else 0.02)


@pytest.mark.parametrize("how", ["delete", "evict"])
async def test_a_pod_that_is_taken_away_runs_again_uncharged(lab: Lab, simulated: Simulated, how: str) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",), targets=ONE)
    async with simulated(_long_at_first) as simulator:
        await lab.until(lambda: _drives(simulator), "a measurement")
        await getattr(simulator, how)(simulator.driving["0"])
        await lab.phase("Completed")
    first, second = sorted(await lab.rows(), key=lambda row: row["attempt"])
    assert (first["status"], first["trouble"], first["superseded"]) == ("cancelled", "Disruption", True)
    assert (second["status"], second["attempt"]) == ("completed", 2)
    assert [request.charged_retries for request in simulator.measured] == [0, 0]
    assert overlaps(lives(lab.audit())) == []


async def test_a_pod_removed_by_force_cannot_publish_when_it_comes_back(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip(pods={"terminationGracePeriodSeconds": 2})
    await lab.apply_session(tasks=("CheckT1",), targets=ONE)
    script = {1: Play(seconds=2.5, deaf=True), 2: Play(seconds=0.02)}
    async with simulated(lambda request: script[request.attempt]) as simulator:
        await lab.until(lambda: _drives(simulator), "a measurement")
        await simulator.force_delete(simulator.driving["0"])
        await lab.phase("Completed")
        await asyncio.wait_for(simulator.idle(), 10)
        first, second = sorted(await lab.rows(), key=lambda row: row["attempt"])
        simulator.clashes.clear()  # a force deletion is a person's word that the process is dead, and it was not
    assert (first["status"], second["status"]) == ("cancelled", "completed")


async def test_three_crashes_end_that_target_and_not_the_others(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckT1"))
    async with simulated(lambda request: Play(exit_code=int(request.target == "2"))) as simulator:
        status = await lab.phase("PartiallyFailed")
    assert status["tasks"] == {"planned": 8, "running": 0, "succeeded": 6, "failed": 1, "skipped": 1, "cancelled": 0}
    assert [(one["task"], one["target"], one["attempt"]) for one in status["failures"]] == [("CheckRabi", "2", 3)]
    crashed = [request for request in simulator.measured if request.target == "2"]
    assert [(request.attempt, request.charged_retries) for request in crashed] == [(1, 0), (2, 1), (3, 2)]


async def test_a_bad_verdict_is_measured_again_with_what_was_suggested(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    retry = {"limit": 2, "backoffSeconds": 0, "on": ["window"]}
    await lab.apply_session(tasks=("CheckT1",), targets=ONE, retry=retry)
    bad = Play(verdict=Verdict.WINDOW, suggestion={"shots": 4096})
    async with simulated(lambda request: bad if request.attempt == 1 else Play()) as simulator:
        status = await lab.phase("Completed")
    assert status["tasks"]["succeeded"] == 1
    first, second = sorted(await lab.rows(), key=lambda row: row["attempt"])
    assert (first["status"], first["verdict"], first["superseded"]) == ("failed", "window", False)
    assert (second["status"], second["adapted"]) == ("completed", {"shots": 4096})
    again = simulator.measured[1]
    assert (again.attempt, again.charged_retries, again.parameters["shots"]) == (2, 1, 4096)


async def test_after_a_contradiction_the_next_attempt_is_told_what_the_first_one_found(
    lab: Lab, simulated: Simulated
) -> None:
    lab.start_operator()
    await lab.apply_chip()
    retry = {"backoffSeconds": 0, "on": ["inconsistent"]}
    await lab.apply_session(tasks=("CheckT1",), targets=ONE, retry=retry)
    bad = Play(verdict=Verdict.INCONSISTENT, t1_us=12.5)
    async with simulated(lambda request: bad if request.attempt == 1 else Play()) as simulator:
        status = await lab.phase("Completed")
    assert status["tasks"]["succeeded"] == 1
    first, second = simulator.measured
    assert first.disputed == {}
    assert second.disputed["0"].values == {"t1": GivenInput(value=12.5, error=0.5)}
    assert second.disputed["0"].measured_at == milliseconds(first.measure_at)


async def test_a_contradiction_that_is_not_confirmed_fails_the_task(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",), targets=ONE, retry={"backoffSeconds": 0, "limit": 5})
    async with simulated(lambda request: Play(verdict=Verdict.INCONSISTENT)) as simulator:
        status = await lab.phase("Failed")
    assert (len(simulator.measured), status["failures"][0]["verdict"]) == (2, "inconsistent")


async def test_a_bad_verdict_is_an_answer_where_nothing_is_to_be_tried_again(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi",), targets=ONE, retry={"limit": 0})
    async with simulated(lambda request: Play(verdict=Verdict.NO_SIGNAL)):
        status = await lab.phase("Failed")
    assert status["failures"][0]["verdict"] == "no_signal"
    assert [row["status"] for row in await lab.rows()] == ["failed"]


async def test_a_receipt_without_a_result_is_found_out(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi",), targets=ONE)
    async with simulated(lambda request: Play(lies=request.attempt == 1)):
        await lab.phase("Completed")
    first, second = sorted(await lab.rows(), key=lambda row: row["attempt"])
    assert (first["status"], first["reason"], first["trouble"]) == ("failed", "ResultMissing", "Crash")
    assert second["status"] == "completed"


@pytest.mark.parametrize(
    ("play", "reason", "words"),
    [
        (Play(scheduled=False), "Unschedulable", "didn't match Pod's node affinity"),
        (Play(image=False), "ImagePull", "kubecal/tasks:nowhere"),
    ],
)
async def test_pods_that_cannot_start_say_why(
    lab: Lab, simulated: Simulated, play: Play, reason: str, words: str
) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi",), targets=ONE)
    async with simulated(lambda request: play):
        condition = await lab.condition("PodsBlocked", reason)
        assert words in condition["message"]
        await lab.delete_session()
        await lab.gone()


async def test_a_lost_node_keeps_its_wires_until_somebody_lets_go(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckT1"))
    async with simulated(_long_at_first) as simulator, lab.node() as node:
        await lab.until(lambda: _drives(simulator), "a measurement")
        held = dict(simulator.driving)
        await node.lose()
        condition = await lab.condition("PodStuck", "NodeLost")
        assert "out-of-service" in condition["message"]
        for name in held.values():
            # What the node controller does after a while: the pods are to go, and nobody there hears it.
            simulator.freeze(name)
            await simulator.delete(name)
        created = Counter(life.name for life in lives(lab.audit()))
        await asyncio.sleep(1)
        assert Counter(life.name for life in lives(lab.audit())) == created

        await node.out_of_service()
        await lab.until(lambda: _attempts(lab, 2), "the second attempts")


async def _attempts(lab: Lab, attempt: int) -> bool:
    return any(row["attempt"] == attempt for row in await lab.rows())


async def _drives(simulator: PodSimulator) -> dict[str, Any]:
    return simulator.driving
