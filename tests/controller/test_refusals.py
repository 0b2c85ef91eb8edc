"""What stands in the way of pods, and goes on by itself once it is out of the way."""

from __future__ import annotations

from collections.abc import Callable

from kubecal.api.naming import pod_name
from kubecal_operator import names
from tests.controller.lab import Lab
from tests.controller.podsim import PodSimulator

Simulated = Callable[..., PodSimulator]
ONE = {"qubits": ["0"]}


async def test_a_quota_is_waited_for(lab: Lab, simulated: Simulated) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    path = f"/api/v1/namespaces/{lab.namespace}/resourcequotas"
    await lab.api.create(path, quota)
    await lab.until(lambda: _used(lab, path), "the quota's first count")
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",))
    condition = await lab.condition("PodsBlocked", "QuotaExceeded")
    assert "exceeded quota" in condition["message"]
    assert (await lab.status())["phase"] == "Running"

    await lab.api.delete(f"{path}/none", {})
    async with simulated():
        await lab.phase("Completed", timeout_s=60)


async def test_missing_rights_are_named_and_waited_for(lab: Lab, simulated: Simulated) -> None:
    role = await lab.operator_role()
    withheld = {**role, "rules": [_without_create(rule) for rule in role["rules"]]}
    await lab.write_role(withheld)
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",), targets=ONE)
    condition = await lab.condition("PodsBlocked", "Forbidden")
    assert 'cannot create resource "pods"' in condition["message"]

    await lab.write_role(role)
    async with simulated():
        await lab.phase("Completed", timeout_s=60)


async def test_a_stranger_with_our_pods_name_ends_the_task(lab: Lab, simulated: Simulated) -> None:
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",), targets=ONE)
    uid = (await lab.session() or {})["metadata"]["uid"]
    name = pod_name("morning", uid, "check", "CheckT1", "0", 0, 1)
    await lab.api.create(names.pods(lab.namespace), _stranger(name))
    lab.start_operator()
    async with simulated():
        status = await lab.phase("Failed")
    assert "NameTaken" in status["failures"][0]["message"]


async def _used(lab: Lab, path: str) -> bool:
    return "used" in (await lab.api.get(f"{path}/none")).get("status", {})


def _without_create(rule: dict[str, list[str]]) -> dict[str, list[str]]:
    if "pods" not in rule["resources"]:
        return rule
    return {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "create"]}


def _stranger(name: str) -> dict[str, object]:
    container = {
        "name": "it",
        "image": "busybox",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": security}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
