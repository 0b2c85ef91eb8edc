"""Whether a chip may be used: what its manifest does not tell by itself.

Records belong to (project, chip name), whatever the namespace, so of several chips with one such key only one may
be used: the one that was valid as it stands now, else the one that was valid before, else the oldest. Applying a
second chip, or renaming the project of another, never takes the place of the one that has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipSpec
from kubecal.api.conditions import ConditionStatus, ConditionType
from kubecal.api.topology import describe_ids
from kubecal.engine.model import ChipView
from kubecal.engine.problems import did_you_mean
from kubecal.engine.schema import problems_in

_LAST = datetime.max.replace(tzinfo=UTC)


def chip_problems(chip: ChipSpec, catalogue: Catalogue) -> list[str]:
    """What is wrong with a chip that only the catalogue can tell."""
    backend = catalogue.backend_by_name.get(chip.backend.name)
    if backend is None:
        hint = did_you_mean(chip.backend.name, catalogue.backend_by_name)
        return [f"Chip.spec.backend.name: there is no backend {chip.backend.name!r}: {hint}"]
    found = problems_in(chip.backend.config, backend.config_schema, "Chip.spec.backend.config")
    return found + _strangers(chip)


def _strangers(chip: ChipSpec) -> list[str]:
    """What names a qubit, coupling or MUX that the topology does not have."""
    topology = chip.topology.resolve()
    qubits = [("disabled", chip.disabled.qubits)]
    couplings = [("disabled", chip.disabled.couplings)]
    if chip.design is not None:
        qubits.append(("design", tuple(chip.design.qubits)))
        couplings.append(("design", tuple(chip.design.couplings)))
    found = [
        f"Chip.spec.{field}.qubits: there is no qubit {qubit!r} (the chip has {topology.describe_ids()}): remove it"
        for field, named in qubits
        for qubit in named
        if qubit not in topology.site_by_id
    ]
    found += [
        f"Chip.spec.{field}.couplings: there is no coupling {coupling!r}, control first: correct or remove it"
        for field, named in couplings
        for coupling in named
        if coupling not in topology.coupling_by_id
    ]
    muxes = describe_ids(str(mux) for mux in topology.members_by_mux)
    return found + [
        f"Chip.spec.wiring.muxes: there is no MUX {wired.id} (the chip has {muxes}): correct or remove it"
        for wired in chip.wiring.muxes
        if wired.id not in topology.members_by_mux
    ]


def taken_keys(chips: Iterable[ChipView]) -> Mapping[str, str]:
    """Why a chip may not have its place in the records, by its uid; those that may are left out."""
    by_key: dict[tuple[str, str], list[ChipView]] = {}
    for chip in chips:
        if chip.spec is not None and not chip.deleted:
            by_key.setdefault((chip.spec.project_id, chip.name), []).append(chip)
    problems = {}
    for (project, name), rivals in by_key.items():
        first, *others = sorted(rivals, key=_claim)
        for chip in others:
            problems[chip.uid] = (
                f"the records of chip {name!r} in project {project!r} belong to the Chip in namespace "
                f"{first.namespace!r}: give this one another name or another spec.projectId"
            )
    return problems


def _claim(chip: ChipView) -> tuple[int, datetime, str]:
    """Sorts first who has the better claim to a key."""
    told = next((one for one in chip.status.conditions if one.type == ConditionType.VALID), None)
    rank = 2
    if told is not None and told.status is ConditionStatus.TRUE:
        rank = 0 if told.observed_generation == chip.generation else 1
    return rank, chip.created_at or _LAST, chip.uid
