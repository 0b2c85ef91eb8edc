"""One session with everything that can be in it, and everything that people do to it meanwhile."""

from __future__ import annotations

import secrets

from tests.e2e.images import ProjectImages
from tests.e2e.install import install_chart, values
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import Manifest, chip, scripted, session

ONE_BAD = {"verdict": "imprecise", "failing": "1", "suggested_verdict": "ok"}
SHORT = {"delays": {"start": 0.1, "stop": 8, "num": 31, "scale": "log"}}


def test_a_session_runs_as_its_manifest_says_while_it_is_suspended_and_the_operator_upgraded(
    lab: Lab, images: ProjectImages
) -> None:
    config = {"seed": 7, "drift": False, "clock": {"mode": "Fixed", "at": "2026-01-01T00:00:00Z"}}
    # A chip nobody has published anything of: every run begins with the same inputs, and measures the same data.
    name = f"life-{secrets.token_hex(3)}"
    life: Manifest = session("life", [], chip=name, suspendHoldSeconds=600, retry={"backoffSeconds": 1})
    life["spec"]["steps"] = [
        {
            "name": "check",
            # Too short for any decay: judged `window`, and measured again with what that attempt suggests.
            "tasks": [{"task": "CheckRabi"}, {"task": "CreateHPIPulse"}, {"task": "CheckT1", "parameters": SHORT}],
            "schedule": {"mode": "MuxSerial"},
        },
        # Judged for each qubit; only the one that is not ok is measured again, with what the attempt suggests.
        {"name": "readout", "tasks": [{"task": "ScriptedMux", "parameters": ONE_BAD}]},
        {"name": "long-lived", "filter": {"metric": "t1", "min": 22}},
        {"name": "together", "tasks": [{"task": "ScriptedBatch"}], "batch": "Mux"},
        {"name": "gates", "targets": {"couplings": {"auto": True}}, "tasks": [{"task": "ScriptedCoupling"}]},
        {"name": "fine", "tasks": [scripted(seconds=1)], "barrier": True, "schedule": {"mode": "Parallel"}},
        {"name": "nudge", "set": {"qubits": {"3": {"t1": {"value": 25.0}}}}},
    ]
    life["spec"]["parking"] = {"tasks": [{"task": "ScriptedChip"}]}
    lab.apply(chip(name, rows=2, columns=2, config=config), life)
    wait_for(lambda: len(lab.pods("life")), lambda pods: pods >= 3, "three pods", 60)
    _patch(lab, suspend=True)
    lab.wait_phase("life", "Suspended")
    try:
        # Returns when the new operator is ready, the old one gone.
        install_chart(lab.cluster, images, operator=values(images)["operator"] | {"logLevel": "debug"})
        resting = len(lab.pods("life"))
        _patch(lab, suspend=False)
        status = lab.wait_phase("life", "Completed", timeout_s=240)
    finally:
        install_chart(lab.cluster, images)
    rows = lab.rows("life")
    assert resting < len(rows)
    t1 = sorted((row for row in rows if row["name"] == "CheckT1"), key=lambda row: (row["qid"], row["attempt"]))
    assert {row["verdict"] for row in t1 if row["attempt"] == 1} == {"window"}
    assert all(row["adapted"] for row in t1 if row["attempt"] > 1)
    last = {row["qid"]: row for row in t1}
    assert {row["verdict"] for row in last.values()} == {"ok"}
    good = {qubit for qubit, row in last.items() if row["output_parameters"]["t1"]["value"] >= 30}
    assert 0 < len(good) < 4
    assert {row["qid"]: row["status"] for row in rows if row["name"] == "Scripted"} == {
        qubit: "completed" if qubit in good else "skipped" for qubit in last
    }
    assert "left out by filters" in status["message"]
    assert status["suspended"]["seconds"] > 0
    _every_kind_of_task_came_out(rows, good)
    assert [(one["status"], one["reason"]) for one in status["conditions"] if one["type"] == "NotParked"] == [
        ("False", "Parked")
    ]


def _every_kind_of_task_came_out(rows: list[Manifest], good: set[str]) -> None:
    by_name: dict[str, list[Manifest]] = {}
    for row in rows:
        by_name.setdefault(row["name"], []).append(row)
    mux = {(row["qid"], row["attempt"]): row["verdict"] for row in by_name["ScriptedMux"]}
    assert mux == {**{(qubit, 1): "ok" for qubit in "023"}, ("1", 1): "imprecise", ("1", 2): "ok"}
    assert {row["qid"]: row["status"] for row in by_name["ScriptedBatch"]} == {
        qubit: "completed" if qubit in good else "skipped" for qubit in "0123"
    }
    assert {row["qid"]: row["status"] for row in by_name["ScriptedCoupling"]} == {
        f"{control}-{target}": "completed" if {control, target} <= good else "skipped"
        for control, target in ("01", "02", "31", "32")
    }
    (nudge,), (parked,) = by_name["Set"], by_name["ScriptedChip"]
    assert (nudge["status"], nudge["message"]) == ("completed", "set 1 parameter of 1 target")
    assert parked["start_at"] >= max(row["end_at"] for row in rows if row["name"] != "ScriptedChip")


def _patch(lab: Lab, *, suspend: bool) -> None:
    body = f'{{"spec":{{"suspend":{str(suspend).lower()}}}}}'
    lab.cluster.kubectl("patch", "cals", "life", "-n", lab.namespace, "--type=merge", "-p", body)
