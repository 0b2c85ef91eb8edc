"""What happens around sessions: starting in an unready cluster, an API server that restarts, an uninstallation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.controller.lab import Lab
from tests.controller.lives import lives, overlaps
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]
_CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/chips.kubecal.io"


async def test_kinds_that_are_too_old_are_named_and_waited_for(lab: Lab) -> None:
    async with _old_kinds(lab):
        operator = lab.start_operator()
        await lab.until(lambda: _said(operator.said, "has version 0, this operator needs"), "a word about old CRDs")
        assert (operator.probe("/livez"), operator.probe("/readyz")) == (200, 503)
    await lab.until(lambda: _is(operator.probe("/readyz"), 200), "readiness")
    assert operator.said.count("has version 0") == 1


async def test_an_api_server_that_restarts_costs_only_time(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckRamsey", "CheckT1"))
    async with simulated(lambda request: Play(seconds=0.2)) as simulator:
        await lab.until(lambda: _is(len(simulator.measured) >= 3, True), "three measurements")
        await asyncio.to_thread(lab.control_plane.stop_apiserver)
        lab.control_plane.start_apiserver()
        await lab.phase("Completed", timeout_s=60)
    assert len({request.task_id for request in simulator.measured}) == 12
    assert overlaps(lives(lab.audit())) == []


async def test_an_uninstallation_leaves_nothing_stuck(lab: Lab, simulated: Simulated) -> None:
    operator = lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session()
    await lab.phase("Running")
    assert operator.terminate() == 0
    assert lab.release() == 0
    await lab.delete_session()
    await lab.gone(timeout_s=5)

    # The next installation makes up for what nobody recorded.
    lab.start_operator()
    await lab.until(lambda: _cancelled(lab), "a record that says cancelled")
    assert {row["status"] for row in await lab.rows()} == {"cancelled"}


@asynccontextmanager
async def _old_kinds(lab: Lab) -> AsyncIterator[None]:
    notes = (await lab.api.get(_CRD))["metadata"]["annotations"]
    name = next(key for key in notes if key.startswith("kubecal.io/"))
    await lab.api.merge(_CRD, {"metadata": {"annotations": {name: "0"}}})
    try:
        yield
    finally:
        await lab.api.merge(_CRD, {"metadata": {"annotations": {name: notes[name]}}})


async def _said(log: str, words: str) -> bool:
    return words in log


async def _is(found: object, wanted: object) -> bool:
    return found == wanted


async def _cancelled(lab: Lab) -> bool:
    return [execution["status"] for execution in await lab.executions()] == ["cancelled"]
