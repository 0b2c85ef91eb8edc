"""Deleting or cancelling a session stops its pods, and what is left says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.controller.lab import Lab
from tests.controller.lives import lives, overlaps
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]


async def test_a_deleted_session_is_gone_and_recorded_as_cancelled(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session("first", tasks=("CheckRabi", "CheckT1"))
    async with simulated(lambda request: Play(seconds=0.05 if request.task == "CheckRabi" else 60)) as simulator:
        await lab.until(lambda: _driving(simulator, 2), "two long measurements")
        await lab.apply_session("second", tasks=("CheckRabi",))
        await lab.phase("Queued", name="second")

        await lab.delete_session("first")
        await lab.gone("first")
        await lab.phase("Completed", name="second")

    execution = next(one["execution_id"] for one in await lab.executions() if one["name"] == "first")
    first = Counter(row["status"] for row in await lab.rows() if row["execution_id"] == execution)
    assert first.keys() == {"completed", "cancelled"}
    assert first.total() == 8
    assert {one["name"]: one["status"] for one in await lab.executions()} == {
        "first": "cancelled",
        "second": "completed",
    }
    assert overlaps(lives(lab.audit())) == []


async def test_a_cancelled_session_keeps_its_object(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckT1"))
    async with simulated(lambda request: Play(seconds=60)) as simulator:
        await lab.until(lambda: _driving(simulator, 1), "a measurement")
        await lab.patch_session("morning", {"cancel": True})
        status = await lab.phase("Cancelled")
    assert status["tasks"] == {"planned": 8, "running": 0, "succeeded": 0, "failed": 0, "skipped": 0, "cancelled": 8}
    assert Counter(row["status"] for row in await lab.rows()) == {"cancelled": 8}
    assert (await lab.chip_status())["holders"] == []
    assert simulator.driving == {}


async def test_a_finished_session_can_be_deleted_without_rewriting_its_record(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",))
    async with simulated():
        await lab.phase("Completed")
        await lab.delete_session()
        await lab.gone()
    assert [execution["status"] for execution in await lab.executions()] == ["completed"]


async def test_a_finished_session_goes_by_itself_when_its_time_is_over(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",), ttlSecondsAfterFinished=1)
    async with simulated():
        await lab.gone(timeout_s=30)
    assert [execution["status"] for execution in await lab.executions()] == ["completed"]


async def test_a_session_that_waits_can_be_deleted(lab: Lab) -> None:
    lab.start_operator()
    await lab.apply_chip(maintenance=True)
    await lab.apply_session()
    await lab.phase("Queued")
    await lab.delete_session()
    await lab.gone()
    assert [execution["status"] for execution in await lab.executions()] == ["cancelled"]
    assert await lab.pods() == []


async def test_a_namespace_can_be_deleted_with_all_that_runs_in_it(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",))
    async with simulated(lambda request: Play(seconds=60)) as simulator:
        await lab.until(lambda: _driving(simulator, 2), "two measurements")
        await lab.api.delete(f"/api/v1/namespaces/{lab.namespace}", {})
        await lab.until(lambda: _no_namespace(lab), "the end of the namespace")
    assert [execution["status"] for execution in await lab.executions()] == ["cancelled"]


async def test_a_namespace_that_is_deleted_while_no_operator_runs_is_not_kept(lab: Lab, simulated: Simulated) -> None:
    """Our rights in it are gone by then, and with them all that could be seen of its pods and chips."""
    operator = lab.start_operator()
    # What vanished unseen keeps its wires, and with them its session, for as long as its process may go on.
    await lab.apply_chip(pods={"terminationGracePeriodSeconds": 5})
    await lab.apply_session(tasks=("CheckT1",))
    async with simulated(lambda request: Play(seconds=60)) as simulator:
        await lab.until(lambda: _driving(simulator, 2), "two measurements")
        operator.kill()
        await lab.api.delete(f"/api/v1/namespaces/{lab.namespace}", {})
        await lab.until(lambda: _no_roles(lab), "the end of our rights")
        lab.start_operator()
        await lab.until(lambda: _no_namespace(lab), "the end of the namespace", 60)
    assert [execution["status"] for execution in await lab.executions()] == ["cancelled"]


async def _no_roles(lab: Lab) -> bool:
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{lab.namespace}/rolebindings"
    return not await lab.api.list_metadata(path)


async def _no_namespace(lab: Lab) -> bool:
    listed = await lab.api.list_metadata("/api/v1/namespaces")
    return lab.namespace not in [meta["name"] for meta in listed]


async def _driving(simulator: PodSimulator, number: int) -> bool:
    return len(simulator.driving) >= number
