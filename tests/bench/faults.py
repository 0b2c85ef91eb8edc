"""Every planted fault gives the verdict that is expected of it, on every task of a check that it touches.

    python -m tests.bench.faults [--runs 200] [--seed 0] [--processes 2] [--fault Glitches]

Each run is another chip: the six tasks of a check in its order, and each once more with the fault, on what the
healthy ones before it found. Prints how often each verdict came out. Exit code 1 if any is not the expected one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from tests.bench.closed_loop import ClosedLoop

TASKS = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")
TOPOLOGY = square_lattice(4, 4, 4)
HEALTHY = "nothing"
SWEPT = tuple(task for task in TASKS if task != "CheckHPIPulse")
"""Tasks whose sweep a wrong window narrows: numbers of repetitions stay."""


@dataclass(frozen=True)
class Planted:
    """A fault and the verdict that it must get."""

    kind: str
    expected: Verdict
    value: float | None = None
    tasks: tuple[str, ...] = TASKS
    allowed: float = 0.0
    """Part of the runs that may end otherwise; for what chance decides, with its reason beside it."""

    @property
    def words(self) -> str:
        """``Glitches 0.25``."""
        return self.kind if self.value is None else f"{self.kind} {self.value:g}"

    def config(self, target: str) -> list[dict[str, Any]]:
        """As ``backend.config.faults`` has it."""
        if self.kind == HEALTHY:
            return []
        return [{"kind": self.kind, "target": target} | ({} if self.value is None else {"value": self.value})]


PLANTED = (
    Planted(HEALTHY, Verdict.OK),
    Planted("DeadQubit", Verdict.NO_SIGNAL),
    Planted("NoLine", Verdict.NO_SIGNAL),
    # Four hundredths of 51 points are two: where both hide the start of a decay, what is left can be too little.
    Planted("Glitches", Verdict.OK, 0.01, allowed=0.01),
    Planted("Glitches", Verdict.OK, 0.04, allowed=0.01),
    # One garbage point in twenty lies among the good ones by chance, so that 16 % would not always be seen as such.
    Planted("Glitches", Verdict.POOR_FIT, 0.25, allowed=0.01),
    Planted("Glitches", Verdict.POOR_FIT, 0.35, allowed=0.01),
    # Nothing here was published in this cool-down, so what has moved is not judged against the past.
    Planted("Tls", Verdict.OK),
    Planted("TwoLines", Verdict.OK),
    Planted("SaturatedReadout", Verdict.UNPHYSICAL),
    Planted("InstrumentError", Verdict.HARDWARE_ERROR),
    Planted("InstrumentHang", Verdict.HARDWARE_ERROR, 0.0),
    # Fringes that stand still by chance, the detuning being what the frequency is off, show nothing in so short a time.
    Planted("WrongWindow", Verdict.WINDOW, tasks=SWEPT, allowed=0.02),
)


def judged(run: int, planted: tuple[Planted, ...] = PLANTED) -> dict[tuple[str, str], tuple[Verdict, str]]:
    """Verdict and message by the fault's words and the task, on the chip of this number."""
    target = str(run % len(TOPOLOGY.sites))
    config: dict[str, Any] = {"seed": run, "drift": False, "priors": {"frequencyMHz": 0.5, "amplitude": 0.1}}
    healthy = ClosedLoop(TOPOLOGY, config)
    found: dict[tuple[str, str], tuple[Verdict, str]] = {}
    for task in TASKS:
        before = {target: dict(healthy.found.get(target, {}))}
        right = healthy.run(task, target)
        for each in planted:
            if task not in each.tasks:
                continue
            if each.kind == HEALTHY:
                outcome = right
            else:
                faulty = config | {"faults": each.config(target)}
                outcome = ClosedLoop(TOPOLOGY, faulty, found={target: dict(before[target])}).run(task, target)
            found[each.words, task] = (outcome.verdict, outcome.judged.message)
    return found


def report(runs: Mapping[int, Mapping[tuple[str, str], tuple[Verdict, str]]], planted: Iterable[Planted]) -> list[str]:
    """Print the counts and say which verdicts are not the expected ones."""
    problems = []
    print(f"{'fault':18} {'task':16} {'expected':15} {'as such':>9}  otherwise")
    for each in planted:
        for task in each.tasks:
            key = (each.words, task)
            counts = Counter(found[key][0] for found in runs.values())
            wrong = {run: found[key] for run, found in runs.items() if found[key][0] is not each.expected}
            others = ", ".join(f"{verdict} {n}" for verdict, n in counts.items() if verdict is not each.expected)
            right = f"{len(runs) - len(wrong)}/{len(runs)}"
            print(f"{each.words:18} {task:16} {each.expected:15} {right:>9}  {others}")
            if len(wrong) > each.allowed * len(runs):
                run, (verdict, message) = next(iter(wrong.items()))
                problems.append(f"{each.words} on {task}: {len(wrong)} wrong, first chip {run}: {verdict}, {message}")
    return problems


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="number of the first chip")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--fault", choices=sorted({each.kind for each in PLANTED}), help="this one alone")
    options = parser.parse_args()
    planted = tuple(each for each in PLANTED if options.fault in (None, each.kind))
    numbers = range(options.seed, options.seed + options.runs)
    with get_context("spawn").Pool(options.processes) as pool:
        runs = dict(zip(numbers, pool.starmap(judged, [(n, planted) for n in numbers], chunksize=2), strict=True))
    problems = report(runs, planted)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
