"""Whoever the chart's values name may do what their role says, from their own computer, and nothing more."""

from __future__ import annotations

import asyncio
import json

import pytest

from kubecal.api.manifests import parse_manifest
from kubecal.api.session import CalibrationSession
from kubecal.cluster.lab import ClusterLab
from kubecal.lab.lab import RefusedError, Sight
from tests.cluster.errors import ClusterError
from tests.e2e.images import ProjectImages
from tests.e2e.lab import Lab
from tests.e2e.manifests import Manifest, chip, scripted, session
from tests.e2e.people import kubeconfig_of, seen_by


def parsed(document: Manifest) -> CalibrationSession:
    found = parse_manifest(document, "test")
    assert isinstance(found, CalibrationSession)
    return found


async def to_the_end(place: ClusterLab, name: str) -> Sight:
    async with asyncio.timeout(180):
        last = [sight async for sight in place.follow(name)][-1]
    assert not last.problem
    return last


async def test_an_experimenter_runs_and_a_viewer_reads(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.apply(chip(rows=2, columns=2))
    async with seen_by(lab, "experimenter", monkeypatch) as place:
        await place.create(parsed(session("measured", ["CheckRabi", scripted(seconds=0)], qubits=["0", "1"])))
        last = await to_the_end(place, "measured")
        assert last.session.status.phase == "Completed"
        assert last.session.status.tasks.succeeded == 4
        # A measurement may need a second attempt.
        assert {one.status for one in last.tasks} <= {"completed", "failed"}

    async with seen_by(lab, "viewer", monkeypatch) as place:
        execution = (await place.session("measured")).status.execution_id
        results = await place.records.results(execution)
        assert {one.qid for one in results if one.task == "CheckRabi" and one.verdict == "ok"} == {"0", "1"}
        drawn = {name: content async for name, content in place.records.figures(execution)}
        assert len(drawn) >= 2
        assert all(content.startswith(b"<?xml") for content in drawn.values())
        name, content = next(iter(drawn.items()))
        assert await place.records.file(name) == content
        lines = [line async for line in place.logs("measured", task="CheckRabi")]
        assert all(line.startswith("CheckRabi on qubit ") for line in lines)
        assert (await place.explain("measured")).phase == "Completed"
        with pytest.raises(RefusedError, match="may not create calibrationsessions in namespace 'lab': ask for the"):
            await place.create(parsed(session("mine", ["Noop"], qubits=["0"])))


async def test_an_experimenter_chooses_neither_node_nor_image_nor_wires_and_reads_no_secret(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.apply(chip(rows=2, columns=2))
    mine = kubeconfig_of(lab, "experimenter")
    for field in ("nodeSelector", "podSpec", "pods", "wiring", "hardwareId"):
        wanted = session("steered", ["Noop"], qubits=["0"])
        wanted["spec"][field] = {}
        assert f'unknown field "spec.{field}"' in refused(lab, mine, "create", given=wanted)
    for verb in ("create", "patch", "delete"):
        assert "no" in refused(lab, mine, "auth", "can-i", verb, "chips.kubecal.io")
    for verb, what in (("get", "secrets"), ("create", "pods"), ("create", "pods/exec"), ("create", "services/proxy")):
        assert "no" in refused(lab, mine, "auth", "can-i", verb, what)
    assert "forbidden" in refused(lab, mine, "get", "secret", "kubecal-mongodb")

    async with seen_by(lab, "experimenter", monkeypatch) as place:
        elsewhere = session("imaged", [{"task": "Noop", "image": "mine"}], qubits=["0"])
        await place.create(parsed(elsewhere))
        last = await to_the_end(place, "imaged")
    assert last.session.status.phase == "Failed"
    assert "image" in last.session.status.message
    assert not last.tasks
    assert not lab.pods("imaged")


async def test_the_lines_of_a_task_that_runs_come_as_it_writes_them(
    lab: Lab, images: ProjectImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.apply(chip(rows=2, columns=2), session("written", [scripted(seconds=600)], qubits=["0"]))
    lab.wait_phase("written", "Running")
    lab.apply(_talking(images.tests, lab.get("cals", "written")["metadata"]["uid"]))
    lab.cluster.kubectl("wait", "--for=condition=Ready", "pod/talking", "-n", lab.namespace, "--timeout=60s")
    try:
        async with seen_by(lab, "viewer", monkeypatch) as place:
            lines = place.logs("written", task="CheckT1", follow=True)
            async with asyncio.timeout(60):
                assert [await anext(lines) for _ in range(3)] == [
                    f"CheckT1 on qubit 0 (attempt 2) | {n}" for n in range(3)
                ]
            await lines.aclose()
            so_far = [line async for line in place.logs("written", task="CheckT1")]
            assert so_far[:3] == [f"CheckT1 on qubit 0 (attempt 2) | {n}" for n in range(3)]
    finally:
        lab.cluster.kubectl("delete", "pod", "talking", "-n", lab.namespace, "--grace-period=1")


def _talking(image: str, uid: str) -> Manifest:
    """A pod that looks like a task's to whoever reads logs, and writes a number every half second."""
    attempt = {"step": "step", "task": "CheckT1", "target": "0", "ordinal": 0, "attempt": 2}
    meta = {
        "name": "talking",
        "labels": {"kubecal.io/session-uid": uid, "kubecal.io/task": "CheckT1", "kubecal.io/target": "0"},
        "annotations": {"kubecal.io/attempt": json.dumps(attempt)},
    }
    script = "import itertools, time\nfor n in itertools.count():\n print(n, flush=True)\n time.sleep(0.5)"
    container = {
        "name": "task",
        "image": image,
        "command": ["python", "-c", script],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    secure = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"containers": [container], "securityContext": secure, "restartPolicy": "Never"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def refused(lab: Lab, kubeconfig: object, *words: str, given: Manifest | None = None) -> str:
    """What kubectl says where it fails, asked as somebody."""
    command = [f"--kubeconfig={kubeconfig}", "-n", lab.namespace, *words, *(["-f", "-"] if given else [])]
    with pytest.raises(ClusterError) as error:
        lab.cluster.kubectl(*command, given=json.dumps(given) if given else None)
    return str(error.value)
