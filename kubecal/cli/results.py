"""``kubecal results``: what came out of an execution, failures and their reasons first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.executions import find_execution
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.cli.spans import spans
from kubecal.cli.summary import summary, told_of_execution
from kubecal.cli.values import outcome_parts, target_order
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab
from kubecal.local.catalogue import installed_catalogue
from kubecal.reading.answers import Result
from kubecal.reading.attempts import last_attempts


@dataclass(frozen=True)
class Chosen:
    """Which results of an execution are asked for; empty: all."""

    tasks: Sequence[str] = ()
    targets: Sequence[str] = ()
    """Ids of qubits and couplings."""
    failed: bool = False
    all_attempts: bool = False

    def of(self, results: Sequence[Result]) -> list[Result]:
        """Those of the results.

        Raises
        ------
        NoSuchThingError
            If a task or target is named that has none; says what is close.
        """
        there = {row.task for row in results}
        for task in self.tasks:
            if task not in there:
                raise NoSuchThingError(f"this execution has no task {task!r}: {did_you_mean(task, there)}")
        places = sorted({_place(row) for row in results}, key=target_order)
        for target in self.targets:
            if target not in places:
                raise NoSuchThingError(f"this execution has no result on {target!r}: it has some on {spans(places)}")
        rows = results if self.all_attempts else last_attempts(results)
        return [
            row
            for row in rows
            if (not self.tasks or row.task in self.tasks)
            and (not self.targets or _place(row) in self.targets)
            and (not self.failed or row.status == "failed")
        ]


@dataclass(frozen=True)
class ResultsAsked:
    """What the command line asks for."""

    execution: str
    place: Place
    project: str
    chosen: Chosen
    all_values: bool = False


async def show_results(lab: Lab, screen: Screen, asked: ResultsAsked) -> int:
    """Print the results of an execution."""
    execution = await find_execution(lab.records, asked.execution, place=asked.place, project=asked.project)
    results = asked.chosen.of(await lab.records.results(execution.execution_id, project=asked.project))
    told = summary(told_of_execution(execution))
    screen.show(results, lambda: _table(screen, results, told, asked))
    return ExitCode.DONE


def _table(screen: Screen, results: Sequence[Result], told: Text, asked: ResultsAsked) -> RenderableType:
    wide = screen.form is Form.WIDE
    return Group(*outcome_parts(results, installed_catalogue(), all_values=asked.all_values, wide=wide), told)


def _place(row: Result) -> str:
    return row.qid or "chip"
