"""Every task once where all is well, and once for each bad verdict that a planted fault gets out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import Offer
from kubecal_tasks.framework.registry import all_tasks
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.bench.faults import ATTEMPTS, BRING_UP, CHAIN

SEED = 5
"""Of a chip on which every task ends well."""
QUBIT, NEIGHBOUR, COUPLING, MUX, CHIP = "0", "1", "0-1", "mux-0", "chip"
TOPOLOGY = square_lattice(2, 2, 4)


@dataclass(frozen=True)
class Planted:
    """What is wrong: a fault of the chip, run parameters, or both."""

    usual: Verdict
    """What it gets out of most tasks. It is left out where that is already shown."""
    fault: Mapping[str, Any] = field(default_factory=dict)
    """Without its target; Any: as ``backend.config.faults`` has it."""
    parameters: Mapping[str, Any] = field(default_factory=dict)


PLANTED = (
    Planted(Verdict.NO_SIGNAL, {"kind": "DeadQubit"}),
    Planted(Verdict.NO_SIGNAL, {"kind": "NoLine"}),
    Planted(Verdict.WINDOW, {"kind": "WrongWindow"}),
    Planted(Verdict.POOR_FIT, {"kind": "Glitches", "value": 0.35}),
    Planted(Verdict.UNPHYSICAL, {"kind": "SaturatedReadout"}),
    Planted(Verdict.IMPRECISE, parameters={"shots": 100}),
    Planted(Verdict.IMPRECISE, parameters={"shots": 24}),
)
"""In this order; of those that get the same verdict out of a task the first is shown."""


@dataclass(frozen=True)
class Picture:
    """A figure as the records keep it, and whose it is."""

    task: str
    verdict: Verdict
    png: bytes = field(repr=False)


Found = dict[str, dict[str, Offer]]
"""What is known, by target and output."""


def known_before() -> dict[str, Found]:
    """What every task finds known when its turn comes.

    Raises
    ------
    AssertionError
        If a task of the chain does not end well on the healthy chip.
    """
    known: Found = {}
    before: dict[str, Found] = {}
    for task in (*BRING_UP, *CHAIN):
        before[task] = _copy(known)
        _well(task, _target(task), known, figures=False)
        if all_tasks()[task].kind is TargetKind.QUBIT:
            _well(task, NEIGHBOUR, known, figures=False)
    return {task: before.get(task, known) for task in all_tasks()}


def pictures(task: str, before: Found) -> Iterator[Picture]:
    """All figures of a task where all is well, then the first figure of each way in which it goes wrong.

    Raises
    ------
    AssertionError
        If it does not end well on the healthy chip.
    """
    for figure in _well(task, _target(task), _copy(before), figures=True).figures:
        yield Picture(task, Verdict.OK, figure.png.content)
    shown = {Verdict.OK}
    for planted in PLANTED:
        if planted.usual in shown or not _offers(task, planted.parameters):
            continue
        outcome = _gone_wrong(task, planted, before)
        if outcome.verdict not in shown:
            shown.add(outcome.verdict)
            yield from (Picture(task, outcome.verdict, figure.png.content) for figure in outcome.figures[:1])


def _target(task: str) -> str:
    targets = {TargetKind.COUPLING: COUPLING, TargetKind.MUX: MUX, TargetKind.CHIP: CHIP}
    return targets.get(all_tasks()[task].kind, QUBIT)


def _well(task: str, target: str, known: Found, figures: bool) -> Outcome:
    """Measured again with what is suggested, as a session does, until it is right."""
    parameters: dict[str, Any] = {}
    for ordinal in range(ATTEMPTS):
        outcome = _run(ClosedLoop(TOPOLOGY, _config(), figures=figures, found=known), task, target, parameters, ordinal)
        if outcome.verdict is Verdict.OK:
            return outcome
        suggestion = outcome.judged.suggestion
        parameters |= suggestion.parameters if suggestion is not None else {}
    raise AssertionError(f"{task} on {target} is {outcome.verdict}: {outcome.judged.message}")


def _gone_wrong(task: str, planted: Planted, before: Found) -> Outcome:
    target = _target(task)
    faults = [{**planted.fault, "target": QUBIT if target == MUX else target}] if planted.fault else []
    loop = ClosedLoop(TOPOLOGY, _config() | {"faults": faults}, figures=True, found=_copy(before))
    return _run(loop, task, target, planted.parameters, 0)


def _offers(task: str, parameters: Mapping[str, Any]) -> bool:
    return {parameter.name for parameter in all_tasks()[task].run_parameters}.issuperset(parameters)


def _run(loop: ClosedLoop, task: str, target: str, parameters: Mapping[str, Any], ordinal: int) -> Outcome:
    members = tuple(site.id for site in TOPOLOGY.sites) if target == MUX else ()
    outcomes = loop.run_all(task, target, members, parameters, ordinal)
    return outcomes[QUBIT if members else target]


def _config() -> dict[str, Any]:
    return {"seed": SEED, "drift": False}


def _copy(known: Found) -> Found:
    return {target: dict(offers) for target, offers in known.items()}
