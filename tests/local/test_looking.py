"""The verbs that look, after two runs, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from kubecal.api.actions import GivenValue
from tests.local.laptop import Laptop


def items(said: str) -> list[dict[str, Any]]:  # Any: JSON
    found: list[dict[str, Any]] = json.loads(said)["items"]
    return found


def test_what_was_run_is_listed_read_compared_and_exported(laptop: Laptop, tmp_path: Path) -> None:
    assert laptop.run(laptop.manifest()).code == 0
    assert laptop.run(laptop.manifest()).code == 0

    newest, oldest = items(laptop.ask("get", "executions", "-o", "json").out)
    assert [one["session"] for one in (newest, oldest)] == ["session-1", "session-0"]
    (chip,) = items(laptop.ask("get", "chips", "-o", "json").out)
    assert chip["metadata"]["name"] == "chip"

    (result,) = items(laptop.ask("results", "-o", "json").out)
    assert (result["executionId"], result["verdict"]) == (newest["executionId"], "ok")
    assert result["outputs"][0]["sigmas"] is not None, "the second run is compared with the first"
    assert " σ" in laptop.ask("results").out

    history = items(laptop.ask("params", "history", "chip", "0", "control_amplitude", "-o", "json").out)
    assert [one["executionId"] for one in history] == [newest["executionId"], oldest["executionId"]]
    changed = items(laptop.ask("params", "diff", "chip", oldest["executionId"], "-o", "json").out)
    by_name = {one["name"]: one for one in changed}
    assert by_name["control_amplitude"]["before"] == history[1]["value"]
    assert by_name["control_amplitude"]["after"] == history[0]["value"]

    exported = yaml.safe_load(laptop.ask("params", "export", "chip").out)
    amplitude = exported["qubits"]["0"]["control_amplitude"]
    assert amplitude.pop("unit") == "a.u."
    assert GivenValue.model_validate(amplitude).value == history[0]["value"]

    saved = laptop.ask("figures", "session-0", "--to", tmp_path / "figures", "--format", "png")
    assert saved.out == f"1 figure in {tmp_path}/figures\n"
    (figure,) = (tmp_path / "figures").iterdir()
    assert figure.read_bytes().startswith(b"\x89PNG")

    watched = laptop.ask("watch", "session-1")
    assert watched.code == 0
    assert watched.out.splitlines()[-1].startswith("session-1 completed: 1 task ok in ")


def test_a_computer_on_which_nothing_was_run_says_where_to_begin(laptop: Laptop) -> None:
    said = laptop.ask("results")
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "nothing was recorded on this computer yet: run a session with kubecal run, or ask a cluster with --cluster\n"
    )
