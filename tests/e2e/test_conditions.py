"""What is wrong is said in words within seconds, and once it is mended everything goes on by itself."""

from __future__ import annotations

import secrets

from tests.e2e.images import ProjectImages
from tests.e2e.install import install_chart, values
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import chip, scripted, session


def _wait_condition(lab: Lab, name: str, kind: str, status: str, reason: str, timeout_s: float = 60) -> str:
    found = wait_for(
        lambda: lab.condition(name, kind),
        lambda seen: (seen.get("status"), seen.get("reason")) == (status, reason),
        f"{kind}={status} {reason} of {name}",
        timeout_s,
    )
    return str(found["message"])


def test_a_mongodb_that_is_away_is_named_and_the_session_goes_on_when_it_is_back(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("away", [scripted(seconds=2)] * 3, qubits=["0"]))
    lab.wait_phase("away", "Running")
    lab.cluster.kubectl("scale", "--replicas=0", "-n", "kubecal-mongodb", "deployment/mongodb")
    try:
        message = _wait_condition(lab, "away", "ResultsStored", "False", "Unreachable")
        assert "mongodb.kubecal-mongodb.svc:27017" in message
    finally:
        lab.cluster.kubectl("scale", "--replicas=1", "-n", "kubecal-mongodb", "deployment/mongodb")
        lab.cluster.kubectl("rollout", "status", "-n", "kubecal-mongodb", "deployment/mongodb", "--timeout=60s")


def test_a_pod_that_cannot_be_scheduled_says_why(lab: Lab) -> None:
    manifest = chip(rows=2, columns=2)
    manifest["spec"]["pods"]["nodeSelector"] = {"kubecal.io/instruments": "nowhere"}
    lab.apply(manifest, session("nowhere", ["Noop"], qubits=["0"]))
    message = _wait_condition(lab, "nowhere", "PodsBlocked", "True", "Unschedulable")
    assert "node" in message
    node = lab.cluster.plain_node
    lab.cluster.kubectl("label", "node", node, "kubecal.io/instruments=nowhere")
    try:
        lab.wait_phase("nowhere", "Completed")
    finally:
        lab.cluster.kubectl("label", "node", node, "kubecal.io/instruments-")


def test_an_image_that_cannot_be_pulled_is_named_until_the_node_has_it(lab: Lab, images: ProjectImages) -> None:
    repository, tag = images.tests.rpartition(":")[0], f"absent-{secrets.token_hex(3)}"
    absent = f"{repository}:{tag}"
    install_chart(
        lab.cluster, images, tasks=values(images)["tasks"] | {"image": {"repository": repository, "tag": tag}}
    )
    try:
        lab.apply(chip(rows=2, columns=2), session("absent", ["Noop"], qubits=["0"]))
        message = _wait_condition(lab, "absent", "PodsBlocked", "True", "ImagePull")
        assert absent in message
        lab.cluster.docker.run("tag", images.tests, absent)
        try:
            lab.cluster.load_images([absent])
        finally:
            lab.cluster.docker.run("image", "rm", absent)
        lab.wait_phase("absent", "Completed", timeout_s=240)
    finally:
        install_chart(lab.cluster, images)


def test_a_quota_that_is_used_up_blocks_until_there_is_room(lab: Lab) -> None:
    lab.cluster.kubectl("create", "quota", "none", "--hard=pods=0", "-n", lab.namespace)
    try:
        lab.apply(chip(rows=2, columns=2), session("quota", ["Noop"], qubits=["0"]))
        message = _wait_condition(lab, "quota", "PodsBlocked", "True", "QuotaExceeded")
        assert "exceeded quota" in message
    finally:
        lab.cluster.kubectl("delete", "quota", "none", "-n", lab.namespace)
    lab.wait_phase("quota", "Completed")


def test_a_missing_secret_of_the_served_namespace_is_named_until_it_is_there(lab: Lab) -> None:
    secret = lab.get("secret", "kubecal-mongodb")
    lab.cluster.kubectl("delete", "secret", "kubecal-mongodb", "-n", lab.namespace)
    try:
        lab.apply(chip(rows=2, columns=2), session("secret", ["Noop"], qubits=["0"]))
        message = _wait_condition(lab, "secret", "PodsBlocked", "True", "MountFailed")
        assert "kubecal-mongodb" in message
    finally:
        kept = {key: secret["metadata"][key] for key in ("name", "labels", "annotations") if key in secret["metadata"]}
        lab.apply({"apiVersion": "v1", "kind": "Secret", "metadata": kept, "data": secret["data"]})
    lab.wait_phase("secret", "Completed", timeout_s=240)


def test_what_cannot_be_planned_fails_with_a_sentence_and_makes_no_pod(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("bad", ["ChekRabi"], qubits=["0"]))
    status = lab.wait_phase("bad", "Failed")
    assert "did you mean CheckRabi?" in status["message"]
    assert lab.condition("bad", "Valid")["status"] == "False"
    assert lab.pods("bad") == []
