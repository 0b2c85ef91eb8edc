"""The chart comes, is upgraded and goes, with sessions in the cluster."""

from __future__ import annotations

from tests.e2e.images import ProjectImages
from tests.e2e.install import RELEASE, SYSTEM, install_chart, values
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import Manifest, chip, scripted, session


def test_an_uninstallation_leaves_nothing_stuck_and_an_installation_goes_on(lab: Lab, images: ProjectImages) -> None:
    tasks: list[str | Manifest] = [scripted(seconds=600), "Noop"]
    lab.apply(chip(rows=2, columns=2), session("left", tasks, qubits=["0"]), session("kept", ["Noop"], qubits=["1"]))
    wait_for(lambda: len(lab.pods("left")), bool, "a pod", 60)
    try:
        lab.cluster.helm("uninstall", RELEASE, "-n", SYSTEM, "--wait", "--timeout", "60s")
        assert [item["metadata"].get("finalizers") for item in lab.get("cals")["items"]] == [None, None]
        # Nobody is there to let go of it, and nobody is needed.
        lab.delete_session("left", wait=True)
        wait_for(lambda: lab.pods("left"), lambda pods: not pods, "the pods gone with their session", 60)
    finally:
        install_chart(lab.cluster, images)
    lab.wait_phase("kept", "Completed")
    # What went while nobody watched is settled by who comes next.
    wait_for(lambda: lab.execution("left")["status"], "cancelled".__eq__, "the lost session recorded", 60)
    assert {row["status"] for row in lab.rows("left")} == {"cancelled"}


def test_an_upgrade_in_mid_session_changes_nothing(lab: Lab, images: ProjectImages) -> None:
    lab.apply(chip(rows=2, columns=2), session("upgraded", [scripted(seconds=1)] * 5, qubits=["0"]))
    wait_for(lambda: lab.status("upgraded").get("progress"), "2/5".__eq__, "two tasks done", 60)
    changed = values(images)["operator"] | {"logLevel": "debug"}
    try:
        # Returns when the new operator is ready, the old one gone.
        install_chart(lab.cluster, images, operator=changed)
        status = lab.wait_phase("upgraded", "Completed", timeout_s=120)
    finally:
        install_chart(lab.cluster, images)
    assert status["progress"] == "5/5"
    assert {row["attempt"] for row in lab.rows("upgraded")} == {1}
