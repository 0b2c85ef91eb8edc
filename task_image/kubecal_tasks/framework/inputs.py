"""Where a task's inputs come from, in one order, with the origin recorded.

The order is: what the session gives by hand, what the execution that it repeats used, this session's own newest ok
output (published or not: a staged session must not break its own chain), the published parameter,
``Chip.spec.design``, the backend's design values, the task's fallback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubecal.api.units import scale_of, to_si
from kubecal_tasks.framework.declarations import InputParameter


class Origin(StrEnum):
    """Where an input's value came from."""

    OVERRIDE = "override"
    """Given by hand in the session."""
    SNAPSHOT = "snapshot"
    """Used in the execution that the session repeats."""
    SESSION = "session"
    """This session's own ok output."""
    PUBLISHED = "published"
    PRIOR = "prior"
    """Published, but measured in another cool-down than the present one."""
    DESIGN = "design"
    """``Chip.spec.design``."""
    BACKEND = "backend"
    """The backend's design values."""
    FALLBACK = "fallback"
    """The task's own."""


class MissingInputError(LookupError):
    """Nothing provides a required input."""


@dataclass(frozen=True)
class Candidate:
    """A value that somebody offers for an input."""

    value: float
    error: float
    unit: str
    entity: str = ""
    """Entity id of the parameter version, for provenance; empty where there is none."""


@dataclass(frozen=True)
class InputValue:
    """A resolved input, in the declared unit."""

    name: str
    value: float
    error: float
    unit: str
    origin: Origin
    entity: str = ""
    role: str = ""
    """Of a coupling task's inputs whose it is; empty: the target's own."""

    @property
    def si_value(self) -> float:
        """The value in SI."""
        return to_si(self.value, self.unit)

    @property
    def si_error(self) -> float:
        """The one-sigma error in SI."""
        return to_si(self.error, self.unit)


Source = tuple[Origin, Mapping[str, Candidate]]
"""What one source has, under the parameters' names."""


def resolve(
    declared: Sequence[InputParameter], owners: Mapping[str, str], offers: Mapping[str, Sequence[Source]]
) -> dict[str, InputValue]:
    """Take every declared input from the first source that has it; what serves instead comes after all of them.

    Parameters
    ----------
    declared
        The task's inputs.
    owners
        The id of the qubit or coupling that each role means; the target's own has the empty role.
    offers
        By id, sources in their order of precedence, without the tasks' fallbacks, which come last.

    Returns
    -------
    dict
        Inputs by their keys; one that serves instead of another keeps its own name beneath the other's key.

    Raises
    ------
    MissingInputError
        If a required input is nowhere to be had.
    ValueError
        If an input has a role that this kind of task does not know.
    """
    found: dict[str, InputValue] = {}
    for each in declared:
        if each.role not in owners:
            raise ValueError(
                f"input {each.name} has the role {each.role!r}, which only coupling tasks know (control, target): "
                "remove it, or make the task one on a coupling"
            )
        owner = owners[each.role]
        value = _first(each, offers.get(owner, ()))
        if value is not None:
            found[each.key] = value
        elif each.required:
            remedy = f"run {each.hint} or set it" if each.hint else "set it in spec.design of the chip"
            name = f"{each.name} or {each.instead}" if each.instead else each.name
            raise MissingInputError(f"missing input {name} of {_in_words(owner, each.role)}: {remedy}")
    return found


def _in_words(owner: str, role: str) -> str:
    if role:
        return f"qubit {owner} ({role})"
    if owner.isdecimal():
        return f"qubit {owner}"
    return f"coupling {owner}" if "-" in owner else "the chip"


def _first(declared: InputParameter, offers: Sequence[Source]) -> InputValue | None:
    unit, role = declared.unit, declared.role
    for name in filter(None, (declared.name, declared.instead)):
        for origin, values in offers:
            offer = values.get(name)
            if offer is not None:
                # Values are told in the catalogue's units; one from elsewhere may say that it is in another.
                scale = scale_of(offer.unit) / scale_of(unit) if offer.unit not in ("", unit) else 1.0
                return InputValue(name, offer.value * scale, offer.error * scale, unit, origin, offer.entity, role)
    if declared.fallback is not None:
        return InputValue(declared.name, declared.fallback, 0.0, unit, Origin.FALLBACK, role=role)
    return None
