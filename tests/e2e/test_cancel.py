"""Stopping a session: by deleting it, and by spec.cancel."""

from __future__ import annotations

from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import chip, scripted, session


def _running_pods(lab: Lab, name: str) -> int:
    return sum(pod["status"].get("phase") == "Running" for pod in lab.pods(name))


def test_deleting_a_running_session_stops_its_pods_and_frees_the_chip_for_the_next(lab: Lab) -> None:
    long = session("long", [scripted(seconds=600), "Noop"], qubits=["0", "3"])
    lab.apply(chip(rows=2, columns=2), long)
    wait_for(lambda: _running_pods(lab, "long"), lambda running: running == 2, "two running pods")
    lab.apply(session("next", ["Noop"], qubits=["0"]))
    lab.wait_phase("next", "Queued")

    lab.delete_session("long")
    lab.wait_gone("long", timeout_s=40)
    assert lab.pods("long") == [] or all(pod["metadata"].get("deletionTimestamp") for pod in lab.pods("long"))
    execution = lab.execution("long")
    assert (execution["status"], execution["phase"]) == ("cancelled", "Cancelled")
    assert {row["status"] for row in lab.rows("long")} == {"cancelled"}
    lab.wait_phase("next", "Completed")


def test_cancel_does_the_same_and_keeps_the_object(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("stop", ["Noop", scripted(seconds=600)], qubits=["0"]))
    wait_for(lambda: lab.status("stop").get("progress"), lambda progress: progress == "1/2", "one task done", 60)
    lab.cluster.kubectl("patch", "cals", "stop", "-n", lab.namespace, "--type=merge", "-p", '{"spec":{"cancel":true}}')
    status = lab.wait_phase("stop", "Cancelled", timeout_s=60)
    assert status["tasks"]["succeeded"] == 1
    assert status["tasks"]["cancelled"] == 1
    assert lab.execution("stop")["status"] == "cancelled"
    assert sorted(row["status"] for row in lab.rows("stop")) == ["cancelled", "completed"]
    assert not lab.get("chips.kubecal.io", "fridge-a")["status"].get("holders")
