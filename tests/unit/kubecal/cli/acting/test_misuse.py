"""Ways to mistype and misuse the verbs that act: each is answered with one clear sentence and the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.kubecal.cli.acting.creating import CreatingLab, a_lab, typing_into
from tests.unit.kubecal.cli.in_memory import MemoryRecords, a_result, a_session, an_execution, an_output

RUN = "20261125-000"
EXAMPLES = Path(__file__).parents[5] / "examples"
CHIP, CHECK = str(EXAMPLES / "chip.yaml"), str(EXAMPLES / "check.yaml")
WAYS: list[tuple[list[str], int, str]] = [
    (["plann", CHECK], 2, "No such command 'plann'. Did you mean 'plan'"),
    (["plan"], 2, "Missing argument 'FILE'"),
    (["plan", "nowhere.yaml"], 2, "nowhere.yaml: cannot be read (No such file or directory): check the path"),
    (["plan", CHIP], 2, "there is no CalibrationSession in these files: add the manifest of one"),
    (["plan", CHECK], 1, "there is no chip 'sim-16' on this computer (or add its manifest to the command)"),
    (["apply", "-f", CHECK], 2, "apply hands manifests to a cluster, and this computer has none that goes on by "
     "itself: run them here with kubecal run, or say which cluster with --cluster, --context or -n"),
    (["apply", CHECK], 2, "Missing option '--file' / '-f'."),
    (["cancel"], 2, "Missing argument 'SESSION'"),
    (["cancel", "mornin"], 1, "there is no session 'mornin' on this computer"),
    (["cancel", "morning"], 2, "session morning has completed: there is nothing to cancel"),
    (["resume", "morning"], 2, "session morning has completed: there is nothing to resume"),
    (["rerun", "mornig"], 1, "no session called 'mornig' was run here: did you mean morning?"),
    (["rerun", "20261125-009"], 1, "there is no execution 20261125-009: the newest is 20261125-000"),
    (["rerun", "--task", "ChekT1"], 2, f"execution {RUN} has no task 'ChekT1': did you mean CheckT1?"),
    (["rerun", "--target", "99"], 2, "the chip has no qubit or coupling '99' (it has qubits 0...3): write an id like"),
    (["rerun", "--set", "shots"], 2, "'shots' sets nothing: write NAME=VALUE or TASK.NAME=VALUE, like shots=4096"),
    (["rerun", "--set", "shoots=1"], 2, "'shoots=1': these tasks have no run parameter 'shoots': did you mean shots?"),
    (["rerun", "--override", "t1=30"], 2, "'t1=30' overrides nothing: write TARGET.NAME=VALUE, like"),
    (["rerun", "--name", "Once More"], 2, "the name 'Once More': "),
    (["rerun", "-n", "lab", "--local"], 2, "--local is about this computer and --namespace about a cluster: give one"),
    (["publish", RUN, "--target", "7", "--yes"], 1, f"execution {RUN} has no accepted result on '7': known are 0"),
    (["publish", RUN, "--parameter", "t11"], 1, f"execution {RUN} has no accepted parameter 't11': did you mean t1?"),
    (["publish"], 2, "Missing argument 'EXECUTION'"),
    (["reanalyse", RUN, "--task", "CheckT3"], 1, f"execution {RUN} has no task 'CheckT3': did you mean CheckT1?"),
    (["exclude", "abc"], 2, "say why with --reason: others will ask (or count them again with --undo)"),
    (["exclude", "CheckT1-0-1", "--reason", "x"], 2, "write a task id: 32 hexadecimal digits, as results show it"),
    (["params", "set", "fridge-b", "0", "t1=30"], 1, "there is no chip 'fridge-b' on this computer"),
    (["params", "set", "fridge-a", "9", "t1=30"], 2, "chip 'fridge-a' has no qubit '9' (it has qubits 0...3): correct"),
    (["params", "set", "fridge-a", "0-3", "t1=30"], 2, "chip 'fridge-a' has no coupling '0-3' (it has qubits 0...3)"),
    (["params", "set", "fridge-a", "0", "T1=30"], 2, "no task knows a parameter 'T1': did you mean t1?"),
    (["params", "set", "fridge-a", "0", "t1", "30"], 2, "'t1' sets nothing: write NAME=VALUE, like"),
    (["params", "import", "fridge-a", "nowhere"], 2, "nowhere: cannot be read (No such file or directory): check the"),
    (["params", "import", "fridge-a", CHIP], 2, "holds no parameters: it should be as kubecal params export writes it"),
    (["params", "revert", "20261125-009"], 1, "there is no execution 20261125-009"),
    (["chip", "fridge-b"], 1, "there is no chip 'fridge-b' on this computer"),
    (["chip", "fridge-a", "--by", "t11"], 1, "chip 'fridge-a' has no calibrated parameters yet: show it without --by"),
    (["chip", "import"], 2, "Missing option '--topology'."),
    (["chip", "import", "--topology", "nowhere.yaml"], 2, "nowhere.yaml: cannot be read (No such file or directory)"),
    (["chip", "import", "--topology", CHIP], 2, "qubits is missing: correct it"),
]  # fmt: skip


@pytest.fixture
def lab() -> CreatingLab:
    records = MemoryRecords([an_execution()], {RUN: [a_result("CheckT1", "0", an_output())]})
    lab = a_lab(records)
    lab.standing = [a_session()]
    return lab


@pytest.mark.parametrize(("words", "code", "sentence"), WAYS, ids=[" ".join(words)[-60:] for words, _, _ in WAYS])
def test_misuse_is_answered_with_a_sentence(
    lab: CreatingLab, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, sentence: str
) -> None:
    answered = typing_into(lab, monkeypatch)(*words)
    assert answered.exit_code == code
    assert sentence in " ".join(answered.stderr.split())
    assert "Traceback" not in answered.stderr
    # One sentence; the line of usage is that of the command line's own library.
    told = [line for line in answered.stderr.splitlines() if not line.startswith(("Usage:", "Try "))]
    assert len(told) <= 2
    assert lab.created == []


LOST = [
    ("| head -c 1 > /dev/null", 141, ""),
    ("> /dev/full", 2, "standard output cannot be written (No space left on device)\n"),
]


@pytest.mark.parametrize(("where", "code", "said"), LOST, ids=["nobody reads", "the disk is full"])
def test_output_that_is_lost_is_no_success(tmp_path: Path, where: str, code: int, said: str) -> None:
    large = tmp_path / "chip.yaml"
    large.write_text(Path(CHIP).read_text().replace("rows: 4, columns: 4", "rows: 8, columns: 8"))
    program = f"{sys.executable} -c 'from kubecal.cli.main import main; main()' plan {large} {CHECK} -o json"
    done = subprocess.run(
        ["bash", "-c", f"{program} {where}; exit ${{PIPESTATUS[0]}}"],
        # Unbuffered, Python does not notice that a reader has left in the middle of a write.
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, said)
