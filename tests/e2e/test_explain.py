"""`kubecal explain`, as a person with a kubeconfig asks it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.lab import Lab, wait_for
from tests.e2e.manifests import chip, scripted, session

_KUBECAL = str(Path(sys.executable).with_name("kubecal"))


def test_a_session_says_for_every_task_why_it_does_not_run(lab: Lab) -> None:
    lab.apply(chip(rows=2, columns=2), session("slow", [scripted(seconds=8), "Noop"], qubits=["0", "1"], mode="Serial"))
    waits = wait_for(lambda: lab.status("slow").get("waits", []), bool, "a brief word on what waits", 60)
    assert {"WaitsForTask", "WaitsForWire"} >= {one["reason"] for one in waits}

    told = _explain(lab, "slow")
    assert (told.returncode, told.stderr) == (0, "")
    assert "held by Scripted on" in told.stdout
    assert "comes after Scripted" in told.stdout

    nobody = _explain(lab, "evening")
    assert nobody.returncode == 1
    assert "there is no CalibrationSession 'evening'" in nobody.stderr
    lab.wait_phase("slow", "Completed")


def _explain(lab: Lab, name: str) -> subprocess.CompletedProcess[str]:
    tools = f"{lab.cluster.tools}:{os.environ['PATH']}"
    environment = {**os.environ, **lab.cluster.environment, "PATH": tools}
    command = [_KUBECAL, "explain", name, "-n", lab.namespace]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
