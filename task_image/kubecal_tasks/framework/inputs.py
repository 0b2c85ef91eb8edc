"""Where a task's inputs come from, in one order, with the origin recorded.

Override and snapshot belong to sessions that repeat an earlier one and come with them; until then the order
is: this session's own newest ok output for the target (published or not: a staged session must not break
its own chain), the published parameter, ``Chip.spec.design``, the backend's design values, the task's
fallback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubecal.api.units import scale_of, to_si
from kubecal_tasks.framework.declarations import InputParameter


class Origin(StrEnum):
    """Where an input's value came from."""

    SESSION = "session"
    """This session's own ok output."""
    PUBLISHED = "published"
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

    @property
    def si_value(self) -> float:
        """The value in SI."""
        return to_si(self.value, self.unit)

    @property
    def si_error(self) -> float:
        """The one-sigma error in SI."""
        return to_si(self.error, self.unit)


Offer = tuple[Origin, Mapping[str, Candidate]]
"""What one source has, under the parameters' names."""


def resolve(declared: Sequence[InputParameter], target: str, offers: Sequence[Offer]) -> dict[str, InputValue]:
    """Take every declared input from the first source that has it.

    Parameters
    ----------
    declared
        The task's inputs.
    target
        The target's id, for the message.
    offers
        Sources in their order of precedence, without the tasks' fallbacks, which come last.

    Raises
    ------
    MissingInputError
        If a required input is nowhere to be had.
    """
    found: dict[str, InputValue] = {}
    for each in declared:
        value = _first(each, offers)
        if value is not None:
            found[each.name] = value
        elif each.required:
            remedy = f"run {each.hint} or set it" if each.hint else "set it in spec.design of the chip"
            raise MissingInputError(f"missing input {each.name} of qubit {target}: {remedy}")
    return found


def _first(declared: InputParameter, offers: Sequence[Offer]) -> InputValue | None:
    for origin, values in offers:
        offer = values.get(declared.name)
        if offer is not None:
            # Values are told in the catalogue's units; one from elsewhere may say that it is in another.
            scale = scale_of(offer.unit) / scale_of(declared.unit) if offer.unit not in ("", declared.unit) else 1.0
            value, error = offer.value * scale, offer.error * scale
            return InputValue(declared.name, value, error, declared.unit, origin, offer.entity)
    if declared.fallback is not None:
        return InputValue(declared.name, declared.fallback, 0.0, declared.unit, Origin.FALLBACK)
    return None
