"""Mistyped, misused, interrupted: the verbs that look answer with one clear sentence and the right exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
from typer.testing import CliRunner

from kubecal.cli import answering
from kubecal.cli.main import app
from kubecal.lab.lab import LabError, RefusedError
from kubecal.reading.records import RecordsError
from tests.unit.kubecal.cli.in_memory import (
    MemoryLab,
    MemoryRecords,
    a_chip,
    a_result,
    a_session,
    a_value,
    an_execution,
    an_output,
)

LAB = MemoryLab(
    MemoryRecords([an_execution()], {"20261125-000": (a_result("CheckT1", "0", an_output()),)}, now=(a_value(),)),
    [a_session()],
    [a_chip()],
)


def answered(
    monkeypatch: pytest.MonkeyPatch,
    typed: Sequence[str],
    lab: MemoryLab = LAB,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Exit code, and the last line of standard error; nothing may be on standard output."""
    monkeypatch.setattr(answering, "open_lab", lambda place, notice: lab)
    done = CliRunner().invoke(app, list(typed), env=dict(environment or {}), prog_name="kubecal")
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.exit_code, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("typed", "code", "sentence"),
    [
        ("reslts latest", 2, "Error: No such command 'reslts'. Did you mean 'results'?"),
        ("results --faild", 2, "Error: No such option: --faild (Possible options: --failed"),
        ("results latest morning", 2, "Error: Got unexpected extra argument(s) (morning)"),
        ("results -o jsn", 2, "Error: Invalid value for '--output' / '-o': Value error, 'jsn' is not one of"),
        ("results mornng", 1, "no session called 'mornng' was run here: did you mean morning?"),
        ("results 20261125-999", 1, "there is no execution 20261125-999: the newest is 20261125-000"),
        ("results --task CheckT2", 1, "this execution has no task 'CheckT2': did you mean CheckT1?"),
        ("results --target 9", 1, "this execution has no result on '9': it has some on 0"),
        ("results --project other", 1, "nothing was recorded of project 'other' on this computer yet: run a session"),
        ("get sesions morning", 1, "there is nothing called 'sesions' to get: did you mean sessions?"),
        ("get mornng", 1, "there is no session 'mornng' on this computer"),
        ("get chip fridge-b", 1, "there is no chip 'fridge-b' on this computer"),
        ("get executions --limit 0", 2, "Error: Invalid value for '--limit'"),
        ("get --local -n lab", 2, "--local is about this computer and --namespace about a cluster: give one of them"),
        ("get --mongo-uri m --cluster", 2, "--mongo-uri is about this computer and --cluster about a cluster: give"),
        ("figures --format pngg", 2, "--format pngg: figures are svg, png or json: did you mean png?"),
        ("watch", 1, "no session runs here: kubecal get lists those there are"),
        ("logs", 2, "Error: Missing argument 'SESSION'."),
        ("watch mornng", 1, "there is no session 'mornng' on this computer"),
        ("explain mornng", 1, "there is no session 'mornng' on this computer"),
        ("logs mornng -f", 1, "there is no session 'mornng' on this computer"),
        ("params now", 2, "Error: Missing argument 'CHIP'."),
        ("params fridge-b", 1, "nothing was recorded of a chip 'fridge-b': did you mean fridge-a?"),
        ("params fridge-a 0 t9", 1, "qubit 0 has no parameter 't9': known are t1"),
        ("params fridge-a 77", 1, "chip 'fridge-a' has no calibrated parameters of qubit 77: it has some of qubits 0"),
        ("params hstory fridge-a 0 t1", 1, "nothing was recorded of a chip 'hstory': known are fridge-a; or the verb:"),
        ("params diff fridge-a yesterday", 1, "no session called 'yesterday' was run here: known are morning; or"),
        ("tasks describe CheckT11", 1, "there is no task 'CheckT11': did you mean CheckT1?"),
        ("tasks lst", 2, "Error: No such command 'lst'. Did you mean 'list'?"),
        ("completion tcsh", 2, "Error: Invalid value for 'shell'"),
    ],
)
def test_what_is_mistyped_is_answered_with_what_is_close(
    monkeypatch: pytest.MonkeyPatch, typed: str, code: int, sentence: str
) -> None:
    said = answered(monkeypatch, typed.split())
    assert (said[0], said[1][: len(sentence)]) == (code, sentence)


def test_an_environment_that_names_no_lab_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECAL_LAB", "cloud")
    assert answered(monkeypatch, ["get"]) == (
        2,
        "the environment variable KUBECAL_LAB is 'cloud': set cluster or local",
    )


@pytest.mark.parametrize(
    ("lab", "sentence"),
    [
        (MemoryLab(problem=LabError("the API server does not answer: see kubectl cluster-info")), "the API server"),
        (MemoryLab(problem=RefusedError("you may not list sessions in namespace lab")), "you may not list sessions"),
    ],
)
def test_a_lab_that_cannot_be_asked_says_why(monkeypatch: pytest.MonkeyPatch, lab: MemoryLab, sentence: str) -> None:
    code, said = answered(monkeypatch, ["get"], lab)
    assert (code, said[: len(sentence)]) == (2, sentence)


def test_records_that_cannot_be_asked_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    away = MemoryLab(MemoryRecords(problem=RecordsError("MongoDB at host:27017 does not answer")))
    assert answered(monkeypatch, ["results"], away) == (2, "MongoDB at host:27017 does not answer")


# ---------------------------------------------------------------- interrupted

_ENDLESS = """
import asyncio, sys
from kubecal.cli import answering
from kubecal.cli.main import main
from tests.unit.kubecal.cli.in_memory import MemoryLab, a_session

class Endless(MemoryLab):
    async def logs(self, name, **_):
        while True:
            yield "a line"
            await asyncio.sleep(0.01)

    async def __aexit__(self, *_):
        print("closed", file=sys.stderr, flush=True)

answering.open_lab = lambda place, notice: Endless(standing=[a_session()])
sys.argv = ["kubecal", "logs", "morning", "-f"]
main()
"""


def _endless() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _ENDLESS]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=os.getcwd())
    assert process.stdout is not None
    assert process.stdout.readline() == "a line\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_verb_that_looks_and_closes_what_it_opened(number: signal.Signals) -> None:
    process = _endless()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (128 + number, "closed\n")


def test_when_nobody_reads_any_more_it_ends_quietly() -> None:
    process = _endless()
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == "closed\n"
    assert process.wait(timeout=30) == 128 + signal.SIGPIPE
    process.stderr.close()


_MAIN = "import sys; from kubecal.cli.main import main; sys.argv = {!r}; main()"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a disk that is always full")
@pytest.mark.parametrize(
    "program",
    [
        _ENDLESS,
        _MAIN.format(["kubecal", "tasks", "list"]),
        _MAIN.format(["kubecal", "version"]),
        _MAIN.format(["kubecal", "--help"]),
    ],
)
def test_an_output_that_cannot_be_written_is_named(program: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "standard output cannot be written (No space left on device)"


def test_a_folder_that_cannot_be_written_to_is_named() -> None:
    done = CliRunner().invoke(app, ["crds", "/proc/none"])
    assert (done.exit_code, done.stderr) == (
        2,
        "/proc/none: cannot be written (No such file or directory): give another folder\n",
    )


def test_an_interruption_before_anything_was_begun_has_the_code_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(answering, "carry_out", interrupted)
    assert CliRunner().invoke(app, ["results"]).exit_code == 130
