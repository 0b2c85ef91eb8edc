"""``kubecal figures``: the figures of an execution as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import typer

from kubecal.cli.answering import NoSuchThingError, NotDoneError
from kubecal.cli.executions import find_execution
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.place import Place
from kubecal.cli.results import Chosen
from kubecal.cli.screen import Screen
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab
from kubecal.reading.answers import Result
from kubecal.reading.figures import figure_names
from kubecal.reading.records import FigureForm


@dataclass(frozen=True)
class FiguresAsked:
    """Which figures, and where to."""

    execution: str
    place: Place
    project: str
    chosen: Chosen
    folder: Path | None = None
    """None: ``figures-EXECUTION`` here."""
    form: str = "svg"
    open_them: bool = False


async def save(lab: Lab, screen: Screen, asked: FiguresAsked) -> int:
    """Write the figures, and say where they are."""
    form = _form(asked.form)
    execution = await find_execution(lab.records, asked.execution, place=asked.place, project=asked.project)
    rows = asked.chosen.of(await lab.records.results(execution.execution_id, project=asked.project))
    names = figure_names(rows, form)
    if not names:
        raise NoSuchThingError(_none(execution.execution_id, form, rows))
    folder = asked.folder or Path(f"figures-{execution.execution_id}")
    paths: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        async for file_id, content in lab.records.figures(execution.execution_id, project=asked.project, form=form):
            for name in names.pop(file_id, ()):
                paths.append(folder / name)
                paths[-1].write_bytes(content)
    except OSError as error:
        raise NotDoneError(
            f"{error.filename or folder}: cannot be written ({error.strerror}): give another folder with --to"
        ) from error
    screen.say(f"{len(paths)} {'figure' if len(paths) == 1 else 'figures'} in {folder}")
    if asked.open_them and typer.launch(str(paths[0] if len(paths) == 1 else folder)) != 0:
        screen.remark("nothing here can open them: open the folder yourself")
    return ExitCode.DONE


def _form(called: str) -> FigureForm:
    for form in get_args(FigureForm):
        if called == form:
            return cast(FigureForm, form)
    raise NotDoneError(f"--format {called}: figures are svg, png or json: {did_you_mean(called, get_args(FigureForm))}")


def _none(execution_id: str, form: FigureForm, rows: Sequence[Result]) -> str:
    if not rows:
        return f"execution {execution_id} has no such results"
    if form == "json" and any(row.figure_ids for row in rows):
        return f"execution {execution_id} has no figures as json: --format svg or png has them"
    return f"these results of execution {execution_id} have no figures"
