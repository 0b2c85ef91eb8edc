"""Why tasks do not run: asked as people do, through the API server with their own rights, and of replicas directly."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cluster.binaries import kubectl
from tests.controller.lab import Lab, OperatorProcess, system_namespace
from tests.controller.people import expose, with_role
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]
Json = dict[str, Any]
_PROGRAM = Path(sys.executable).parent / "kubecal"


async def test_a_person_asks_through_the_api_server_with_no_more_than_the_right_to_ask(
    lab: Lab, simulated: Simulated
) -> None:
    operator = lab.start_operator()
    expose(lab, "operator", operator.port)
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi", "CheckT1"))
    alice = with_role(lab, "alice", "viewers")
    async with simulated(lambda request: Play(seconds=600)) as simulator:
        await lab.until(lambda: _drive(simulator, 2), "two measurements")
        # A square of qubits, none of which runs beside its neighbours: two run, and each of the others has both there.
        first, last = sorted(simulator.driving)
        code, text, said = await _explain(lab, alice)
        assert (code, said) == (0, "")
        assert text.startswith("morning Running on fridge-a, execution ")
        assert ": 2 run, 0 ok, 6 not, for these reasons\n" in text
        assert "WaitsForWire: 2 tasks" in text
        assert f"qubit {first} is held by CheckRabi on {first}" in text
        assert "WaitsForTask: 4 tasks" in text
        assert f"{first}, {last}  comes after CheckRabi, which runs\n" in text
        status = await lab.until(lambda: _with_waits(lab), "waits in the status")
        assert {one["reason"]: one["tasks"] for one in status["waits"]} == {"WaitsForWire": 2, "WaitsForTask": 4}
        await lab.patch_session("morning", {"cancel": True})
        status = await lab.phase("Cancelled")
    assert status["waits"] == []
    code, text, _ = await _explain(lab, alice, "morning", "--output", "json")
    assert code == 0
    assert {one["reason"] for one in json.loads(text)["tasks"]} == {"Cancelled"}


async def test_whoever_may_not_ask_or_asks_at_the_wrong_place_is_told_so(lab: Lab) -> None:
    operator = lab.start_operator()
    expose(lab, "operator", operator.port)
    alice = with_role(lab, "alice", "viewers")
    await lab.until(lambda: _answers(lab, operator), "a leader")
    code, _, said = await _explain(lab, alice, "evening")
    assert (code, said) == (1, f"there is no CalibrationSession 'evening' in namespace '{lab.namespace}'\n")
    code, _, said = await _explain(lab, alice, "evening", "--namespace", "kube-system")
    assert (code, said) == (1, f"this operator does not serve namespace 'kube-system' (it serves {lab.namespace})\n")
    code, _, said = await _explain(lab, lab.control_plane.user_kubeconfig("mallory"))
    assert code == 2
    assert said.startswith("you may not ask the operator: you need the right to get services/proxy in namespace ")
    code, _, said = await _explain(lab, lab.control_plane.kubeconfig, "morning", "--release", "other")
    assert code == 2
    assert said.startswith(f"there is no operator in namespace '{system_namespace(lab.namespace)}'")
    operator.kill()
    code, _, said = await _explain(lab, alice)
    assert code == 2
    assert "does not answer the API server" in said


async def test_only_the_replica_that_leads_explains(lab: Lab, simulated: Simulated) -> None:
    replicas = {name: lab.start_operator(name) for name in ("replica-0", "replica-1")}
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",), suspend=True)
    leader = await lab.until(lab.lease_holder, "a leader")
    (standby,) = set(replicas) - {leader}
    await lab.until(lambda: _answers(lab, replicas[leader]), "an answer of the leader")
    said = f"replica {standby} stands by: {leader} leads"
    await lab.until(lambda: _says(lab, replicas[standby], said), "the standby's word who leads")
    code, told = replicas[leader].ask(f"/explain/{lab.namespace}/evening")
    assert (code, told["reason"]) == (404, "NotFound")
    await lab.phase("Suspended")
    code, told = replicas[leader].ask(f"/explain/{lab.namespace}/morning")
    assert (code, told["phase"]) == (200, "Suspended")
    assert {one["reason"] for one in told["tasks"]} == {"Suspended"}


async def test_a_pod_that_cannot_start_is_explained_with_what_to_do(lab: Lab, simulated: Simulated) -> None:
    operator = lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckRabi",), targets={"qubits": ["0"]})
    async with simulated(lambda request: Play(scheduled=False)):
        await lab.condition("PodsBlocked", "Unschedulable")
        code, told = operator.ask(f"/explain/{lab.namespace}/morning")
        (task,) = told["tasks"]
        assert (code, task["reason"]) == (200, "PodsBlocked")
        assert "didn't match Pod's node affinity" in task["message"]
        assert "correct nodeSelector, tolerations or resources in Chip.spec.pods" in task["message"]
        (wait,) = (await lab.status())["waits"]
        assert (wait["reason"], wait["tasks"], wait["message"]) == ("PodsBlocked", 1, task["message"])
        await lab.delete_session()
        await lab.gone()


async def _drive(simulator: PodSimulator, number: int) -> bool:
    return len(simulator.driving) == number


async def _with_waits(lab: Lab) -> Json | None:
    status = await lab.status()
    return status if len(status.get("waits", ())) == 2 else None


async def _answers(lab: Lab, operator: OperatorProcess) -> bool:
    return operator.ask(f"/explain/{lab.namespace}/nothing")[0] == 404


async def _says(lab: Lab, operator: OperatorProcess, message: str) -> bool:
    code, told = operator.ask(f"/explain/{lab.namespace}/morning")
    return (code, told.get("message")) == (503, message)


async def _explain(lab: Lab, kubeconfig: Path, session: str = "morning", *more: str) -> tuple[int, str, str]:
    """``kubecal explain``, as a person's own process; exit code, output, errors."""
    where = ("--operator-namespace", system_namespace(lab.namespace), "--namespace", lab.namespace)
    path = os.pathsep.join((str(kubectl().parent), os.environ["PATH"]))
    process = await asyncio.create_subprocess_exec(
        _PROGRAM,
        *("explain", session, *where, *more),
        env={**os.environ, "KUBECONFIG": str(kubeconfig), "PATH": path},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), said.decode()
