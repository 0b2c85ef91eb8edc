"""A simulated chip of two MUXes to try tasks on, and its truth."""

from __future__ import annotations

from typing import Any

from kubecal.api.request import RequestSite
from kubecal.api.topology import square_lattice
from kubecal.records.results import OutputRecord
from kubecal_tasks.physics.truth import QubitTruth, draw_truth
from tests.bench.closed_loop import ClosedLoop, Outcome

SEED = 3
LATTICE = square_lattice(2, 4, 4)


def chip(figures: bool = False, **config: Any) -> ClosedLoop:
    """The chip; Any: the fake backend's settings, checked by their schema."""
    return ClosedLoop(LATTICE, {"seed": SEED, "drift": False, **config}, figures=figures)


def truth(qubit: str) -> QubitTruth:
    """What a qubit really is."""
    site = LATTICE.site_by_id[qubit]
    return draw_truth(SEED, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))


def found(outcome: Outcome, name: str) -> OutputRecord:
    """One output of an outcome."""
    return next(each for each in outcome.judged.outputs if each.name == name)
