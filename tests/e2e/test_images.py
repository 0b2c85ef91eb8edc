"""An author's image beside the built-in one, as its author and the lab's admin would bring it in."""

from __future__ import annotations

import yaml

from kubecal.api.catalogue import load_catalogue
from tests.cluster.audit import created_pods
from tests.e2e.images import ProjectImages
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import Manifest, chip, session, with_image

EXPORT = ("tasks", "export", "--configmap", "mylab-catalogue")
TASKS: list[str | Manifest] = ["Noop", {"task": "Scripted", "image": "mylab", "parameters": {"seconds": 1}}]


def _exported(lab: Lab, images: ProjectImages) -> Manifest:
    """What the image itself prints, as docs/author-images.md tells authors to ask it."""
    text = lab.cluster.docker.run("run", "--rm", "--network=none", "--entrypoint", "kubecal", images.author, *EXPORT)
    body: Manifest = yaml.safe_load(text)
    return body


def test_a_session_uses_an_authors_image_and_the_built_in_one(lab: Lab, images: ProjectImages) -> None:
    position = lab.cluster.audit_position()
    fridge = with_image(chip(rows=2, columns=2), "mylab", images.author)
    lab.apply(fridge, session("both", TASKS, qubits=["0", "1"]))
    pending = lab.wait_phase("both", "Pending")
    wait_for(lambda: lab.status("both")["message"], lambda text: "mylab-catalogue" in text, "a word on the ConfigMap")
    assert pending["phase"] == "Pending"

    config_map = _exported(lab, images)
    lab.apply(config_map)
    status = lab.wait_phase("both", "Completed", timeout_s=120)

    assert status["progress"] == "4/4"
    created = created_pods(lab.cluster.audit_events(position), lab.namespace)
    used = {pod["metadata"]["labels"]["kubecal.io/task"]: pod["spec"]["containers"][0]["image"] for pod in created}
    assert used == {"Noop": images.tests, "Scripted": images.author}
    catalogue = load_catalogue(config_map["data"]["catalogue.json"])
    pinned = {"image": images.author, "catalogue_hash": catalogue.hash}
    assert lab.execution("both")["images"] == {"mylab": pinned}
    assert {row["attempt"] for row in lab.rows("both")} == {1}
