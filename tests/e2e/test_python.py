"""Programs on a cluster, with an experimenter's kubeconfig: a flow that runs, and one that is stopped by SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.documents import ROOT
from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import chip
from tests.e2e.people import kubeconfig_of

FLOW = """
from kubecal.workflow import CalibService, flow, on_flow_cancellation

@flow(on_cancellation=[on_flow_cancellation])
def endless(chip_id):
    cal = CalibService("alice", chip_id, qids=["0"], namespace={namespace!r}, flow_name="endless")
    cal.execute_task("CheckRabi", "0")
    print("begun", cal.session_name, flush=True)
    cal.execute_task("Scripted", "0", parameters={{"seconds": 600}})

endless("fridge-a")
"""
_AS_IT_STARTS = {signal.SIGINT: signal.SIG_DFL, signal.SIGTERM: signal.SIG_DFL}


@contextmanager
def program(lab: Lab, folder: Path, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A program of an experimenter, on their own computer."""
    kubeconfig = kubeconfig_of(lab, "experimenter")
    # Programs that name no namespace are about the one of the context, as kubectl is.
    lab.cluster.kubectl(
        f"--kubeconfig={kubeconfig}", "config", "set-context", "--current", f"--namespace={lab.namespace}"
    )
    environment = {
        **os.environ,
        "KUBECAL_LAB": "cluster",
        "KUBECONFIG": str(kubeconfig),
        "PATH": f"{lab.cluster.tools}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    with subprocess.Popen(
        [sys.executable, *map(str, words)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hears_signals,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _hears_signals() -> None:
    for number, handler in _AS_IT_STARTS.items():
        signal.signal(number, handler)


def test_the_example_runs_as_pods(lab: Lab, tmp_path: Path) -> None:
    lab.apply(chip(rows=2, columns=2))
    in_the_lab = tmp_path / "flow.py"
    example = (ROOT / "examples" / "flow.py").read_text()
    in_the_lab.write_text(example.replace("qids=qids,", f"qids=qids, namespace={lab.namespace!r},"))
    with program(lab, tmp_path, in_the_lab, "fridge-a") as running:
        out, err = running.communicate(timeout=180)
    assert running.returncode == 0, err
    assert [line.split(":")[0] for line in out.splitlines()] == ["qubit 0", "qubit 1"]


def test_the_quickstart_of_older_engines_runs_as_pods(lab: Lab, tmp_path: Path) -> None:
    lab.apply(chip("64qv3", rows=8, columns=8))
    with program(lab, tmp_path, ROOT / "examples" / "qdash" / "quickstart.py") as running:
        out, err = running.communicate(timeout=180)
    assert running.returncode == 0, err
    assert out.startswith("rabi ")
    (found,) = lab.get("cals")["items"]
    assert (found["status"]["phase"], found["status"]["executionId"]) == ("Completed", "20240101-001")


def test_a_flow_of_older_engines_that_is_stopped_ends_as_it_says(lab: Lab, tmp_path: Path) -> None:
    cold = chip("16q")
    cold["spec"]["projectId"] = "cold"
    lab.apply(cold)
    with program(lab, tmp_path, ROOT / "examples" / "qdash" / "my_flow.py", "100") as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("begun ")
        (name,) = (item["metadata"]["name"] for item in lab.get("cals")["items"])
        wait_for(lambda: lab.status(name)["tasks"]["succeeded"], bool, "a call that was answered", 90)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=90)
    assert lab.status(name)["phase"] == "Cancelled"
    assert {row["status"] for row in lab.rows(name)} <= {"completed", "cancelled"}
    assert not lab.get("chips.kubecal.io", "16q")["status"].get("holders")


def test_sigterm_cancels_the_session_stops_its_pod_and_frees_the_chip(lab: Lab, tmp_path: Path) -> None:
    lab.apply(chip(rows=2, columns=2))
    path = tmp_path / "endless.py"
    path.write_text(FLOW.format(namespace=lab.namespace))
    with program(lab, tmp_path, path) as running:
        assert running.stdout is not None
        name = running.stdout.readline().split()[-1]
        wait_for(
            lambda: [pod for pod in lab.pods(name) if pod["status"].get("phase") == "Running"],
            lambda pods: len(pods) == 1,
            "the second task's pod",
        )
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=90)
    assert err.splitlines()[-1] == "kubecal: stopped: SIGTERM was received"
    assert lab.status(name)["phase"] == "Cancelled"
    assert lab.execution(name)["status"] == "cancelled"
    assert sorted(row["status"] for row in lab.rows(name)) == ["cancelled", "completed"]
    assert not [pod for pod in lab.pods(name) if pod["status"].get("phase") == "Running"]
    assert not lab.get("chips.kubecal.io", "fridge-a")["status"].get("holders")
