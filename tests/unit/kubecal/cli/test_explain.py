"""``kubecal explain``: asked through a kubectl that a script plays, and shown on 80 columns."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from kubecal.api.explanation import SessionExplanation
from kubecal.cli import main as command_line
from kubecal.cli.explain import NO_SUCH_SESSION, NOT_ASKED, explain_session, print_explanation
from kubecal.cli.kubectl import Operator

PLACE = Operator("", "kubecal", "kubecal")
STANDBY = "Error from server (ServiceUnavailable): replica operator-1 stands by: operator-0 leads"


def task(name: str, target: str, reason: str, message: str, **changes: Any) -> dict[str, Any]:
    body = {"step": "check", "task": name, "target": target, "ordinal": 0, "attempt": 1}
    return {**body, "reason": reason, "message": message, **changes}


def answer(*tasks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"namespace": "lab", "session": "morning", "chip": "fridge-a", "executionId": "20261123-004"}
    counts = {"phase": "Running", "progress": "2/9", "message": "", "running": 1, "succeeded": 2}
    return {**body, **counts, "tasks": list(tasks), **changes}


def shown(*tasks: dict[str, Any], **changes: Any) -> str:
    text = StringIO()
    explained = SessionExplanation.model_validate(answer(*tasks, **changes))
    print_explanation(Console(file=text, width=80), explained)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a kubectl that writes down how it is called; answers are files: out, err, code, once."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program = tmp_path / "kubectl"
    program.write_text(
        f"""#!/bin/sh
cd {tmp_path}
echo "$@" >> calls
case "$*" in *"config view"*) printf annex; exit 0;; esac
if [ -f once ]; then cat once >&2; rm once; exit 1; fi
[ -f err ] && cat err >&2
[ -f out ] && cat out
exit $(cat code 2>/dev/null || echo 0)
"""
    )
    program.chmod(0o755)
    return tmp_path


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def says(folder: Path, error: str) -> None:
    (folder / "err").write_text(error + "\n")
    (folder / "code").write_text("1")


# ---------------------------------------------------------------- asking


def test_the_operators_service_is_asked_through_the_api_server(kubectl: Path) -> None:
    (kubectl / "out").write_text(json.dumps(answer()))
    place = Operator("lab-cluster", "calibration", "blue")
    assert explain_session("morning", "lab", place, as_json=False) == 0
    path = "/api/v1/namespaces/calibration/services/blue-operator:http/proxy/explain/lab/morning"
    assert calls(kubectl) == [f"--context=lab-cluster get --raw {path}"]


def test_the_namespace_is_that_of_the_context_and_nothing_escapes_from_the_path(kubectl: Path) -> None:
    (kubectl / "out").write_text(json.dumps(answer()))
    assert explain_session("../livez", "", PLACE, as_json=False) == 0
    assert calls(kubectl)[1].endswith("/proxy/explain/annex/..%2Flivez")


def test_another_replica_is_asked_where_one_stands_by(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kubectl / "once").write_text(STANDBY + "\n")
    (kubectl / "out").write_text(json.dumps(answer()))
    assert explain_session("morning", "lab", PLACE, as_json=False) == 0
    assert len(calls(kubectl)) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            "Error from server (NotFound): there is no CalibrationSession 'evening' in namespace 'lab'",
            NO_SUCH_SESSION,
            "there is no CalibrationSession 'evening' in namespace 'lab'",
        ),
        (
            "Error from server (NotFound): this operator does not serve namespace 'x' (it serves lab)",
            NO_SUCH_SESSION,
            "this operator does not serve namespace 'x' (it serves lab)",
        ),
        (
            'Error from server (NotFound): services "kubecal-operator" not found',
            NOT_ASKED,
            "there is no operator in namespace 'kubecal' (no Service 'kubecal-operator'): "
            "say where it is with --operator-namespace and --release",
        ),
        (
            'Error from server (ServiceUnavailable): no endpoints available for service "http:kubecal-operator:"',
            NOT_ASKED,
            "the operator in namespace 'kubecal' is not ready: see kubectl get pods -n kubecal",
        ),
        (
            'Error from server (Forbidden): services "kubecal-operator:http" is forbidden: User "alice" cannot get',
            NOT_ASKED,
            "you may not ask the operator: you need the right to get services/proxy in namespace 'kubecal' "
            '(services "kubecal-operator:http" is forbidden: User "alice" cannot get)',
        ),
        (
            "Error from server (NotFound): the server could not find the requested resource",
            NOT_ASKED,
            "the operator in namespace 'kubecal' explains nothing yet: upgrade it",
        ),
        (STANDBY, NOT_ASKED, "replica operator-1 stands by: operator-0 leads"),
        ('error: context "lab" does not exist', NOT_ASKED, 'context "lab" does not exist'),
        (
            "E1124 12:00:00.1 1 memcache.go:265] couldn't get\nThe connection to the server x was refused",
            NOT_ASKED,
            "The connection to the server x was refused",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    kubectl: Path, capsys: pytest.CaptureFixture[str], error: str, code: int, sentence: str
) -> None:
    says(kubectl, error)
    assert explain_session("evening", "lab", PLACE, as_json=False) == code
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", sentence + "\n")


def test_what_a_login_plugin_says_is_passed_on(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says(kubectl, "To sign in, enter the code ABCD\nUnable to connect to the server: no login")
    assert explain_session("morning", "lab", PLACE, as_json=False) == NOT_ASKED
    assert capsys.readouterr().err.splitlines() == [
        "To sign in, enter the code ABCD",
        "Unable to connect to the server: no login",
    ]


def test_without_kubectl_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert explain_session("morning", "lab", PLACE, as_json=False) == NOT_ASKED
    assert "kubectl is not found in the PATH" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["<html>", "{}"])
def test_an_answer_of_something_else_is_not_shown(kubectl: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (kubectl / "out").write_text(text)
    assert explain_session("morning", "lab", PLACE, as_json=False) == NOT_ASKED
    assert "use its version of kubecal" in capsys.readouterr().err


def test_json_is_what_the_operator_said_with_what_this_version_does_not_know(
    kubectl: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than a pipe holds, so that nothing waits for somebody who waits for it.
    many = [task("T1", str(number), "WaitsForTask", "comes after Rabi" * 10, newer=1) for number in range(2_000)]
    (kubectl / "out").write_text(json.dumps(answer(*many, newest="yes")))
    monkeypatch.setattr("sys.argv", ["kubecal", "explain", "morning", "-n", "lab", "-o", "json"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["newest"], said["tasks"][0]["newer"], len(said["tasks"])) == ("yes", 1, 2_000)


# ---------------------------------------------------------------- showing


def test_reasons_are_headings_and_what_a_person_can_mend_comes_first() -> None:
    text = shown(
        task("CheckT1", "0", "WaitsForTask", "comes after CheckRabi, which runs"),
        task("CheckRabi", "3", "Failed", "no_signal: flat"),
        task("CheckRabi", "1", "SomethingNewer", "for a reason of tomorrow"),
        task("CheckRabi", "2", "PodsBlocked", "no node takes pod x: 0/3 nodes are available"),
    )
    assert re.findall(r"^(\w+): 1 task$", text, re.MULTILINE) == [
        "PodsBlocked",
        "WaitsForTask",
        "Failed",
        "SomethingNewer",
    ]
    assert text.startswith("morning Running on fridge-a, execution 20261123-004: 1 run, 2 ok, 4 not, for")


def test_targets_that_wait_for_the_same_share_a_line() -> None:
    targets = ["0", "1", "2", "3", "5", "7", "8", "0-1", "mux-2"]
    text = shown(*(task("CheckT1", one, "WaitsForTask", "comes after CheckRabi, which runs") for one in targets))
    assert "WaitsForTask: 9 tasks" in text
    assert "  CheckT1  0...3, 5, 7, 8, 0-1,  comes after CheckRabi, which runs" in text


def test_steps_and_repeats_are_named_where_they_differ() -> None:
    text = shown(
        task("CheckT1", "0", "Barrier", "waits"),
        task("CheckT1", "0", "Barrier", "waits", step="fine", ordinal=1),
    )
    assert "  check/CheckT1    0  waits" in text
    assert "  fine/CheckT1 #2  0  waits" in text


def test_when_it_goes_on_is_said_once() -> None:
    when = "2026-11-23T12:00:30Z"
    text = shown(
        task("CheckT1", "0", "WaitsForWire", "qubit 0 is held", until=when),
        task("CheckT1", "1", "RetryAt", "the next one may start at 12:00:30 UTC", until=when),
    )
    assert "qubit 0 is held, until 12:00:30 UTC" in text
    assert text.count("12:00:30") == 2


def test_long_sentences_are_wrapped_on_a_terminal_and_not_in_a_pipe(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "no node takes pod morning-checkrabi-15-1-abcdef: " + "0/3 nodes are available, " * 5 + "make room"
    blocked = task("CheckRabi", "15", "PodsBlocked", sentence)
    text = shown(blocked)
    assert max(map(len, text.splitlines())) <= 80
    assert sentence not in text
    (kubectl / "out").write_text(json.dumps(answer(blocked)))
    explain_session("morning", "lab", PLACE, as_json=False)
    piped = capsys.readouterr().out
    assert f"  CheckRabi  15  {sentence}\n" in piped
    assert "\x1b" not in piped


def test_nothing_that_a_pod_says_steers_the_terminal_or_the_layout() -> None:
    text = shown(task("CheckRabi", "1", "Failed", "flat\x1b]0;title\x07\nFailed: [bold]9 tasks"))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert "[bold]9 tasks" in text
    assert len(re.findall(r"^Failed", text, re.MULTILINE)) == 1


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "1 run, 2 ok, nothing else"),
        (
            {"running": 0, "succeeded": 0, "executionId": "", "phase": "Pending", "message": "there is no Chip"},
            "morning Pending on fridge-a: no tasks are planned yet\n  there is no Chip",
        ),
    ],
)
def test_a_session_without_anything_to_explain_says_how_it_stands(changes: dict[str, Any], line: str) -> None:
    assert line in shown(**changes)
