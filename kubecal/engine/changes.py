"""Whether a change of records makes sense on a chip, as far as the catalogue tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubecal.api.actions import GivenParameters, PublishResults, SetParameters
from kubecal.api.catalogue import Catalogue, Output
from kubecal.api.steps import Action
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.problems import did_you_mean
from kubecal.engine.targets import Grounds


def change_problems(action: Action, grounds: Grounds, catalogues: Catalogues, place: str) -> list[str]:
    """What is wrong with a step that changes records; what only the records can tell is told when it runs."""
    if isinstance(action, SetParameters):
        return given_problems(action, grounds, catalogues, f"{place}.set")
    if isinstance(action, PublishResults):
        field = f"{place}.publish"
        known = _outputs(catalogues)
        problems = [
            f"{field}.targets: chip {grounds.name!r} has no qubit or coupling {target!r}: correct it"
            for target in action.targets
            if target not in grounds.topology.site_by_id and not _is_coupling(target, grounds)
        ]
        return problems + [
            f"{field}.parameters: no task gives {name!r}: {did_you_mean(name, known)}"
            for name in action.parameters
            if name not in known
        ]
    return []


def given_problems(given: GivenParameters, grounds: Grounds, catalogues: Catalogues, field: str) -> list[str]:
    """What is wrong with values by hand: of a qubit or coupling that is not there, or of a name nobody knows."""
    known = known_parameters(catalogues.known)
    problems = [
        f"{field}.qubits: chip {grounds.name!r} has no qubit {qubit!r} "
        f"(it has {grounds.topology.describe_ids()}): correct it"
        for qubit in given.qubits
        if qubit not in grounds.topology.site_by_id
    ]
    problems += [
        f"{field}.couplings: chip {grounds.name!r} has no coupling {coupling!r}: correct it"
        for coupling in given.couplings
        if not _is_coupling(coupling, grounds)
    ]
    return problems + [
        f"{field}: no task knows a parameter {name!r} (of {target}): {did_you_mean(name, known)}"
        for target, values in given.by_id.items()
        for name in values
        if name not in known
    ]


def _is_coupling(identity: str, grounds: Grounds) -> bool:
    """In either direction: results of a coupling that was driven the other way round are kept under that id."""
    ends = identity.split("-")
    return len(ends) == 2 and ends[1] in grounds.topology.neighbours.get(ends[0], ())


def _outputs(catalogues: Catalogues) -> set[str]:
    return {output.name for one in catalogues.known for task in one.tasks for output in task.outputs}


def known_parameters(catalogues: Iterable[Catalogue]) -> Mapping[str, Output]:
    """Every parameter that a task gives, or only reads, by its name."""
    tasks = [task for catalogue in catalogues for task in catalogue.tasks]
    read = {each.name: Output(name=each.name, unit=each.unit) for task in tasks for each in task.inputs}
    return read | {output.name: output for task in tasks for output in task.outputs}
