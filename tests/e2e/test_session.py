"""A session from one applied file to its results, on real nodes."""

from __future__ import annotations

import io
import secrets
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pymongo.database import Database

from tests.e2e.install import ROOT, SYSTEM
from tests.e2e.lab import DATABASE, Lab
from tests.e2e.manifests import CHECK, chip, scripted, session
from tests.e2e.truth import LARGEST_PULL, PROMISED, pulls

SEED = 7


def test_a_session_of_16_qubits_and_6_tasks_completes_with_every_result_on_record(lab: Lab) -> None:
    position = lab.cluster.audit_position()
    fridge, morning = yaml.safe_load_all((ROOT / "examples" / "morning.yaml").read_text())
    # The clock is part of the random key: with a fixed one every run measures the same data.
    clock = {"mode": "Fixed", "at": "2026-01-01T00:00:00Z"}
    fridge["spec"]["backend"]["config"] = {"seed": SEED, "drift": False, "clock": clock}
    lab.apply(fridge, morning)
    status = lab.wait_phase("morning", "Completed", "PartiallyFailed", timeout_s=400)
    assert status["phase"] == "Completed", status
    assert status["progress"] == "96/96"
    assert status["tasks"]["succeeded"] == 96

    made = [
        event
        for event in lab.cluster.audit_events(position)
        if event.resource == "pods" and event.verb == "create" and event.namespace == "lab"
    ]
    created = [event for event in made if not event.subresource]
    assert len(created) == 96
    assert len({event.name for event in created}) == 96
    assert {event.code for event in created} == {201}

    nodes = [(event.request or {})["target"]["name"] for event in made if event.subresource == "binding"]
    assert nodes == [lab.cluster.instrument_node] * 96
    operator = lab.cluster.kubectl("get", "pods", "-n", SYSTEM, "-o", "jsonpath={.items[*].spec.nodeName}").split()
    assert lab.cluster.instrument_node not in operator

    rows = lab.rows("morning")
    assert len(rows) == 96
    assert {row["status"] for row in rows} == {"completed"}
    assert len({row["claimed_by"] for row in rows}) == 96
    for row in rows:
        assert row["attempt"] == 1
        assert row["figure_path"], row["name"]
        assert row["json_figure_path"], row["name"]
        assert row["raw_data_path"], row["name"]
    qubits = list(lab.database["kubecal"].qubit.find({"chip_id": "fridge-a"}))
    assert len(qubits) == 16
    for qubit in qubits:
        assert set(PROMISED) <= set(qubit["data"]), qubit["qid"]
    off = {(row["qid"], name): pull for row in rows for name, pull in pulls(row, SEED)}
    assert len(off) == 16 * len(PROMISED)
    assert {of: pull for of, pull in off.items() if abs(pull) >= LARGEST_PULL} == {}


def test_a_second_session_waits_for_the_chip_and_then_starts(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("first", [scripted(seconds=6)], qubits=["0"]))
    lab.wait_phase("first", "Running")
    lab.apply(session("second", [scripted()], qubits=["1"]))
    queued = lab.wait_phase("second", "Queued")
    assert queued["waitingFor"]["session"] == "first"
    assert "first" in queued["message"]
    lab.wait_phase("first", "Completed")
    lab.wait_phase("second", "Completed")


def test_a_session_that_is_applied_before_its_chip_waits_for_it(lab: Lab) -> None:
    lab.apply(session("early", [scripted()], qubits=["0"]))
    pending = lab.wait_phase("early", "Pending")
    assert "fridge-a" in pending["message"]
    lab.apply(chip(rows=2, columns=2))
    lab.wait_phase("early", "Completed")


def test_a_task_that_exits_1_three_times_ends_its_target_and_not_the_others(lab: Lab) -> None:
    steps = [
        {"name": "all", "tasks": [{"task": "Noop"}], "schedule": {"mode": "Parallel"}},
        {
            "name": "one",
            "tasks": [{"task": "Exit1"}],
            "targets": {"qubits": ["0"]},
            "schedule": {"mode": "Parallel"},
        },
        {"name": "after", "tasks": [{"task": "Noop"}], "schedule": {"mode": "Parallel"}},
    ]
    manifest = session("crash", ["Noop"], qubits=["0", "1"])
    manifest["spec"]["steps"] = steps
    lab.apply(chip(rows=2, columns=2), manifest)
    status = lab.wait_phase("crash", "PartiallyFailed", timeout_s=180)
    assert status["tasks"] == {
        "planned": 5,
        "running": 0,
        "succeeded": 3,
        "failed": 1,
        "skipped": 1,
        "cancelled": 0,
    }
    attempts = sorted(row["attempt"] for row in lab.rows("crash") if row["name"] == "Exit1")
    assert attempts == [1, 2, 3]
    failure = status["failures"][0]
    assert (failure["task"], failure["target"], failure["attempt"]) == ("Exit1", "0", 3)


def test_the_same_session_measures_the_same_data_here_and_in_the_cluster(lab: Lab, tmp_path: Path) -> None:
    config = {"seed": SEED, "clock": {"mode": "Fixed", "at": "2026-01-01T00:00:00Z"}}
    # A chip and, below, a database that nobody has published to: a task begins with what is known.
    name = f"twin-{secrets.token_hex(3)}"
    twin, same = chip(name, rows=2, columns=2, config=config), session("same", CHECK, qubits=["0", "1"], chip=name)
    manifests = [twin, same]
    lab.apply(*manifests)
    lab.wait_phase("same", "Completed", timeout_s=180)
    path = tmp_path / "same.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    here = f"local-{secrets.token_hex(4)}"
    try:
        program, uri = Path(sys.executable).with_name("kubecal"), lab.uri.replace(f"/{DATABASE}", f"/{here}")
        command = [str(program), "run", str(path), "--mongo-uri", uri]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        local = _measured(lab.database[here], lab.database[here].task_result_history.find())
    finally:
        lab.database.drop_database(here)
    cluster = _measured(lab.database[DATABASE], lab.rows("same"))
    assert len(cluster) == len(CHECK) * 2
    assert local.keys() == cluster.keys()
    for key, (arrays, values) in cluster.items():
        assert arrays.keys() == local[key][0].keys(), key
        for array, content in arrays.items():
            assert np.array_equal(content, local[key][0][array]), (key, array)
        assert values == local[key][1], key


Arrays = dict[str, np.ndarray[Any, Any]]


def _measured(
    database: Database[dict[str, Any]], rows: Iterable[Mapping[str, Any]]
) -> dict[tuple[str, str], tuple[Arrays, dict[str, tuple[float, float]]]]:
    """Raw data and (value, error) of each output, by task and qubit."""
    return {(row["name"], row["qid"]): (_raw_data(database, row), _values(row)) for row in rows}


def _raw_data(database: Database[dict[str, Any]], row: Mapping[str, Any]) -> Arrays:
    arrays: Arrays = {}
    for file in row["raw_data_path"]:
        chunks = database["fs.chunks"].find({"files_id": file}).sort("n")
        with np.load(io.BytesIO(b"".join(chunk["data"] for chunk in chunks))) as content:
            arrays |= {f"{file.split('-', 1)[1]}:{name}": content[name] for name in content.files}
    assert arrays, row["name"]
    return arrays


def _values(row: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    return {name: (found["value"], found["error"]) for name, found in row["output_parameters"].items()}
