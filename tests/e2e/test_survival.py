"""What must not stop a session: pods, operators and nodes that die."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from tests.cluster.audit import AuditEvent
from tests.e2e.install import SYSTEM
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import chip, scripted, session


def _operators(lab: Lab) -> list[dict[str, Any]]:
    selector = "app.kubernetes.io/component=operator"
    text = lab.cluster.kubectl("get", "pods", "-n", SYSTEM, "-l", selector, "-o", "json")
    items: list[dict[str, Any]] = json.loads(text)["items"]
    return [item for item in items if not item["metadata"].get("deletionTimestamp")]


def _leader(lab: Lab) -> str:
    path = ["get", "lease", "kubecal-operator", "-n", SYSTEM, "-o", "jsonpath={.spec.holderIdentity}"]
    return lab.cluster.kubectl(*path)


def _kill(lab: Lab, pod: str) -> None:
    """SIGKILL, without a word of goodbye."""
    command = ["delete", "pod", pod, "-n", SYSTEM, "--grace-period=0", "--force"]
    lab.cluster.kubectl(*command)


def _assert_nothing_twice(lab: Lab, events: list[AuditEvent], name: str) -> None:
    """No attempt was created twice and no two pods lived on one qubit at a time, as the audit log has it."""
    created: dict[str, int] = defaultdict(int)
    living: dict[str, str] = {}
    # Whoever watches may act before the log has the answer: the order of writes is that of their versions.
    for event in sorted(events, key=lambda one: one.resource_version or 0):
        if event.resource != "pods" or event.namespace != lab.namespace or event.code >= 300:
            continue
        body = event.response or {}
        labels = (body.get("metadata") or {}).get("labels", {})
        if labels.get("kubecal.io/session") != name:
            continue
        target, pod = labels["kubecal.io/target"], body["metadata"]["name"]
        if event.verb == "create" and not event.subresource:
            created[pod] += 1
            assert living.get(target) in (None, pod), f"{pod}: {living[target]} lived on qubit {target}"
            living[target] = pod
        states = [one.get("state", {}) for one in (body.get("status") or {}).get("containerStatuses", ())]
        if living.get(target) == pod and any("terminated" in state for state in states):
            del living[target]
    assert created
    assert set(created.values()) == {1}, created


@pytest.mark.parametrize("times", [1])
def test_a_session_survives_the_sigkill_of_its_operator(lab: Lab, times: int) -> None:
    position = lab.cluster.audit_position()
    tasks = [scripted(seconds=1)] * 6
    lab.apply(chip(rows=2, columns=2), session("kill", tasks))
    for done in range(4, 4 + 8 * times, 8):
        wait_for(lambda: _done(lab, "kill"), done.__le__, f"{done} tasks done", 90)
        for operator in _operators(lab):
            _kill(lab, operator["metadata"]["name"])
    status = lab.wait_phase("kill", "Completed", timeout_s=180)
    assert status["progress"] == "24/24"
    rows = lab.rows("kill")
    assert len(rows) == 24
    assert {row["attempt"] for row in rows} == {1}
    _assert_nothing_twice(lab, lab.cluster.audit_events(position), "kill")


def test_a_standby_takes_over_when_the_leader_is_killed(lab: Lab) -> None:
    position = lab.cluster.audit_position()
    deployment = ["-n", SYSTEM, "deployment/kubecal-operator"]
    lab.cluster.kubectl("scale", "--replicas=2", *deployment)
    lab.cluster.kubectl("rollout", "status", "--timeout=60s", *deployment)
    try:
        lab.apply(chip(rows=2, columns=2), session("takeover", [scripted(seconds=1)] * 6))
        wait_for(lambda: _done(lab, "takeover"), lambda done: done >= 4, "4 tasks done", 90)
        _kill(lab, _leader(lab))
        lab.wait_phase("takeover", "Completed", timeout_s=180)
        assert len(lab.rows("takeover")) == 24
        _assert_nothing_twice(lab, lab.cluster.audit_events(position), "takeover")
    finally:
        lab.cluster.kubectl("scale", "--replicas=1", *deployment)
        lab.cluster.kubectl("rollout", "status", "--timeout=60s", *deployment)


def test_a_deleted_pod_is_run_again_and_not_charged(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("again", [scripted(seconds=8)], qubits=["0"]))
    pods = wait_for(lambda: lab.pods("again"), lambda found: _runs(found), "a running pod", 60)
    lab.cluster.kubectl("delete", "pod", pods[0]["metadata"]["name"], "-n", lab.namespace, "--wait=false")
    lab.wait_phase("again", "Completed", timeout_s=120)
    rows = sorted(lab.rows("again"), key=lambda row: row["attempt"])
    assert [row["status"] for row in rows] == ["cancelled", "completed"]
    assert rows[0]["trouble"] == "Disruption"


def test_an_evicted_pod_is_run_again_and_not_charged(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("evicted", [scripted(seconds=8)], qubits=["0"]))
    pods = wait_for(lambda: lab.pods("evicted"), lambda found: _runs(found), "a running pod", 60)
    name = pods[0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": lab.namespace}}
    path = f"/api/v1/namespaces/{lab.namespace}/pods/{name}/eviction"
    lab.cluster.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(eviction))
    lab.wait_phase("evicted", "Completed", timeout_s=120)
    rows = sorted(lab.rows("evicted"), key=lambda row: row["attempt"])
    assert [row["trouble"] for row in rows] == ["Disruption", None]


def test_a_force_deleted_pod_that_comes_back_late_cannot_publish(lab: Lab) -> None:
    """The node is paused, so the process outlives its object; when it is back its claim is not its own any more."""
    lab.apply(chip(rows=2, columns=2), session("late", [scripted(seconds=5)], qubits=["0"]))
    pods = wait_for(lambda: lab.pods("late"), lambda found: _runs(found), "a running pod", 60)
    node, name = lab.cluster.instrument_node, pods[0]["metadata"]["name"]
    lab.cluster.pause_node(node)
    try:
        lab.cluster.kubectl("delete", "pod", name, "-n", lab.namespace, "--grace-period=0", "--force")
        wait_for(lambda: len(lab.rows("late")), lambda count: count == 2, "the attempt superseded", 60)
    finally:
        lab.cluster.unpause_node(node)
    lab.wait_phase("late", "Completed", timeout_s=180)
    first, second = sorted(lab.rows("late"), key=lambda row: row["attempt"])
    assert (first["status"], first["superseded"]) == ("cancelled", True)
    assert (second["status"], second["superseded"]) == ("completed", False)
    published = lab.database["kubecal"].parameter_history.find({"execution_id": lab.execution("late")["execution_id"]})
    assert {one["task_id"] for one in published} <= {second["_id"]}


def test_a_lost_node_keeps_its_qubits_until_it_is_back(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("lost", [scripted(seconds=20), "Noop"], qubits=["0"]))
    wait_for(lambda: lab.pods("lost"), lambda found: _runs(found), "a running pod", 60)
    node = lab.cluster.instrument_node
    lab.cluster.pause_node(node)
    try:
        stuck = wait_for(
            lambda: lab.condition("lost", "PodStuck"), lambda seen: seen.get("status") == "True", "PodStuck", 120
        )
        assert node in stuck["message"]
        assert "0" in stuck["message"]
        assert len(lab.pods("lost")) == 1
    finally:
        lab.cluster.unpause_node(node)
    lab.wait_phase("lost", "Completed", timeout_s=240)


def _done(lab: Lab, session: str) -> int:
    return int((lab.status(session).get("progress") or "0/0").partition("/")[0])


def _runs(pods: list[dict[str, Any]]) -> bool:
    return any(pod["status"].get("phase") == "Running" for pod in pods)
