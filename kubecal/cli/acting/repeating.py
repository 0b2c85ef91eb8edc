"""``kubecal rerun`` and ``kubecal reanalyse``: an earlier execution once more, measured or only analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubecal.cli.acting.beginning import Manner, measure
from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.executions import find_execution
from kubecal.cli.screen import Screen
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab
from kubecal.lab.manifests import reanalyse_session
from kubecal.lab.rerun import Rerun, rerun_session
from kubecal.local.catalogue import installed_catalogue
from kubecal.reading.answers import ExecutionDetail


@dataclass(frozen=True)
class Meant:
    """Which execution is meant."""

    called: str
    project: str
    manner: Manner


async def rerun(lab: Lab, screen: Screen, meant: Meant, wanted: Rerun) -> int:
    """Run an earlier execution again."""
    execution = await _found(lab, meant)
    session = rerun_session(execution, wanted, installed_catalogue(), meant.manner.signed)
    return await measure(lab, screen, session, meant.manner, meant.project)


async def reanalyse(
    lab: Lab, screen: Screen, meant: Meant, tasks: Sequence[str], targets: Sequence[str], *, publish: bool
) -> int:
    """Analyse what an earlier execution has stored."""
    execution = await _found(lab, meant)
    known = {row.task for row in await lab.records.tasks(execution.execution_id, project=meant.project)}
    for name in tasks:
        if name not in known:
            raise NoSuchThingError(
                f"execution {execution.execution_id} has no task {name!r}: {did_you_mean(name, known)}"
            )
    session = reanalyse_session(
        execution.chip, execution.execution_id, tasks, targets, publish=publish, signed=meant.manner.signed
    )
    return await measure(lab, screen, session, meant.manner, meant.project)


async def _found(lab: Lab, meant: Meant) -> ExecutionDetail:
    return await find_execution(lab.records, meant.called, place=meant.manner.place, project=meant.project)
