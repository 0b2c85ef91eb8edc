"""``kubecal apply``: manifests are checked here, then handed to the server's own apply by the user's kubectl."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kubecal.cli.main import app

KUBECTL = """#!/bin/sh
echo "$@" > "{folder}/words"
/bin/cat > "{folder}/objects"
{does}
"""
FILE = """
apiVersion: kubecal.io/v1alpha1
kind: CalibrationSession
metadata: {name: morning, labels: {team: blue}}
spec:
  chip: fridge-a
  targets: {all: true}
  steps: [{name: check, tasks: [CheckT1]}]
---
apiVersion: kubecal.io/v1alpha1
kind: Chip
metadata: {name: fridge-a}
spec: {topology: {squareLattice: {rows: 2, columns: 2}}, backend: {name: fake}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "morning.yaml").write_text(FILE)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _kubectl(folder: Path, does: str = "echo calibrationsession.kubecal.io/morning serverside-applied") -> None:
    path = folder / "kubectl"
    path.write_text(KUBECTL.format(folder=folder, does=does))
    path.chmod(0o755)


def _applied(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["apply", "-f", str(folder / "morning.yaml"), *words])


def test_chips_come_first_and_plain_task_names_become_objects(folder: Path) -> None:
    _kubectl(folder)
    done = _applied(folder, "--context", "kind", "-n", "lab")
    assert (done.exit_code, done.stdout) == (0, "calibrationsession.kubecal.io/morning serverside-applied\n")
    words = (folder / "words").read_text().strip()
    assert words == "apply --server-side --field-manager=kubecal -f - --context kind --namespace lab"
    chip, session = json.loads((folder / "objects").read_text())["items"]
    assert chip["kind"] == "Chip"
    assert session["spec"]["steps"][0]["tasks"] == [{"task": "CheckT1"}]
    assert session["metadata"]["labels"] == {"team": "blue"}


def test_what_the_server_refuses_is_said_in_its_words(folder: Path) -> None:
    _kubectl(folder, "echo 'error: spec.steps: steps can only be appended' >&2; exit 1")
    refused = _applied(folder, "--cluster")
    assert (refused.exit_code, refused.stderr) == (2, "spec.steps: steps can only be appended\n")


def test_a_manifest_that_is_wrong_never_reaches_the_server(folder: Path) -> None:
    _kubectl(folder)
    (folder / "morning.yaml").write_text(FILE.replace("chip: fridge-a", "chips: fridge-a"))
    refused = _applied(folder, "--cluster")
    assert refused.exit_code == 2
    assert "spec: there is no field chips: did you mean chip?" in refused.stderr
    assert not (folder / "words").exists()


def test_a_cluster_that_is_away_is_said_without_what_kubectl_wanted_of_it(folder: Path) -> None:
    said = (
        'error validating "STDIN": error validating data: Get "http://localhost:8080/openapi/v2?timeout=32s": '
        "dial tcp 127.0.0.1:8080: connect: connection refused; if you choose to ignore these errors, ..."
    )
    _kubectl(folder, f"echo '{said}' >&2; exit 1")
    refused = _applied(folder, "--cluster")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "the cluster does not answer (dial tcp 127.0.0.1:8080: connect: connection refused): "
        "check --context and your kubeconfig\n",
    )


def test_without_kubectl_it_says_so(folder: Path) -> None:
    refused = _applied(folder, "--cluster")
    assert (refused.exit_code, refused.stderr) == (2, "kubectl is not installed: clusters are asked through it\n")
