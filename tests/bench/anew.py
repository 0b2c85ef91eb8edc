"""The same code says the same of stored data as it said when they were measured: every task, adaptive ones too.

    python -m tests.bench.anew [--seed 5]

Every task that the chip's state allows is run once on qubit 0, its MUX, a coupling or the chip, and its raw data are
then analysed anew. Prints what differs. Exit code 1 if anything does, or if fewer tasks than ``LEAST`` were compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import TaskRequest
from kubecal.api.topology import square_lattice
from kubecal.records.results import InputOffers, Offer, StoredData
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.registry import all_tasks
from kubecal_tasks.framework.reports import Failed, Judged, Measured, Prepared, Report
from tests.bench.closed_loop import MEASURED_AT, ClosedLoop

FIRST = (
    *("CheckResonatorSpectroscopy", "CheckQubitSpectroscopy", "CheckControlAmplitude", "CheckChevron", "CheckRabi"),
    *("CreateHPIPulse", "CreatePIPulse", "CreateDRAGHPIPulse", "CreateDRAGPIPulse", "ReadoutClassification"),
    *("CheckT1", "CheckT2Echo", "CheckT1Average", "CheckT2EchoAverage", "CheckRamsey"),
)
"""What others build on."""
TARGETS: Mapping[TargetKind, tuple[str, ...]] = {
    TargetKind.QUBIT: ("0", "1"),
    TargetKind.MUX: ("mux-0",),
    TargetKind.COUPLING: ("0-1",),
    TargetKind.CHIP: ("chip",),
}
MEMBERS = ("0", "1", "2", "3")
LEAST = 35
"""Tasks that can be compared on any chip; what is only computed has no raw data."""

Known = dict[str, dict[str, Offer]]


def reports_of(request: TaskRequest, known: Known, stored: StoredData | None = None) -> Sequence[Report]:
    """Everything an attempt says."""
    reports: list[Report] = []
    offers = {one: InputOffers(session=known.get(one, {})) for one in request.parameter_ids}
    prepare_attempt(request, reports.append, figures=False).run(offers, stored)
    return reports


def remember(judged: Sequence[Judged], known: Known) -> None:
    """What was accepted is there for the tasks that follow."""
    for one in judged:
        for each in one.outputs:
            if each.accepted:
                offer = Offer(each.name, each.value, each.error, each.unit, MEASURED_AT, "")
                known.setdefault(one.judged, {})[each.name] = offer


def difference(request: TaskRequest, known: Known) -> str | None:
    """How the analysis of a measurement's data differs from its own; None: nothing was measured."""
    first = reports_of(request, known)
    judged = [one for one in first if isinstance(one, Judged)]
    measured = [one for one in first if isinstance(one, Measured) and one.raw_data]
    if not judged or not measured:
        return None
    prepared = next(one for one in first if isinstance(one, Prepared))
    stored = StoredData(MEASURED_AT, "", prepared.run_parameters, prepared.inputs, measured[0].raw_data)
    # Before anything of it is known to the second look, which is to find its own inputs.
    again = reports_of(request, known, stored)
    remember(judged, known)
    if [one for one in again if isinstance(one, Judged)] == judged:
        return ""
    failed = [one.message for one in again if isinstance(one, Failed)]
    return failed[0] if failed else f"{judged[0].verdict}, and then something else"


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=5, help="of the chip")
    loop = ClosedLoop(square_lattice(2, 2, 4), {"seed": parser.parse_args().seed, "drift": False})
    tasks, known = all_tasks(), Known()
    compared: set[str] = set()
    wrong = False
    for name in (*FIRST, *(name for name in tasks if name not in FIRST)):
        kind = tasks[name].kind
        for target in TARGETS[kind]:
            request = loop.request(name, target, {}, 0, MEMBERS if kind is TargetKind.MUX else ())
            found = difference(request, known)
            if found is not None:
                compared.add(name)
            if found:
                wrong = True
                print(f"{name} on {target}: {found}")
    print(f"{len(compared)} tasks analysed anew, not measured: {', '.join(sorted(tasks.keys() - compared)) or 'none'}")
    return 1 if wrong or len(compared) < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
