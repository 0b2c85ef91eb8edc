"""Images of task authors: ConfigMaps come late, broken, or change; sessions wait, or keep to what they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubecal.api.catalogue import Catalogue, built_in_catalogue
from kubecal.api.request import TaskRequest
from kubecal_operator import names
from kubecal_operator.errors import ApiError
from tests.cluster.audit import created_pods
from tests.controller.lab import ROOT, Json, Lab, labels
from tests.controller.podsim import Play, PodSimulator, request_of

Simulated = Callable[..., PodSimulator]
MINE = Catalogue.model_validate_json((ROOT / "tests" / "image" / "catalogue.json").read_text())
NEWER = Catalogue(tasks=MINE.tasks[:-1], backends=MINE.backends)
IMAGE = "registry.example.org/mylab@sha256:" + "1" * 64
PODS = {"images": [{"name": "mylab", "image": IMAGE, "catalogue": "mylab-catalogue"}]}
TWO: dict[str, Any] = {
    "targets": {"qubits": ["0"]},
    "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}, {"task": "Noop", "image": "mylab"}]}],
}


async def _write_catalogue(lab: Lab, text: str) -> None:
    """`kubectl apply` of the ConfigMap."""
    body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mylab-catalogue"}}
    body["data"] = {"catalogue.json": text}
    try:
        await lab.api.create(names.config_maps(lab.namespace), body)
    except ApiError as error:
        if not error.already_exists:
            raise
        await lab.api.merge(names.config_maps(lab.namespace, "mylab-catalogue"), body)


async def _message(lab: Lab, part: str, name: str = "morning", timeout_s: float = 10) -> Json:
    """Wait until the session says so; its status then."""

    async def said() -> Json | None:
        status = await lab.status(name)
        return status if part in status.get("message", "") else None

    status: Json = await lab.until(said, f"a message with {part!r}", timeout_s)
    return status


def _images(lab: Lab) -> dict[tuple[str, str], tuple[str, str]]:
    """Image and catalogue hash of each pod there ever was, by its task and target."""
    return {
        labels(pod): (pod["spec"]["containers"][0]["image"], request_of(pod)["catalogueHash"])
        for pod in created_pods(lab.audit(), lab.namespace)
    }


async def test_a_catalogue_that_comes_late_and_broken_is_waited_for_and_mended(lab: Lab, simulated: Simulated) -> None:
    operator = lab.start_operator()
    await lab.apply_chip(pods=PODS)
    await lab.apply_session(**TWO)
    status = await _message(lab, "there is no ConfigMap mylab-catalogue in namespace")
    assert status["phase"] == "Pending"
    assert "`kubecal tasks export --configmap mylab-catalogue`" in status["message"]

    await _write_catalogue(lab, "{}")
    status = await _message(lab, "ConfigMap mylab-catalogue holds no catalogue of this version")
    assert status["phase"] == "Pending"
    assert (await lab.session() or {})["metadata"].get("finalizers", []) == []

    await _write_catalogue(lab, MINE.to_json())
    async with simulated():
        assert (await lab.phase("Completed"))["progress"] == "2/2"
    assert _images(lab) == {
        ("CheckT1", "0"): ("kubecal/tasks:test", built_in_catalogue().hash),
        ("Noop", "0"): (IMAGE, MINE.hash),
    }
    (execution,) = await lab.executions()
    assert execution["images"] == {"mylab": {"image": IMAGE, "catalogue_hash": MINE.hash}}
    refused = [event for event in lab.audit() if event.code == 403]
    assert refused == []
    assert "Traceback" not in operator.said


async def test_a_catalogue_that_never_comes_fails_the_session(lab: Lab) -> None:
    lab.start_operator()
    await lab.apply_chip(pods=PODS)
    await lab.apply_session(**TWO, deadlines={"pendingSeconds": 1})
    status = await lab.phase("Failed")
    assert "there is no ConfigMap mylab-catalogue" in status["message"]
    assert await lab.executions() == []


async def test_a_catalogue_that_changes_in_mid_session_starts_nothing_until_it_is_back(
    lab: Lab, simulated: Simulated
) -> None:
    lab.start_operator()
    await _write_catalogue(lab, MINE.to_json())
    await lab.apply_chip(pods=PODS)
    await lab.apply_session(**TWO)

    def play(request: TaskRequest) -> Play:
        return Play(seconds=2.0 if request.task == "CheckT1" else 0.02)

    async with simulated(play) as simulator:
        await lab.phase("Running")
        await _write_catalogue(lab, NEWER.to_json())
        status = await _message(lab, "the tasks of image 'mylab' are not those the session was planned with")
        assert status["phase"] == "Running"

        async def first_is_done() -> bool:
            return (await lab.status()).get("progress") == "1/2"

        await lab.until(first_is_done, "the end of the task that ran")
        assert [wait["reason"] for wait in (await lab.status())["waits"]] == ["CatalogueChanged"]
        assert [request.task for request in simulator.measured] == ["CheckT1"]

        await _write_catalogue(lab, MINE.to_json())
        assert (await lab.phase("Completed"))["progress"] == "2/2"
    assert [request.task for request in simulator.measured] == ["CheckT1", "Noop"]


async def test_another_operator_with_the_same_catalogues_does_not_disturb(lab: Lab, simulated: Simulated) -> None:
    first = lab.start_operator()
    await _write_catalogue(lab, MINE.to_json())
    await lab.apply_chip(pods=PODS)
    await lab.apply_session(**TWO)
    async with simulated(lambda _: Play(seconds=1.0)) as simulator:

        async def begun() -> bool:
            return bool(simulator.measured)

        await lab.until(begun, "a measurement")
        first.kill()
        lab.start_operator(KUBECAL_TASK_IMAGE="kubecal/tasks:newer")
        await lab.phase("Completed", timeout_s=40)
    assert {row["attempt"] for row in await lab.rows()} == {1}
    assert _images(lab)["Noop", "0"] == (IMAGE, MINE.hash)
