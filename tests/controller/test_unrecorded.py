"""Sessions that go while MongoDB is away, or while no operator looks: let go in time, and recorded later."""

from __future__ import annotations

from collections.abc import Callable

from kubecal_operator import names
from tests.controller.lab import Json, Lab
from tests.controller.podsim import Play, PodSimulator
from tests.controller.proxy import Proxy

Simulated = Callable[..., PodSimulator]
_LET_GO_S = 120.0
_PATIENCE_S = 60.0


async def test_deleted_sessions_do_not_wait_for_a_database_that_stays_away(lab: Lab, simulated: Simulated) -> None:
    async with Proxy(lab.mongodb_uri) as proxy:
        direct, lab.mongodb_uri = lab.mongodb_uri, proxy.uri
        lab.start_operator()
        await lab.apply_chip()
        await lab.apply_session("first", tasks=("CheckT1",))
        async with simulated(lambda request: Play(seconds=600)) as simulator:
            await lab.until(lambda: _driving(simulator), "a measurement")
            await lab.apply_session("second", tasks=("CheckT1",))
            await lab.phase("Queued", name="second")
            proxy.cut()
            await lab.delete_session("first")
            await lab.condition("ResultsStored", "Unreachable", name="first")
            await lab.gone("first", timeout_s=_LET_GO_S + _PATIENCE_S)
            await lab.until(lambda: _told(lab, "first"), "an Event Unrecorded")
            # The outage goes on, and the namespace goes: nobody has to wait again.
            await lab.api.delete(f"/api/v1/namespaces/{lab.namespace}", {})
            await lab.until(lambda: _no_namespace(lab), "the end of the namespace", _PATIENCE_S)
        lab.mongodb_uri = direct
        assert {one["name"]: one["status"] for one in await lab.executions()} == {
            "first": "running",
            "second": "scheduled",
        }
        await proxy.mend()
        await lab.until(lambda: _all_cancelled(lab, 2), "the mark, made up without a restart")
    assert {row["status"] for row in await lab.rows()} == {"cancelled"}


async def test_what_vanished_while_no_operator_ran_is_made_up_at_the_next_start(lab: Lab, simulated: Simulated) -> None:
    operator = lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",))
    async with simulated(lambda request: Play(seconds=600)) as simulator:
        await lab.until(lambda: _driving(simulator), "a measurement")
        operator.kill()
        await lab.delete_session()
        path = names.custom(lab.namespace, names.SESSIONS, "morning")
        await lab.api.merge(path, {"metadata": {"finalizers": None}})
        await lab.gone()
    lab.start_operator()
    await lab.until(lambda: _all_cancelled(lab, 1), "the mark, made up at the start")
    assert {row["status"] for row in await lab.rows()} == {"cancelled"}


async def _driving(simulator: PodSimulator) -> bool:
    return bool(simulator.driving)


async def _told(lab: Lab, session: str) -> bool:
    events: list[Json] = (await lab.api.list_all(names.events(lab.namespace)))[0]
    about = [event for event in events if event["involvedObject"]["name"] == session]
    return "Unrecorded" in [event["reason"] for event in about]


async def _no_namespace(lab: Lab) -> bool:
    listed = await lab.api.list_metadata("/api/v1/namespaces")
    return lab.namespace not in [meta["name"] for meta in listed]


async def _all_cancelled(lab: Lab, number: int) -> bool:
    return [one["status"] for one in await lab.executions()] == ["cancelled"] * number
