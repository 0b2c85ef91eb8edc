"""``kubecal rerun`` and ``kubecal reanalyse``: an earlier execution once more, measured or only analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubecal.cli.acting.beginning import Manner, measure
from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.executions import LATEST, find_execution
from kubecal.cli.screen import Screen
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab
from kubecal.lab.manifests import reanalyse_session
from kubecal.lab.rerun import Rerun, rerun_session
from kubecal.local.catalogue import installed_catalogue
from kubecal.reading.answers import ExecutionDetail

_LOOKED_AT = 50
"""Executions among which the latest that measured is looked for: others were changes of records."""


@dataclass(frozen=True)
class Meant:
    """Which execution is meant."""

    called: str
    project: str
    manner: Manner


async def rerun(lab: Lab, screen: Screen, meant: Meant, wanted: Rerun) -> int:
    """Run an earlier execution again."""
    execution = await measured(lab, meant)
    session = rerun_session(execution, wanted, installed_catalogue(), meant.manner.signed)
    return await measure(lab, screen, session, meant.manner, meant.project)


async def reanalyse(
    lab: Lab, screen: Screen, meant: Meant, tasks: Sequence[str], targets: Sequence[str], *, publish: bool
) -> int:
    """Analyse what an earlier execution has stored."""
    execution = await measured(lab, meant)
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


async def measured(lab: Lab, meant: Meant) -> ExecutionDetail:
    """The execution that is meant; ``latest`` is the latest that measured anything.

    Raises
    ------
    NoSuchThingError
        If there is none; says what is close.
    """
    records, project, place = lab.records, meant.project, meant.manner.place
    if meant.called == LATEST:
        for one in await records.executions(project=project, limit=_LOOKED_AT):
            if not place.namespace or one.namespace == place.namespace:
                execution = await records.execution(one.execution_id, project=project)
                if any(step.get("tasks") for step in execution.session_spec["steps"]):
                    return execution
    return await find_execution(records, meant.called, place=place, project=project)
