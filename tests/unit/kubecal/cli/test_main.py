"""The frame of the command line: help, suggestions, completion, and what it does not import."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kubecal.cli.main import app

RUNNER = CliRunner()
HEAVY = ("pydantic", "rich", "yaml", "asyncio", "pymongo", "kubecal.api", "kubecal.reading", "kubecal.local")


def test_help_lists_verbs_in_sections_at_80_columns() -> None:
    shown = RUNNER.invoke(app, ["--help"]).output
    headings = [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == ["Options:", "Run:", "Look:", "Change what is kept:", "About kubecal:"]
    assert max(len(line) for line in shown.splitlines()) < 80
    cut = [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage")]
    assert cut == []


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, kubecal.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in HEAVY if name in loaded] == []


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        (["exlpain"], "No such command 'exlpain'. Did you mean 'explain'?"),
        (["tasks", "lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["explain", "morning", "--contxt", "kind"], "No such option: --contxt"),
    ],
)
def test_a_mistyped_verb_or_option_is_answered_with_what_is_close(typed: list[str], suggested: str) -> None:
    answered = RUNNER.invoke(app, typed)
    assert answered.exit_code == 2
    assert suggested in answered.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_every_shell(shell: str) -> None:
    printed = RUNNER.invoke(app, ["completion", shell])
    assert printed.exit_code == 0
    assert "_KUBECAL_COMPLETE=complete_" in printed.output


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["expl"], ["explain"]),
        (["params", "hi"], ["history"]),
        (["results", "--task", "CheckT2E"], ["CheckT2Echo", "CheckT2EchoAverage"]),
        (["get", "ch"], ["chips"]),
        (["results", "lat"], ["latest"]),
    ],
)
def test_kubectl_completes_verbs_options_and_names(words: list[str], offered: list[str]) -> None:
    code = "import sys; from kubecal.cli.kubectl_completion import for_kubectl; "
    code += f"sys.argv = {['kubectl_complete-kubecal', *words]!r}; for_kubectl()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*offered, ":4"]


def test_a_shell_completes_verbs() -> None:
    asked = {**os.environ, "_KUBECAL_COMPLETE": "complete_bash", "COMP_WORDS": "kubecal expl", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from kubecal.cli.main import main; import sys; sys.argv = ['kubecal']; main()"],
        env=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["explain"]
