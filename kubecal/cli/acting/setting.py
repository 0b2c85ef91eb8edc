"""``kubecal params set``, ``import`` and ``revert``, and ``kubecal exclude``: changes of records by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kubecal.api.manifests import ManifestError
from kubecal.api.topology import Topology
from kubecal.cli.acting.beginning import Manner, record_change
from kubecal.cli.acting.repeating import Meant
from kubecal.cli.answering import NotDoneError
from kubecal.cli.executions import find_execution
from kubecal.cli.screen import Screen
from kubecal.importing import ImportProblem, import_parameters
from kubecal.lab.given import GivenValues, typed_values, values_in_file
from kubecal.lab.lab import Lab
from kubecal.lab.manifests import exclude_session, revert_session, set_session
from kubecal.local.catalogue import installed_catalogue


async def set_parameters(lab: Lab, screen: Screen, chip: str, target: str, words: Sequence[str], manner: Manner) -> int:
    """Set parameters of one qubit or coupling by hand."""
    values = typed_values(target, words, installed_catalogue())
    return await _set(lab, screen, chip, values, manner)


async def import_values(lab: Lab, screen: Screen, chip: str, path: Path, name: str, manner: Manner) -> int:
    """Set what a file of ``kubecal params export`` holds, or a folder of parameter files of qubex."""
    catalogue = installed_catalogue()
    if not _is_folder(path):
        return await _set(lab, screen, chip, values_in_file(path, catalogue), manner)
    topology = (await lab.chip(chip)).chip.spec.topology.resolve()
    try:
        values, notes = import_parameters(path, name, topology, catalogue)
    except ImportProblem as problem:
        raise NotDoneError(str(problem)) from problem
    for note in notes:
        screen.errors.print(note, style="yellow", soft_wrap=True, markup=False)
    if not any(values.values()):
        raise NotDoneError(f"{path}: holds no value of a parameter that is known: nothing is to be imported")
    return await _set(lab, screen, chip, {kind: found for kind, found in values.items() if found}, manner)


def _is_folder(path: Path) -> bool:
    return path.is_dir()


async def _set(lab: Lab, screen: Screen, chip: str, values: GivenValues, manner: Manner) -> int:
    topology = (await lab.chip(chip)).chip.spec.topology.resolve()
    for target in (one for targets in values.values() for one in targets):
        _check_target(target, chip, topology)
    return await record_change(lab, screen, set_session(chip, values, manner.signed), manner)


def _check_target(target: str, chip: str, topology: Topology) -> None:
    """In either direction: results of a coupling that was driven the other way round are kept under that id."""
    first, dash, second = target.partition("-")
    there = second in topology.neighbours.get(first, ()) if dash else target in topology.site_by_id
    if not there:
        what = "coupling" if dash else "qubit"
        raise ManifestError(
            f"chip {chip!r} has no {what} {target!r} (it has qubits {topology.describe_ids()}): correct the target"
        )


async def revert(lab: Lab, screen: Screen, meant: Meant) -> int:
    """Take back what an execution published."""
    manner = meant.manner
    execution = await find_execution(lab.records, meant.called, place=manner.place, project=meant.project)
    session = revert_session(execution.chip, execution.execution_id, manner.signed)
    return await record_change(lab, screen, session, manner)


async def exclude(lab: Lab, screen: Screen, task_ids: Sequence[str], reason: str, *, undo: bool, manner: Manner) -> int:
    """Take results out of statistics and filters, or back in."""
    if not reason and not undo:
        raise NotDoneError("say why with --reason: others will ask (or count them again with --undo)")
    chips = {(await lab.records.result(one)).chip for one in dict.fromkeys(task_ids)}
    if len(chips) > 1:
        raise NotDoneError(f"these results are of chips {', '.join(sorted(chips))}: exclude those of one at a time")
    session = exclude_session(chips.pop(), list(dict.fromkeys(task_ids)), reason, undo=undo, signed=manner.signed)
    return await record_change(lab, screen, session, manner)
