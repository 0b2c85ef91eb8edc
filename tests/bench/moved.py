"""What has moved since it was published is noticed and confirmed; what has not raises no alarm.

    python -m tests.bench.moved [--runs 50] [--seed 0]

Each run is another chip whose six tasks of a check are published. An hour later, the truth being what it was, each of
the tasks that see a two-level system is run again: as it is, and with one beside the qubit (the fault Tls: T1 shorter,
the frequency elsewhere). A contradiction is measured once more, as a driver would, with what the first attempt found.
Prints how each ended. Exit code 1 if more than the allowed part did not end as expected.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kubecal.api.request import DisputedValues, GivenInput, Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import InputOffers
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.reports import Judged, Report
from tests.bench.closed_loop import MEASURED_AT, ClosedLoop

CHECK = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")
TOPOLOGY = square_lattice(4, 4, 4)
LATER = timedelta(hours=1)
SAME, MOVED, JUMPS = "as before", "moved", "inconsistent"
"""How a task ends: in agreement with what is published, in two attempts that agree, or in two that do not."""


@dataclass(frozen=True)
class Expected:
    """How a task is to end."""

    task: str
    fault: str
    """Empty: none."""
    ends: frozenset[str]
    allowed: float
    """Part of the runs that may end otherwise, with its reason beside it."""


EXPECTED = (
    # Five sigmas of honest errors are exceeded in one of two million.
    *(Expected(task, "", frozenset({SAME}), 0.0) for task in ("CheckRamsey", "CheckT1", "CheckT2Echo")),
    # Less than half of T1 is left: more than an hour's drift and five times an error of some per cent.
    Expected("CheckT1", "Tls", frozenset({MOVED, JUMPS}), 0.05),
    # Of the frequency an hour's drift and the error of a short T2* may allow as much as the shift.
    Expected("CheckRamsey", "Tls", frozenset({MOVED, JUMPS, SAME}), 0.0),
)


def ended(run: int, case: Expected) -> str:
    """How the task ends on the chip of this number."""
    target = str(run % len(TOPOLOGY.sites))
    # Design values that are the truth: what is published first is not moved by what is found only after it.
    config: dict[str, Any] = {"seed": run, "drift": False, "priors": {"frequencyMHz": 0.0, "amplitude": 0.0}}
    published = ClosedLoop(TOPOLOGY, config)
    for task in CHECK:
        verdict = published.run(task, target).verdict
        if verdict is not Verdict.OK:
            return f"{task} was {verdict} at first"
    faults = [{"kind": case.fault, "target": target}] if case.fault else []
    now = ClosedLoop(TOPOLOGY, {**config, "faults": faults}, found=published.found)
    first = _judged(now, case.task, target, 1, {})
    if first.verdict is not Verdict.INCONSISTENT:
        return SAME if first.verdict is Verdict.OK else str(first.verdict)
    values = {each.name: (each.value, each.error) for each in first.outputs if each.name in first.disputed}
    second = _judged(now, case.task, target, 2, values)
    if second.verdict is not Verdict.OK:
        return str(second.verdict)
    return MOVED if second.moved else SAME


def _judged(
    loop: ClosedLoop, task: str, target: str, attempt: int, disputed: Mapping[str, tuple[float, float]]
) -> Judged:
    """One attempt an hour after what is published; a second one is told what the first one found."""
    request = loop.request(task, target, {}, 0)
    values = {name: GivenInput(value=value, error=error) for name, (value, error) in disputed.items()}
    told = {target: DisputedValues(measured_at=MEASURED_AT + LATER, values=values)} if values else {}
    changes = {"attempt": attempt, "charged_retries": attempt - 1, "measure_at": MEASURED_AT + LATER, "disputed": told}
    reports: list[Report] = []
    offers = {target: InputOffers(published=loop.found[target])}
    prepare_attempt(request.model_copy(update=changes), reports.append, figures=False).run(offers)
    return next(report for report in reports if isinstance(report, Judged))


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="number of the first chip")
    options = parser.parse_args()
    wrong = False
    for case in EXPECTED:
        ends = Counter(ended(run, case) for run in range(options.seed, options.seed + options.runs))
        others = sum(number for end, number in ends.items() if end not in case.ends)
        wrong |= others > case.allowed * options.runs
        print(f"{case.task:14} {case.fault or 'nothing':8} {dict(ends)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
