"""``kubecal report``: an execution as one HTML file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from kubecal.cli.answering import NotDoneError
from kubecal.cli.executions import find_execution
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Lab
from kubecal.local.catalogue import installed_catalogue
from kubecal.report import Material, gather, render, write_report

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class ReportAsked:
    """What the command line asks for."""

    execution: str
    place: Place
    project: str
    path: Path | None = None
    """None: ``report-EXECUTION.html`` here."""
    open_it: bool = False


async def save_report(lab: Lab, screen: Screen, asked: ReportAsked) -> int:
    """Write the page, and say where it is."""
    execution = await find_execution(lab.records, asked.execution, place=asked.place, project=asked.project)
    path = asked.path or Path(f"report-{execution.execution_id}.html")
    if path.is_dir():
        raise NotDoneError(f"{path} is a folder: give the name of a file in it with -o")
    catalogue = installed_catalogue()
    material = await gather(
        lab.records, execution.execution_id, datetime.now(UTC), catalogue=catalogue, project=asked.project
    )
    # A thousand tasks take seconds: beside the loop, so that Ctrl-C is heard.
    size = await asyncio.to_thread(_written, path, material)
    still = ", of a session that still runs" if material.running else ""
    screen.say(f"{path} ({_size(size)}){still}")
    if asked.open_it and typer.launch(str(path)) != 0:
        screen.remark("nothing here can open it: open the file in a browser")
    return ExitCode.DONE


def _written(path: Path, material: Material) -> int:
    try:
        return write_report(path, render(material))
    except OSError as error:
        raise NotDoneError(f"{path}: cannot be written ({error.strerror}): give another file with -o") from error


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB" if size >= _MEGABYTE / 10 else f"{max(1, size // 1000)} kB"
