"""Which qubits, couplings, MUXes a session or a step means. Nothing is never everything."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kubecal.api.chip import MAX_COUPLINGS, MAX_QUBITS, CouplingId, CouplingIds, QubitIds
from kubecal.api.model import Boolean, Integer, Model, Unique, rule

Muxes = Annotated[tuple[Annotated[Integer, Field(ge=0, le=MAX_QUBITS)], ...], Field(max_length=MAX_QUBITS), Unique()]
MAX_GROUPS = 256
CouplingGroups = Annotated[
    tuple[Annotated[tuple[CouplingId, ...], Field(min_length=1, max_length=MAX_QUBITS), Unique()], ...],
    Field(max_length=MAX_GROUPS),
]
"""Groups of couplings, one group after another."""

__all__ = ["MAX_COUPLINGS", "CouplingGroups", "CouplingTargets", "Direction", "Exclude", "Muxes", "Targets"]


class Exclude(Model):
    """Targets that are left out."""

    qubits: QubitIds = ()
    """Qubit ids; couplings of these qubits are left out too."""


class Direction(StrEnum):
    """Which qubit of a coupling is the control."""

    DESIGN = "Design"
    FREQUENCY = "Frequency"


class CouplingTargets(Model):
    """Couplings: some of them by id, or all between the session's qubits."""

    ids: CouplingIds = ()
    """Couplings as the chip lists them, control first."""
    auto: Boolean = False
    """True: all couplings of the chip whose two qubits belong to the session and come this far."""
    direction: Direction = Direction.DESIGN
    """Design: the control is the one the chip lists first; Frequency: the qubit with the lower measured frequency."""
    inverse: Boolean = False
    """True: the other way round."""

    @rule(
        "(has(self.ids) && size(self.ids) > 0) != self.auto",
        "give either ids or auto: true",
    )
    def _one_of(self) -> bool:
        return bool(self.ids) != self.auto


class Targets(Model):
    """What is calibrated: exactly one of qubits, muxes, couplings, all and chip."""

    qubits: QubitIds = ()
    """Qubits by id."""
    muxes: Muxes = ()
    """All qubits of these MUXes."""
    couplings: CouplingTargets | None = None
    """Couplings, for two-qubit tasks."""
    all: Boolean = False
    """Every qubit of the chip that is not disabled."""
    chip: Boolean = False
    """The chip as a whole, for tasks that act on it."""
    exclude: Exclude = Exclude()
    """Left out of what the other fields name."""

    @rule(
        "[has(self.qubits) && size(self.qubits) > 0, has(self.muxes) && size(self.muxes) > 0, "
        "has(self.couplings), self.all, self.chip].filter(given, given).size() == 1",
        "give exactly one of qubits, muxes, couplings, all and chip: nothing is never everything",
    )
    def _one_of(self) -> bool:
        given = (bool(self.qubits), bool(self.muxes), self.couplings is not None, self.all, self.chip)
        return given.count(True) == 1

    @rule(
        "!self.chip || !has(self.exclude) || !has(self.exclude.qubits) || size(self.exclude.qubits) == 0",
        "the chip as a whole leaves nothing out: remove exclude",
    )
    def _whole_chip(self) -> bool:
        return not (self.chip and self.exclude.qubits)
