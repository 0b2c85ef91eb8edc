"""Simulated chips made from their name alone: ``64Qv3`` has 64 qubits in MUXes of four, and a seed of its own."""

from __future__ import annotations

import re
from zlib import crc32

from kubecal.api.chip import MAX_QUBITS, BackendSpec, Chip, ChipSpec, SquareLattice, TopologySpec
from kubecal.api.model import Metadata

SIMULATED = "fake"
_SIZE = re.compile(r"([1-9][0-9]*)q", re.IGNORECASE)
_MUX = 4


def object_name(chip_id: str) -> str:
    """A chip's name as an object: these are in lower case, so ``64Qv3`` is ``64qv3``."""
    return chip_id.lower()


def made_chip(chip_id: str, project_id: str) -> Chip | None:
    """A simulated chip of the size that its name tells; None: the name tells none.

    Parameters
    ----------
    chip_id
        Like ``64Qv3``: as many qubits as the number before the ``Q``. The seed follows from the whole name, so the
        same name is the same chip everywhere.
    project_id
        To which its records belong; empty: the default project.
    """
    found = _SIZE.search(chip_id)
    if found is None or not 1 <= int(found[1]) <= MAX_QUBITS:
        return None
    spec = ChipSpec(
        topology=TopologySpec(square_lattice=_lattice(int(found[1]))),
        backend=BackendSpec(name=SIMULATED, config={"seed": crc32(object_name(chip_id).encode())}),
    )
    named = Chip(metadata=Metadata(name=object_name(chip_id)), spec=spec)
    return of_project(named, project_id) if project_id else named


def of_project(chip: Chip, project_id: str) -> Chip:
    """The same chip, with records of another project."""
    spec = ChipSpec.model_validate(chip.spec.model_dump(by_alias=True, exclude_unset=True) | {"projectId": project_id})
    return chip.model_copy(update={"spec": spec})


def described(chip: Chip) -> str:
    """``64 qubits in 16 MUXes, seed 7``."""
    sites = chip.spec.topology.resolve().sites
    muxes = len({site.mux for site in sites})
    lines = f"{muxes} MUXes" if muxes > 1 else "1 MUX"
    return f"{len(sites)} qubits in {lines}, seed {chip.spec.backend.config['seed']}"


def _lattice(qubits: int) -> SquareLattice:
    """As square as the number allows; MUXes of one qubit where four do not divide it."""
    if qubits % _MUX == 0:
        rows, columns = _sides(qubits // _MUX)
        return SquareLattice(rows=2 * rows, columns=2 * columns, mux_size=4)
    rows, columns = _sides(qubits)
    return SquareLattice(rows=rows, columns=columns, mux_size=1)


def _sides(area: int) -> tuple[int, int]:
    shorter = next(side for side in range(int(area**0.5), 0, -1) if area % side == 0)
    return shorter, area // shorter
