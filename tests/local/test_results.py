import hashlib
import re
from pathlib import Path
from typing import Any

from tests.local.laptop import Laptop

FIXED = {"mode": "Fixed", "at": "2026-11-24T08:00:00Z"}


def test_a_session_ends_with_its_parameters_and_figures(laptop: Laptop) -> None:
    ended = laptop.run(laptop.manifest())

    assert (ended.code, ended.err) == (0, "")
    execution = laptop.records("execution_history")[0]
    lines = ended.out.splitlines()
    assert lines[0] == f"session-0 running, execution {execution['execution_id']}, 1 task"
    assert re.fullmatch(r"  CheckRabi +control_amplitude +0\.\d+ ± 0\.\d+ +a\.u\. +ok", lines[-4])
    assert lines[-2].startswith("session-0 completed: 1 task ok in ")
    assert lines[-1] == f"figures: ~/data/kubecal/figures/{execution['execution_id']}"
    figures = laptop.data / "figures" / execution["execution_id"]
    assert sorted(path.name for path in figures.iterdir()) == ["0-check-CheckRabi.png", "0-check-CheckRabi.svg"]


def test_a_failed_task_stands_first_with_its_reason(laptop: Laptop) -> None:
    ended = laptop.run(laptop.manifest("CheckRabi", "CreateHPIPulse", faults=[{"kind": "DeadQubit", "target": "0"}]))

    assert (ended.code, ended.err) == (1, "")
    closing = ended.out.partition("\n\n")[2].splitlines()
    rows = [row for row in laptop.records("task_result_history") if row["name"] == "CheckRabi"]
    row = max(rows, key=lambda row: int(row["attempt"]))
    # Nothing seen is worth two more attempts, with what each suggests; the last one is told.
    assert closing[0] == "failed: CheckRabi on qubit 0, no_signal (attempt 3)"
    assert closing[1] == f"    {row['message']}"
    assert closing[3].startswith("session-0 failed: 0 of 2 tasks ok, 1 failed, 1 skipped in ")


def test_stored_data_are_analysed_anew_without_the_instrument(laptop: Laptop) -> None:
    assert laptop.run(laptop.manifest("CheckRabi", "CreateHPIPulse")).code == 0
    (then,) = laptop.records("execution_history")

    # An instrument that fails whenever it is spoken to.
    step = {"reanalyse": {"executionId": then["execution_id"]}}
    broken = [{"kind": "InstrumentError", "target": "0"}]
    ended = laptop.run(laptop.manifest(step=step, faults=broken))

    assert (ended.code, ended.err) == (0, "")
    rows = laptop.records("task_result_history")
    first = {row["name"]: row for row in rows if row["execution_id"] == then["execution_id"]}
    again = {row["name"]: row for row in rows if row["execution_id"] != then["execution_id"]}
    assert sorted(again) == ["CheckRabi", "CreateHPIPulse"]
    for name, row in again.items():
        before = first[name]
        assert (row["source_task_id"], row["verdict"], row["wires"]) == (before["_id"], "ok", [])
        assert row["raw_data_path"] == before["raw_data_path"]
        assert row["measured_at"] == before["measured_at"]
        assert _outputs(row) == _outputs(before)
    (qubit,) = laptop.records("qubit")
    assert {value["execution_id"] for value in qubit["data"].values()} == {then["execution_id"]}


def _outputs(row: dict[str, Any]) -> dict[str, float]:
    return {name: each["value"] for name, each in row["output_parameters"].items()}


def test_an_instrument_that_fails_is_named_without_a_traceback(laptop: Laptop) -> None:
    ended = laptop.run(laptop.manifest(faults=[{"kind": "InstrumentError", "target": "0"}]))

    assert (ended.code, ended.err) == (1, "")
    assert "failed: CheckRabi on qubit 0, hardware_error" in ended.out
    assert "the instrument reports an error" in ended.out
    assert "Traceback" not in ended.out


def test_the_same_seed_and_clock_give_identical_data_on_every_computer(laptop: Laptop, tmp_path: Path) -> None:
    other, third = Laptop(tmp_path / "other"), Laptop(tmp_path / "third")
    with (
        laptop.running(laptop.manifest("CheckRabi", "CreateHPIPulse", clock=FIXED)) as first,
        other.running(other.manifest("CheckRabi", "CreateHPIPulse", clock=FIXED), "--jobs", "1") as second,
        third.running(third.manifest("CheckRabi", clock={**FIXED, "at": "2026-11-24T08:00:01Z"})) as later_run,
    ):
        assert [run.end().code for run in (first, second, later_run)] == [0, 0, 0]

    one, two, later = _measured(laptop), _measured(other), _measured(third)
    assert sorted(one) == ["CheckRabi", "CreateHPIPulse"]
    assert one == two
    assert _published(laptop) == _published(other)
    # Without this the comparison could not fail: noise is drawn anew at another time.
    assert one["CheckRabi"]["raw"] != later["CheckRabi"]["raw"]


def _measured(laptop: Laptop) -> dict[str, dict[str, Any]]:  # Any: what documents hold
    """What was measured and found, by task; raw data by what their bytes are."""
    files: dict[str, bytes] = {}
    for chunk in sorted(laptop.records("fs.chunks"), key=lambda one: one["n"]):
        files[chunk["files_id"]] = files.get(chunk["files_id"], b"") + chunk["data"]
    return {
        row["name"]: {
            "raw": [hashlib.sha256(files[file]).hexdigest() for file in row["raw_data_path"]],
            "outputs": {name: (each["value"], each["error"]) for name, each in row["output_parameters"].items()},
            "measured_at": row["measured_at"],
        }
        for row in laptop.records("task_result_history")
    }


def _published(laptop: Laptop) -> dict[str, tuple[float, float]]:
    qubit = next(qubit for qubit in laptop.records("qubit") if qubit["qid"] == "0")
    found = {name: (each["value"], each["error"]) for name, each in qubit["data"].items()}
    assert "hpi_amplitude" in found
    return found
