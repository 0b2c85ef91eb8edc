"""A session from its manifest to its end, against a real API server and a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.controller.lab import Lab
from tests.controller.lives import lives, overlaps
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]
SIXTEEN = {"squareLattice": {"rows": 4, "columns": 4, "muxSize": 4}}


async def test_sixteen_qubits_go_through_six_tasks(lab: Lab, simulated: Simulated) -> None:
    operator = lab.start_operator()
    await lab.apply_chip(topology=SIXTEEN)
    await lab.apply_session()
    async with simulated() as simulator:
        status = await lab.phase("Completed", timeout_s=60)

    assert status["progress"] == "96/96"
    assert len(simulator.measured) == 96
    rows = await lab.rows()
    assert Counter(row["status"] for row in rows) == {"completed": 96}
    assert [execution["status"] for execution in await lab.executions()] == ["completed"]
    assert (await lab.chip_status())["holders"] == []

    events = lab.audit()
    every = lives(events)
    assert len(every) == 96
    assert overlaps(every) == []
    writes = [event for event in events if event.user.startswith("system:serviceaccount:") and event.code < 300]
    ours = [event for event in writes if event.verb not in ("get", "list", "watch") and event.resource != "leases"]
    assert len(ours) <= 1.5 * 96, Counter((event.verb, event.resource, event.subresource) for event in ours)
    refused = [(event.verb, event.resource, event.name) for event in events if event.code == 403]
    assert refused == []
    assert "Traceback" not in operator.said


async def test_a_chip_tells_how_many_of_its_parameters_hold(lab: Lab, simulated: Simulated) -> None:
    async def calibrated() -> bool:
        return bool((await lab.chip_status()).get("parameters") == {"calibrated": 4, "stale": 0, "moved": 0})

    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",))
    async with simulated():
        await lab.phase("Completed")
        await lab.until(calibrated, "the count of the parameters of four qubits")


async def test_files_applied_in_the_wrong_order_are_waited_for(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_session(tasks=("CheckT1",))
    condition = await lab.condition("ChipHeld", "ChipNotFound")
    assert "fridge-a" in condition["message"]
    assert (await lab.session() or {})["metadata"].get("finalizers", []) == []

    await lab.apply_chip()
    async with simulated():
        assert (await lab.phase("Completed"))["progress"] == "4/4"


async def test_a_chip_that_never_comes_fails_the_session(lab: Lab) -> None:
    lab.start_operator()
    await lab.apply_session(deadlines={"pendingSeconds": 1})
    status = await lab.phase("Failed")
    assert "there is no Chip 'fridge-a'" in status["message"]


async def test_a_suspended_session_lets_others_have_the_chip_and_goes_on_when_it_is_resumed(
    lab: Lab, simulated: Simulated
) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckT1"), suspendHoldSeconds=1)
    async with simulated(lambda request: Play(seconds=0.3)) as simulator:
        await lab.until(lambda: _measured(simulator), "a measurement")
        await lab.patch_session("morning", {"suspend": True})
        status = await lab.phase("Suspended")
        assert "nothing" in status["message"]
        await lab.apply_session("other", tasks=("CheckT2Echo",))
        await lab.phase("Completed", name="other")
        before = len(simulator.measured)
        await lab.patch_session("morning", {"suspend": False})
        status = await lab.phase("Completed")
    assert before < 12
    assert set(status["suspended"]) == {"seconds"}
    assert status["suspended"]["seconds"] > 1
    assert {row["attempt"] for row in await lab.rows()} == {1}


async def test_sessions_of_disjoint_targets_run_side_by_side_and_touching_ones_wait(
    lab: Lab, simulated: Simulated
) -> None:
    lab.start_operator()
    await lab.apply_chip(topology=SIXTEEN)
    alone: dict[str, Any] = {"tasks": ("CheckRabi", "CheckT1"), "lock": {"scope": "Targets"}}
    async with simulated(lambda request: Play(seconds=0.5)):
        await lab.apply_session("corner", targets={"qubits": ["0"]}, **alone)
        await lab.phase("Running", name="corner")
        await lab.apply_session("touching", targets={"qubits": ["1"]}, **alone)
        await lab.apply_session("far", targets={"qubits": ["15"]}, **alone)
        queued = await lab.phase("Queued", name="touching")
        assert queued["message"] == "waits for session corner, which holds qubit 0"
        await lab.phase("Running", "Completed", name="far")
        assert (await lab.status("touching"))["phase"] == "Queued"
        for name in ("corner", "far", "touching"):
            await lab.phase("Completed", name=name)
    assert overlaps(lives(lab.audit())) == []


async def test_a_filter_behind_a_barrier_lets_only_good_qubits_on(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    steps: list[dict[str, Any]] = [
        {"name": "check", "tasks": [{"task": "CheckT1"}]},
        {"name": "good", "filter": {"metric": "t1", "min": 25}},
        {"name": "fine", "barrier": True, "tasks": [{"task": "CheckRabi"}]},
    ]
    await lab.apply_session(steps=steps)
    async with simulated(lambda request: Play(t1_us=20.0 if request.target == "2" else 30.0)) as simulator:
        status = await lab.phase("Completed")
    assert status["message"] == "7 tasks ok, 1 left out by filters"
    assert [step["targetsOut"] for step in status["steps"]] == [4, 3, 3]
    order = [request.task for request in simulator.measured]
    assert order == ["CheckT1"] * 4 + ["CheckRabi"] * 3
    (left_out,) = [row for row in await lab.rows() if row["status"] == "skipped"]
    assert (left_out["qid"], left_out["message"]) == ("2", "filter good: t1 is 20, below 25")


async def test_an_execution_id_can_be_asked_for_once(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    asked: dict[str, Any] = {"tasks": ("CheckT1",), "executionId": "20200101-007"}
    async with simulated():
        await lab.apply_session("first", **asked)
        assert (await lab.phase("Completed", name="first"))["executionId"] == "20200101-007"
        await lab.apply_session("second", **asked)
        refused = await lab.phase("Failed", name="second")
    assert "spec.executionId 20200101-007 belongs to another execution" in refused["message"]
    assert len(await lab.rows()) == 4


async def test_what_the_schema_cannot_see_fails_without_a_pod(lab: Lab) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1", "CheckEverything"))
    status = await lab.phase("Failed")
    assert "CheckEverything" in status["message"]
    assert {one["type"]: one["status"] for one in status["conditions"]}["Valid"] == "False"
    assert await lab.pods() == []
    assert await lab.executions() == []


async def test_a_second_session_waits_and_says_for_what(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session("first", tasks=("CheckRabi", "CheckT1"))
    await lab.phase("Running", name="first")
    await lab.apply_session("second", tasks=("CheckT1",))
    status = await lab.phase("Queued", name="second")
    assert status["waitingFor"]["session"] == "first"
    async with simulated():
        await lab.phase("Completed", name="first")
        await lab.phase("Completed", name="second")
    assert overlaps(lives(lab.audit())) == []


async def _measured(simulator: PodSimulator) -> bool:
    return bool(simulator.measured)
