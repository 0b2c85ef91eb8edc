"""The tasks of a step that analyses stored data anew: the attempts of an earlier execution, each once more.

They drive nothing and claim no wire, and take their inputs and run parameters from where their data come from, so they
wait for nothing of their own step. What they are called is what they were called then; where the same task stood in
several steps, or was measured in parts, their ordinals tell them apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from kubecal.api.actions import ReanalyseResults
from kubecal.api.catalogue import Catalogue, CatalogueTask, TargetKind
from kubecal.api.topology import Coupling
from kubecal.engine.earlier import StoredAttempt
from kubecal.engine.lanes import CHIP, Standing, chip_standing, coupling_standing, qubits_standing
from kubecal.engine.model import PlannedTask, TaskKey
from kubecal.engine.problems import did_you_mean
from kubecal.engine.targets import Chosen, Grounds, Sort

DURATION_S = 2.0
"""What an analysis takes: the start of a pod, and little else."""


def reanalysed(
    step: str,
    number: int,
    wanted: ReanalyseResults,
    stored: Sequence[StoredAttempt] | None,
    session: Chosen,
    grounds: Grounds,
    catalogue: Catalogue,
) -> tuple[list[PlannedTask], list[str]]:
    """The tasks of a step, or what is wrong with it.

    Parameters
    ----------
    step, number
        Name of the step, and its place in the session.
    stored
        What the records have of the execution; None: nobody looked, since the step was appended later.
    session
        The session's targets: of qubits and couplings only what lies within them is analysed.
    """
    field = f"spec.steps[{number}].reanalyse"
    if stored is None:
        return [], [
            f"{field}: what execution {wanted.execution_id} has stored is looked up when a session begins, and this "
            "step was appended later: apply a session of its own"
        ]
    known = {one.task for one in stored}
    problems = [
        f"{field}.tasks: execution {wanted.execution_id} has no raw data of {name!r}: {did_you_mean(name, known)}"
        for name in wanted.tasks
        if name not in known
    ]
    chosen = [one for one in stored if (one.task in wanted.tasks or not wanted.tasks) and _within(one, session)]
    strange = sorted({one.task for one in chosen} - set(catalogue.task_by_name))
    if strange:
        problems.append(
            f"{field}: execution {wanted.execution_id} has raw data of {', '.join(strange)}, which are not in the "
            "built-in image: name the other tasks in reanalyse.tasks"
        )
    gone = sorted({qubit for one in chosen for qubit in _qubits(one)} - set(grounds.topology.site_by_id))
    if gone:
        problems.append(f"{field}: chip {grounds.name!r} no longer has qubit {', '.join(gone)}: choose other tasks")
    if not problems and not chosen:
        problems.append(
            f"{field}: execution {wanted.execution_id} has no raw data of the session's targets: correct one of them"
        )
    return ([] if problems else [*_tasks(step, number, wanted, chosen, catalogue)]), problems


def couplings_of(tasks: Sequence[PlannedTask]) -> Chosen:
    """The couplings that tasks are about, so that the plan knows their qubits."""
    ids = dict.fromkeys(task.key.target for task in tasks if task.kind is TargetKind.COUPLING)
    return Chosen(Sort.COUPLINGS, couplings=tuple(Coupling(*identity.split("-")) for identity in ids))


def _tasks(
    step: str, number: int, wanted: ReanalyseResults, chosen: Sequence[StoredAttempt], catalogue: Catalogue
) -> Iterator[PlannedTask]:
    seen: Counter[tuple[str, str]] = Counter()
    for one in chosen:
        name, target = one.task, one.target
        task = catalogue.task_by_name[name]
        yield PlannedTask(
            key=TaskKey(step, name, target, seen[name, target]),
            wires=(),
            parameters={},
            timeout_s=task.timeout_s,
            r2_threshold=task.r2_threshold,
            duration_s=DURATION_S,
            max_parallel=0,
            kind=task.kind,
            members=one.members,
            standing=_standing(task, one, number),
            stored=one,
            publishes=wanted.publish,
        )
        seen[name, target] += 1


def _standing(task: CatalogueTask, one: StoredAttempt, number: int) -> Standing:
    if task.kind is TargetKind.CHIP:
        return chip_standing(number, 0)
    if task.kind is TargetKind.COUPLING:
        control, target = _qubits(one)
        return coupling_standing(one.target, (control, target), number, 0, None)
    return qubits_standing(_qubits(one), number, 0)


def _qubits(one: StoredAttempt) -> tuple[str, ...]:
    """The qubits it was about; none where it was about the chip as a whole."""
    if one.members or one.target == CHIP:
        return one.members
    return tuple(one.target.split("-"))


def _within(one: StoredAttempt, session: Chosen) -> bool:
    """A session about the chip analyses everything; one about qubits or couplings what lies within them."""
    if session.sort is Sort.CHIP:
        return True
    if session.sort is Sort.COUPLINGS and "-" in one.target and not one.members:
        return one.target in session.ids
    qubits = _qubits(one)
    return bool(qubits) and set(qubits) <= set(session.qubits)
