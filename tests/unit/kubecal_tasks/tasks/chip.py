"""A simulated chip of two MUXes to try tasks on, and its truth."""

from __future__ import annotations

from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import RequestSite
from kubecal.api.topology import square_lattice
from kubecal.records.results import OutputRecord
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Prepared, Report
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


def members(mux: int) -> tuple[str, ...]:
    """The qubits of a MUX."""
    return tuple(site.id for site in LATTICE.sites if site.mux == mux)


def run_mux(
    loop: ClosedLoop,
    task: str,
    mux: int,
    parameters: dict[str, Any] | None = None,
    among: tuple[str, ...] = (),
    bands: dict[str, Any] | None = None,
) -> dict[str, Outcome]:
    """Run a task once for a MUX, or some of its members; what each was judged."""
    judged = among or members(mux)
    reports: list[Report] = []
    about = {"kind": TargetKind.MUX, "target": f"mux-{mux}", "members": judged}
    request = loop.request(task, judged[0], parameters or {}, 0)
    designed = request.chip.model_copy(update={"design": request.chip.design | ({"bands": bands} if bands else {})})
    request = request.model_copy(update=about | {"chip": designed})
    prepare_attempt(request, reports.append, loop.figures).run({})
    return {qubit: _of(reports, qubit) for qubit in judged}


def _of(reports: list[Report], qubit: str) -> Outcome:
    failed = [each for each in reports if isinstance(each, Failed)]
    if failed:
        raise AssertionError(f"{failed[0].reason}: {failed[0].message}\n{failed[0].stack_trace}")
    inputs = {each.name: each for r in reports if isinstance(r, Prepared) for each in r.inputs[qubit]}
    raw = next((each.raw_data for each in reports if isinstance(each, Measured)), ())
    judged = next(each for each in reports if isinstance(each, Judged) and each.judged == qubit)
    figures = next((each.figures.get(qubit, ()) for each in reports if isinstance(each, Drawn)), ())
    return Outcome(judged, inputs, raw, figures)
