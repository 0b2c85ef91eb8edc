"""What a task holds while it runs, and when two holdings exclude each other.

A claim is a set of wires, taken all at once or not at all, so no two tasks can wait for each other in a
circle. The wires stand on the pod itself (annotation) and hold as long as the pod lives: a lock that can
neither leak nor be lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class WireMode(StrEnum):
    """How a wire is held."""

    EXCLUSIVE = "X"
    """Nobody else may hold it."""
    SHARED = "S"
    """Others may hold it shared."""


class WireKind(StrEnum):
    """What a wire is."""

    QUBIT = "qubit"
    MUX = "mux"
    MODULE = "module"
    CHIP = "chip"

    def spoken(self, identity: str) -> str:
        """As people call it: ``qubit 3``, ``MUX 0``, ``the chip``."""
        if self is WireKind.CHIP:
            return "the chip"
        return f"{'MUX' if self is WireKind.MUX else self.value} {identity}"


@dataclass(frozen=True, order=True)
class Wire:
    """One resource held by one task."""

    mode: WireMode
    kind: WireKind
    id: str
    """Within its hardware (qubit, mux, chip); module ids are global."""

    def excludes(self, other: Wire) -> bool:
        """Whether the two cannot be held at the same time on the same hardware.

        The chip as a whole conflicts with everything on it, so a Serial task and a qubit task exclude
        each other although their ids differ.
        """
        if self.kind is not other.kind:
            chip = next((wire for wire in (self, other) if wire.kind is WireKind.CHIP), None)
            return chip is not None and chip.mode is WireMode.EXCLUSIVE
        return self.id == other.id and WireMode.EXCLUSIVE in (self.mode, other.mode)


def conflicts(first: Iterable[Wire], second: Iterable[Wire]) -> tuple[Wire, Wire] | None:
    """The first pair of wires that exclude each other, or None when both sets can be held together."""
    others = tuple(second)
    for wire in first:
        for other in others:
            if wire.excludes(other):
                return wire, other
    return None


def wires_to_json(wires: Iterable[Wire]) -> str:
    """The annotation's text: a JSON list of ``[mode, kind, id]``, sorted so that equal claims read equal."""
    return json.dumps([[w.mode, w.kind, w.id] for w in sorted(wires)], separators=(",", ":"))


@lru_cache(maxsize=65_536)
def wire_of(mode: str, kind: str, identity: str) -> Wire:
    """A wire as it is written; thousands of rows and pods name the same few.

    Raises
    ------
    ValueError
        If there is no such mode or kind.
    """
    return Wire(WireMode(mode), WireKind(kind), identity)


def wires_from_json(text: str) -> tuple[Wire, ...]:
    """Read a wires annotation.

    Raises
    ------
    ValueError
        If the text is not a list of ``[mode, kind, id]``.
    """
    try:
        return tuple(wire_of(m, k, str(i)) for m, k, i in json.loads(text))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the wires annotation is not a JSON list of [mode, kind, id]: {text[:200]!r}") from error
