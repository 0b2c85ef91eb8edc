"""``kubecal plan``: what it says of a session, in 80 columns and as JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kubecal.cli.main import app

EXAMPLES = Path(__file__).parents[5] / "examples"
CHIP, CHECK, FULL = (str(EXAMPLES / name) for name in ("chip.yaml", "check.yaml", "full.yaml"))


def _plan(*words: str) -> Result:
    return CliRunner().invoke(app, ["plan", *words], env={"KUBECAL_LAB": "local"})


def test_a_full_session_is_a_timeline_within_80_columns() -> None:
    shown = _plan(CHIP, FULL).stdout
    lines = shown.splitlines()
    assert lines[0].startswith("full on sim-16: 569 tasks in ")
    assert [line[:6] for line in lines[3:7]] == ["A conf", "B chec", "C fine", "D gate"]
    assert any(line.startswith("MUX 3") and "D" in line for line in lines)
    assert "What its end waits for" in lines
    assert max(len(line) for line in lines if not line.startswith(("Not", "  "))) <= 80


def test_every_task_of_the_schedule_is_in_the_json() -> None:
    answer = json.loads(_plan(CHIP, CHECK, "-o", "json").stdout)
    assert (answer["tasks"], len(answer["schedule"])) == (160, 160)
    assert answer["totalSeconds"] == max(task["endSeconds"] for task in answer["schedule"])
    assert answer["steps"][0]["conflicts"] == ["neighbours (schedule.mode Isolated)"]


def test_several_sessions_are_a_list_of_items() -> None:
    answer = json.loads(_plan(CHIP, CHECK, FULL, "-o", "json").stdout)
    assert [one["session"] for one in answer["items"]] == ["check", "full"]
    assert "check and full are about chip sim-16: one waits for the other" in _plan(CHIP, CHECK, FULL).stdout


def test_a_module_that_two_muxes_share_is_named(tmp_path: Path) -> None:
    wired = tmp_path / "chip.yaml"
    muxes = "[{id: 0, readout: [R1], exclusive: true}, {id: 1, readout: [R1], exclusive: true}]"
    wired.write_text(Path(CHIP).read_text().replace("spec:\n", f"spec:\n  wiring: {{muxes: {muxes}}}\n"))
    shown = _plan(str(wired), CHECK).stdout
    assert "module R1: one task at a time, of all on MUXes 0, 1 (exclusive)" in shown
    assert "module R1 is held 100% of the time, 100% exclusively" in shown


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("CheckT1", "ChekT1"), "there is no task 'ChekT1': did you mean CheckT1?"),
        (
            ("all: true", 'qubits: ["99"]'),
            "chip 'sim-16' has no qubit '99' (it has 0...15): correct spec.targets",
        ),
    ],
)
def test_a_manifest_that_cannot_be_run_is_refused_as_run_does(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    bad = tmp_path / "check.yaml"
    bad.write_text(Path(CHECK).read_text().replace(*change))
    refused = _plan(CHIP, str(bad))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("session 'check': ")
    assert sentence in refused.stderr


def test_files_without_a_session_are_refused() -> None:
    refused = _plan(CHIP)
    assert (refused.exit_code, refused.stderr.strip()) == (
        2,
        "there is no CalibrationSession in these files: add the manifest of one",
    )
