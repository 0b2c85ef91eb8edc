"""Operators that are killed, databases that go away: the same end, nothing measured twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.controller.lab import Lab, OperatorProcess
from tests.controller.lives import lives, overlaps
from tests.controller.podsim import Play, PodSimulator
from tests.controller.proxy import Proxy
from tests.controller.test_sessions import SIXTEEN

Simulated = Callable[..., PodSimulator]


async def test_an_operator_that_is_killed_goes_on_where_it_was(lab: Lab, simulated: Simulated) -> None:
    operator = lab.start_operator()
    await lab.apply_chip(topology=SIXTEEN)
    await lab.apply_session(tasks=("CheckRabi", "CheckRamsey", "CheckT1"))
    async with simulated(lambda request: Play(seconds=0.2)) as simulator:
        for number in (8, 28):
            await lab.until(partial(_measured, simulator, number), f"{number} measurements")
            operator.kill()
            operator = lab.start_operator()
        await lab.phase("Completed", timeout_s=60)
    await _nothing_twice(lab, simulator, 48)


async def test_a_standby_takes_over_from_a_killed_leader(lab: Lab, simulated: Simulated) -> None:
    replicas = {name: lab.start_operator(name) for name in ("replica-0", "replica-1")}
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckRamsey", "CheckT1"))
    async with simulated(lambda request: Play(seconds=0.2)) as simulator:
        await lab.until(lambda: _measured(simulator, 2), "two measurements")
        leader = await lab.lease_holder()
        replicas[leader].kill()
        await lab.phase("Completed", timeout_s=40)
    (survivor,) = set(replicas) - {leader}
    assert await lab.lease_holder() == survivor
    await _nothing_twice(lab, simulator, 12)


async def test_an_operator_that_ends_in_order_leaves_the_lease_at_once(lab: Lab, simulated: Simulated) -> None:
    first = lab.start_operator("replica-0")
    await lab.apply_chip()
    await lab.until(lab.lease_holder, "a leader")
    second = lab.start_operator("replica-1")
    await lab.until(lambda: _ready(second), "a standby")
    assert first.terminate() == 0
    await lab.apply_session(tasks=("CheckT1",))
    async with simulated():
        await lab.phase("Completed", timeout_s=6)


@pytest.mark.parametrize("gone", ["before", "during"])
async def test_a_database_that_comes_back_is_all_it_takes(lab: Lab, simulated: Simulated, gone: str) -> None:
    async with Proxy(lab.mongodb_uri) as proxy:
        direct, lab.mongodb_uri = lab.mongodb_uri, proxy.uri
        if gone == "before":
            proxy.cut()
        lab.start_operator()
        await lab.apply_chip()
        await lab.apply_session(tasks=("CheckRabi", "CheckT1"))
        async with simulated(lambda request: Play(seconds=0.2)) as simulator:
            if gone == "during":
                await lab.until(lambda: _measured(simulator, 1), "a measurement")
                proxy.cut()
            condition = await lab.condition("ResultsStored", "Unreachable")
            assert "does not answer" in condition["message"]
            pods = len(lives(lab.audit()))
            await proxy.mend()
            await lab.phase("Completed", timeout_s=60)
        assert pods <= (0 if gone == "before" else 8)
        lab.mongodb_uri = direct
        assert {row["status"] for row in await lab.rows() if not row["superseded"]} == {"completed"}
    assert overlaps(lives(lab.audit())) == []


async def _nothing_twice(lab: Lab, simulator: PodSimulator, tasks: int) -> None:
    """Every attempt got one pod, was claimed once and completed once, and no wire had two."""
    rows = await lab.rows()
    assert Counter(row["status"] for row in rows) == {"completed": tasks}
    assert {row["attempt"] for row in rows} == {1}
    measured = Counter(request.task_id for request in simulator.measured)
    assert set(measured.values()) == {1}
    assert len(measured) == tasks
    every = lives(lab.audit())
    assert set(Counter(life.attempt for life in every).values()) == {1}
    assert overlaps(every) == []


async def _measured(simulator: PodSimulator, number: int) -> bool:
    return len(simulator.measured) >= number


async def _ready(operator: OperatorProcess) -> bool:
    return operator.probe("/readyz") == 200
