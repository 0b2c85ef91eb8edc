"""Verbs that act: what they declare, what they say, what they ask before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from kubecal.api.manifests import parse_manifest
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import Phase, SessionStatus
from tests.unit.kubecal.cli.acting.creating import CreatingLab, Typed, a_lab, typing_into
from tests.unit.kubecal.cli.in_memory import (
    MORNING,
    MemoryRecords,
    a_result,
    a_session,
    a_value,
    an_execution,
    an_output,
)

RUN = "20261125-000"
TASK_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def lab() -> CreatingLab:
    measured = MORNING + timedelta(hours=1)
    result = a_result("CheckT1", "0", an_output(value=30.0, error=0.3), measured_at=measured, task_id=TASK_ID)
    return a_lab(MemoryRecords([an_execution()], {RUN: [result]}, now=[a_value(value=29.0, error=0.4)]))


@pytest.fixture
def typed(lab: CreatingLab, monkeypatch: pytest.MonkeyPatch) -> Typed:
    return typing_into(lab, monkeypatch)


def _step(lab: CreatingLab) -> dict[str, object]:
    (session,) = lab.created
    return session.spec.steps[0].model_dump(mode="json", by_alias=True, exclude_defaults=True)


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["params", "set", "fridge-a", "0", "t1=30±1"],
         {"set": {"qubits": {"0": {"t1": {"value": 30.0, "error": 1.0}}}}}),
        (["params", "set", "fridge-a", "1-0", "zx90_gate_time=120"],
         {"set": {"couplings": {"1-0": {"zx90_gate_time": {"value": 120.0}}}}}),
        (["params", "revert", "latest"], {"revert": {"executionId": RUN}}),
        (["publish", "morning", "--yes"], {"publish": {"executionId": RUN}}),
        (["publish", RUN, "--yes", "--target", "0", "--parameter", "t1"],
         {"publish": {"executionId": RUN, "targets": ["0"], "parameters": ["t1"]}}),
        (["exclude", TASK_ID, "--reason", "glitch"], {"exclude": {"taskIds": [TASK_ID], "reason": "glitch"}}),
        (["exclude", TASK_ID, "--undo"], {"exclude": {"taskIds": [TASK_ID], "undo": True}}),
        (["reanalyse", "latest", "--task", "CheckT1", "--publish"],
         {"reanalyse": {"executionId": RUN, "tasks": ["CheckT1"], "publish": True}}),
        (["rerun", "--task", "CheckT1", "--set", "shots=4096"],
         {"tasks": [{"task": "CheckT1", "parameters": {"shots": 4096}}]}),
    ],
)  # fmt: skip
def test_a_verb_is_a_session_of_one_step(
    lab: CreatingLab, typed: Typed, words: list[str], step: dict[str, object]
) -> None:
    done = typed(*words)
    assert (done.exit_code, done.stderr) == (0, "")
    assert {name: value for name, value in _step(lab).items() if name != "name"} == step


def test_dry_run_prints_a_manifest_and_begins_nothing(lab: CreatingLab, typed: Typed) -> None:
    printed = typed("params", "set", "fridge-a", "0", "t1=30", "--dry-run", "--note", "by eye").stdout
    session = parse_manifest(yaml.safe_load(printed), "printed")
    assert isinstance(session, CalibrationSession)
    assert (session.metadata.name, session.spec.note) == ("fridge-a-set", "by eye")
    assert lab.created == []


def test_a_name_that_is_given_is_taken(lab: CreatingLab, typed: Typed) -> None:
    typed("rerun", "latest", "--name", "once-more")
    assert [one.metadata.name for one in lab.created] == ["once-more"]


def test_latest_is_the_latest_that_measured(lab: CreatingLab, typed: Typed) -> None:
    change = {"chip": "fridge-a", "targets": {"chip": True}, "steps": [{"name": "set", "set": {}}]}
    lab.records.kept = [an_execution(), an_execution(1, session="set-1", session_spec=change)]
    typed("rerun", "latest")
    assert lab.created[0].spec.source.execution_id == RUN


def test_a_change_that_is_refused_is_told_in_its_own_words(lab: CreatingLab, typed: Typed) -> None:
    lab.ends_as = SessionStatus(phase="Failed")
    why = "execution 20261125-000 published nothing that could be taken back"
    lab.rows = (a_result("Revert", "", target="chip", status="failed", message=why),)
    refused = typed("params", "revert", "latest")
    assert (refused.exit_code, refused.stderr.strip()) == (1, why)


def test_publishing_shows_old_and_new_in_sigmas_before_it_asks(lab: CreatingLab, typed: Typed) -> None:
    shown = typed("publish", "latest")
    assert "t1       29.00 ± 0.40  30.00 ± 0.30  us    +2.0 σ" in shown.stdout
    assert shown.exit_code == 2
    assert shown.stderr.strip() == (
        f"Publish 1 parameter of execution {RUN} as current on fridge-a? Nobody is there to answer: give --yes"
    )
    assert lab.created == []


@pytest.mark.parametrize(("answered", "code"), [("y", 0), ("no", 1)])
def test_publishing_does_as_it_is_answered(
    lab: CreatingLab, typed: Typed, monkeypatch: pytest.MonkeyPatch, answered: str, code: int
) -> None:
    async def line() -> str:
        return f"{answered}\n"

    monkeypatch.setattr("kubecal.cli.acting.asking._line", line)
    monkeypatch.setattr("kubecal.cli.acting.asking._somebody_is_there", lambda: True)
    assert typed("publish", "latest").exit_code == code
    assert len(lab.created) == (1 if code == 0 else 0)


def test_parameters_that_were_exported_are_imported(lab: CreatingLab, typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(typed("params", "export", "fridge-a").stdout)
    assert typed("params", "import", "fridge-a", str(file)).exit_code == 0
    assert _step(lab)["set"] == {"qubits": {"0": {"t1": {"value": 29.0, "error": 0.4}}}}


def test_parameters_of_qubex_are_imported_from_a_folder(lab: CreatingLab, typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "t1.yaml").write_text("64Q: {Q00: 31.5, Q01: null}")
    (tmp_path / "colour.yaml").write_text("64Q: {Q00: 1}")
    done = typed("params", "import", "fridge-a", str(tmp_path))
    assert done.exit_code == 0
    assert "colour.yaml: left out: no task has a parameter colour" in done.stderr
    assert _step(lab)["set"] == {"qubits": {"0": {"t1": {"value": 31.5}}}}


@pytest.mark.parametrize(
    ("verb", "said", "change"),
    [
        ("cancel", "session morning is being cancelled: its running tasks stop first", "cancel"),
        ("suspend", "session morning is being suspended: its running tasks finish, nothing new starts", "suspend"),
    ],
)
def test_a_session_that_runs_is_told(lab: CreatingLab, typed: Typed, verb: str, said: str, change: str) -> None:
    lab.standing = [a_session(phase="Running")]
    done = typed(verb, "morning")
    assert (done.exit_code, done.stdout.strip()) == (0, said)
    ((name, told),) = lab.changes
    assert (name, getattr(told, change)) == ("morning", True)


def test_one_session_that_cannot_be_told_keeps_no_other_from_it(lab: CreatingLab, typed: Typed) -> None:
    lab.standing = [a_session("old"), a_session("new", phase="Running")]
    done = typed("cancel", "gone", "old", "new")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "there is no session 'gone' on this computer",
        "session old has completed: there is nothing to cancel",
    ]
    assert [name for name, _ in lab.changes] == ["new"]


@pytest.mark.parametrize(
    ("verb", "phase", "said"),
    [
        ("cancel", Phase.CANCELLED, "session morning is cancelled already"),
        ("resume", Phase.RUNNING, "session morning is running already"),
    ],
)
def test_what_is_so_already_is_no_mistake(lab: CreatingLab, typed: Typed, verb: str, phase: Phase, said: str) -> None:
    lab.standing = [a_session(phase=phase)]
    done = typed(verb, "morning")
    assert (done.exit_code, done.stdout.strip(), lab.changes) == (0, said, [])
