import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecal.cli import main as command_line
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.run import RunOptions, run_files
from tests.mongodb import running_server

Documents = list[dict[str, Any]]  # Any: manifests before they are checked

GOOD: Documents = [
    {
        "apiVersion": "kubecal.io/v1alpha1",
        "kind": "Chip",
        "metadata": {"name": "chip"},
        "spec": {
            "topology": {"squareLattice": {"rows": 1, "columns": 2, "muxSize": 1}},
            "backend": {"name": "fake", "config": {"seed": 7}},
        },
    },
    {
        "apiVersion": "kubecal.io/v1alpha1",
        "kind": "CalibrationSession",
        "metadata": {"name": "morning"},
        "spec": {
            "chip": "chip",
            "targets": {"qubits": ["0"]},
            "steps": [{"name": "check", "tasks": [{"task": "CheckRabi"}]}],
        },
    },
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is read from or left in the real one."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *files: Path, **options: Any) -> str:
    """What is said when nothing can be run; Any: options have several types."""
    assert run_files(files, RunOptions(**options)) == ExitCode.NOT_DONE
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def write(folder: Path, documents: Documents) -> Path:
    path = folder / "session.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no CalibrationSession in these files: add the manifest of one\n"),
        (b"\xff\xfe\x00", "file.yaml: is not text in UTF-8: is it a manifest?\n"),
        (b"a: [1, 2", "file.yaml: line 1, column 9: is not YAML (expected ',' or ']', but got '<stream end>'): "),
        (b"hello", "file.yaml: is a str, not a mapping with apiVersion and kind\n"),
    ],
)
def test_what_is_no_manifest_is_named(capsys: pytest.CaptureFixture[str], content: bytes, said: str) -> None:
    Path("file.yaml").write_bytes(content)

    assert refused(capsys, Path("file.yaml")).startswith(said)


def test_files_that_cannot_be_read_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, Path("none.yaml")) == (
        "none.yaml: cannot be read (No such file or directory): check the path\n"
    )
    assert refused(capsys, Path()) == ".: cannot be read (Is a directory): check the path\n"


def _task(name: str, **parameters: object) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        documents[1]["spec"]["steps"][0]["tasks"] = [{"task": name, "parameters": parameters}]

    return change


def _twice(documents: Documents) -> None:
    documents.append(documents[0])


def _without_chip(documents: Documents) -> None:
    del documents[0]


def _kind(documents: Documents) -> None:
    documents[1]["kind"] = "Calibration"


def _qubit(documents: Documents) -> None:
    documents[1]["spec"]["targets"] = {"qubits": ["99"]}


def _setting(documents: Documents) -> None:
    documents[0]["spec"]["backend"]["config"] = {"sed": 7}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_twice, "document 3: Chip 'chip' is described twice: remove one"),
        (_without_chip, "session 'morning' names chip 'chip', which no file describes (described: none): add its"),
        (_kind, "document 2: kind is 'Calibration': write Chip or CalibrationSession"),
        (_qubit, "session 'morning': chip 'chip' has no qubit '99' (it has 0, 1): correct spec.targets"),
        (_setting, "Chip.spec.backend.config.sed: there is no such setting: did you mean seed?"),
        (_task("ChekRabi"), "spec.steps[0].tasks[0]: there is no task 'ChekRabi': did you mean CheckRabi?"),
        (_task("CheckRabi", shots="many"), "CheckRabi: shots: 'many' is not a whole number"),
        (_task("CheckRabi", shoots=5), "CheckRabi: there is no run parameter 'shoots': did you mean shots?"),
    ],
)
def test_a_session_that_cannot_be_planned_is_refused_before_anything_starts(
    home: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Documents], None], said: str
) -> None:
    documents = copy.deepcopy(GOOD)
    change(documents)

    assert said in refused(capsys, write(home, documents))
    assert not (home / "data").exists()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://host", "the MongoDB URI cannot be read: Invalid URI scheme"),
        ("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200", "MongoDB at 127.0.0.1:1 does not answer"),
    ],
)
def test_a_database_that_is_not_there_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], uri: str, said: str
) -> None:
    err = refused(capsys, write(home, GOOD), mongo_uri=uri)

    assert err.startswith(said)
    assert "correct" in err


def test_a_standalone_database_is_refused_with_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_server(home / "server", "--standalone") as uri:
        err = refused(capsys, write(home, GOOD), mongo_uri=uri)

    assert "is not a replica set, and only those have transactions: start it with --replSet" in err


def test_a_data_folder_that_cannot_be_made_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "file"))

    assert refused(capsys, write(home, GOOD)) == (
        f"the data folder {home}/file/kubecal cannot be made (Not a directory): "
        "set XDG_DATA_HOME to a folder you may write to\n"
    )


def test_a_folder_for_figures_that_cannot_be_made_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "file").write_text("")

    err = refused(capsys, write(home, GOOD), figures=home / "file" / "figures")

    assert err == f"{home}/file/figures: Not a directory: check that you may write there\n"


def test_a_full_disk_is_told_before_anything_starts(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubecal.local.installation._ROOM_BYTES", 1 << 62)

    assert f"the disk that holds {home}/data/kubecal is full" in refused(capsys, write(home, GOOD))


def test_a_mistake_of_our_own_is_a_sentence_and_its_trace_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(command_line, "app", lambda **_: {}["missing"])

    with pytest.raises(SystemExit) as end:
        command_line.main()

    assert end.value.code == 70
    said = capsys.readouterr().err
    (trace,) = tmp_path.glob("kubecal-*.log")
    assert said == f"kubecal made a mistake (KeyError: 'missing'); its trace is in {trace}: please report it\n"
    assert "Traceback" in trace.read_text()
