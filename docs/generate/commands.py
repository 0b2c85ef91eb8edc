"""The page of the command line: what ``--help`` says of every verb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from kubecal.cli.main import app

_WIDTH = 100


def command_pages() -> dict[str, str]:
    """Markdown by path below the documents' root."""
    text = "# Command line\n\nWhat `--help` says. `kubectl kubecal` is the same command, asking the cluster.\n"
    root = get_command(app)
    for path, command in _commands(root, ("kubecal",)):
        name = " ".join(path)
        with Context(command, info_name=name, max_content_width=_WIDTH, terminal_width=_WIDTH) as context:
            text += f"\n## `{name}`\n\n```text\n{command.get_help(context)}\n```\n"
    return {"reference/command-line.md": text}


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb that is not hidden, as declared; Any: typer has no public type of commands."""
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from _commands(inner, (*path, name))
    else:
        yield path, command
