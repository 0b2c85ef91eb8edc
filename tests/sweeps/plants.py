"""Bugs to be caught: each is put into the operator by the sweeps, to show that a sweep finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """One bug."""

    words: str
    plant: Callable[[], None]


PLANTS: dict[str, Plant] = {}
