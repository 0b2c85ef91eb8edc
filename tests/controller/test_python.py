"""Programs on a cluster: every session an object that stays open, every call a pod."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.request import Verdict
from kubecal.reading.records import Records, RecordsError
from kubecal.service.calibration import AsyncCalibService
from kubecal.service.config import CalibConfig
from kubecal.service.errors import Cancelled, ServiceError, TaskFailed
from kubecal.service.steps import CustomOneQubit, FilterByStatus
from kubecal.service.targets import QubitTargets
from tests.cluster.binaries import kubectl
from tests.controller.lab import Lab, system_namespace
from tests.controller.people import entered, expose, start_api, with_role
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]


@pytest.fixture
async def alice(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> CalibConfig:
    """What an experimenter's programs say, on a lab with an operator and a chip."""
    expose(lab, "operator", lab.start_operator().port)
    start_api(lab)
    await lab.apply_chip()
    kubeconfig = with_role(lab, "alice", "experimenters")
    async with entered(lab, kubeconfig, monkeypatch) as place:
        await answering(place.records)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("PATH", os.pathsep.join((str(kubectl().parent), os.environ["PATH"])))
    return CalibConfig(
        "alice", "fridge-a", ["0", "1"], where="cluster", namespace=lab.namespace, operator_namespace=_system(lab)
    )


async def answering(records: Records) -> None:
    """Wait until kubecal-api has started."""
    async with asyncio.timeout(30):
        while True:
            try:
                await records.chips()
            except RecordsError:
                await asyncio.sleep(0.1)
            else:
                return


def _system(lab: Lab) -> str:
    return system_namespace(lab.namespace)


def program(config: CalibConfig, said: list[str] | None = None, **changes: Any) -> AsyncCalibService:
    return AsyncCalibService(replace(config, **changes), say=(said if said is not None else []).append)


async def test_a_session_is_steered_call_by_call(alice: CalibConfig, lab: Lab, simulated: Simulated) -> None:
    async with simulated() as pods:
        async with program(alice) as cal:
            assert (cal.status.phase, cal.status.tasks.planned) == ("Running", 0)
            t1 = await cal.execute_task("CheckT1", "0", parameters={"shots": 64})
            assert (t1["t1"], t1["t1"].unit) == (30.0, "us")
            await cal.set_parameter("1", "t1", 12.5, error=0.5)
            assert repr(await cal.get_parameter("1", "t1")) == "12.50 ± 0.50 us"
            with pytest.raises(ServiceError, match=r"^there is no task 'CheckT11'.*did you mean CheckT1"):
                await cal.execute_task("CheckT11", "0")
            assert (await cal.execute_task("CheckT1", "1")).ok
        assert [(one.task, one.target, one.parameters) for one in pods.measured] == [
            ("CheckT1", "0", {"shots": 64}),
            ("CheckT1", "1", {}),
        ]
    assert cal.status.phase == "Completed"
    assert repr(await cal.get_parameter("0", "t1")).startswith("30")


async def test_a_failure_is_raised_and_ends_the_session_as_failed(
    alice: CalibConfig, lab: Lab, simulated: Simulated
) -> None:
    async with simulated(lambda _: Play(verdict=Verdict.POOR_FIT)):
        with pytest.raises(TaskFailed, match="CheckT1 of qubit 0 failed"):
            async with program(alice) as cal:
                await cal.execute_task("CheckT1", "0")
    assert cal.status.phase == "Failed"
    assert cal.status.message.startswith("TaskFailed: CheckT1 of qubit 0 failed")


async def test_an_interruption_stops_the_pod_and_frees_the_chip(
    alice: CalibConfig, lab: Lab, simulated: Simulated
) -> None:
    async with simulated():
        with pytest.raises(Cancelled):
            async with program(alice):
                raise Cancelled("SIGTERM was received")
        async with program(alice, flow_name="next") as cal:
            assert (await cal.execute_task("CheckT1", "0")).ok


async def test_an_open_session_of_the_same_person_is_joined_and_no_other(
    alice: CalibConfig, lab: Lab, simulated: Simulated
) -> None:
    said: list[str] = []
    async with simulated(), program(alice, execution_id="20240101-001") as first:
        with pytest.raises(ServiceError, match=r"20240101-001 is taken: .* of user alice on chip fridge-a"):
            await program(alice, execution_id="20240101-001", username="bob").begin()
        second = await program(alice, said, execution_id="20240101-001").begin()
        assert second.session_name == first.session_name
        assert (await second.execute_task("CheckT1", "0")).ok
        await second.finish_calibration()
    assert said == [f"joined the open session {first.session_name} (execution 20240101-001)"]
    assert first.status.phase == "Completed"


async def test_whole_steps_run_with_their_filters(alice: CalibConfig, lab: Lab, simulated: Simulated) -> None:
    def script(request: Any) -> Play:
        return Play(verdict=Verdict.POOR_FIT if request.target == "1" else Verdict.OK)

    steps = [
        CustomOneQubit(step_name="first", tasks=["CheckT1"]),
        FilterByStatus(),
        CustomOneQubit(step_name="then", tasks=["CheckT2Echo"]),
    ]
    async with simulated(script):
        found = await program(alice, qids=None).run(QubitTargets(["0", "1"]), steps)
    assert found["candidate_qids"] == ["0"]
    assert found["metadata"]["then"].all_qids() == ["0"]
