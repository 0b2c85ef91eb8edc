"""Every planted fault gives the verdict that is expected of it, on every task of the catalogue that it touches.

    python -m tests.bench.faults [--seeds 200] [--seed 0] [--fault Glitches] [--task CheckT1] [--processes 2]

Each seed is another chip: the tasks of a calibration in their order, each again with what it suggests where it is not
ok, as a session does; and each once more with every fault that touches it (``planted.py``), on what the healthy ones
before it found. Prints how often each verdict came out. Exit code 1 if any comes out less often than it must.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import Offer
from kubecal_tasks.framework.registry import all_tasks
from tests.bench.closed_loop import ClosedLoop, Outcome, TaskFailedError
from tests.bench.planted import ALLOWED, PLANTED, Planted

TOPOLOGY = square_lattice(2, 2, 4)
MUX, CHIP = "mux-0", "chip"
BRING_UP = ("CheckResonatorSpectroscopy", "CheckQubitSpectroscopy", "CheckControlAmplitude", "CheckChevron")
"""What design values stand for here: these maps cost more than all that builds on them."""
CHAIN = (
    *("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CreatePIPulse", "CheckPIPulse"),
    *("CreateDRAGHPIPulse", "CheckDRAGHPIPulse", "CreateDRAGPIPulse", "CheckDRAGPIPulse", "ReadoutClassification"),
    *("CheckT1", "CheckT2Echo", "CheckT1Average", "CheckT2EchoAverage", "Check1QGateCoherenceLimit"),
    *("RandomizedBenchmarking", "X90InterleavedRandomizedBenchmarking"),
    *("CheckCrossResonance", "CreateZX90", "CheckZX90", "CheckBellState", "CheckBellStateTomography"),
    *("Check2QGateCoherenceLimit", "ZX90InterleavedRandomizedBenchmarking"),
)
"""Each on what those before it found. All other tasks look at the chip as it then is, and change nothing."""
ATTEMPTS = 3
"""As often as a session with the default retries measures."""
Found = dict[str, dict[str, Offer]]
"""What is known, by target and output."""
Key = tuple[str, str]
"""A fault's words and a task."""


@dataclass(frozen=True)
class Ended:
    """How one run of a task ended."""

    words: str
    """The verdict; with what a flag must say and does not."""
    message: str
    seconds: float
    """Of processor time."""


@dataclass
class Bench:
    """One chip, whose healthy tasks go on with what those before them found."""

    seed: int
    pair: bool = True
    """Whether the neighbour is calibrated too."""
    known: Found = field(default_factory=dict)

    @property
    def coupling(self) -> str:
        """One of the four; every other chip's faults are on the qubit at its other end."""
        each = TOPOLOGY.couplings[self.seed % len(TOPOLOGY.couplings)]
        return f"{each.control}-{each.target}"

    @property
    def qubits(self) -> tuple[str, str]:
        """The one that is looked at and that faults are planted on, and its neighbour."""
        first, second = self.coupling.split("-")
        return (first, second) if self.seed // len(TOPOLOGY.couplings) % 2 == 0 else (second, first)

    def target(self, task: str) -> str:
        """What a task acts on."""
        fixed = {TargetKind.COUPLING: self.coupling, TargetKind.MUX: MUX, TargetKind.CHIP: CHIP}
        return fixed.get(all_tasks()[task].kind, self.qubits[0])

    def run(self, task: str, planted: Planted) -> Ended:
        """A task with a fault on what is known; what it finds is forgotten."""
        # A coupling's tasks read both of its qubits, or only one: both are befallen.
        target = self.target(task)
        befallen = target if target == self.coupling else self.qubits[0]
        began = time.process_time()
        try:
            outcome = self._attempt(task, target, self._copy(), 0, faults=planted.config(befallen))
        except TaskFailedError as error:
            return Ended("crashed", str(error), time.process_time() - began)
        words = str(outcome.verdict)
        flag = planted.flags.get(task)
        if flag is not None and outcome.judged.metrics.get(flag) != 1.0:
            words = f"{words}, not {flag}"
        return Ended(words, outcome.judged.message, time.process_time() - began)

    def go_on(self, task: str) -> bool:
        """Run a healthy task of the chain and remember what it found; whether it came to a good end."""
        both = self.pair and all_tasks()[task].kind is TargetKind.QUBIT
        targets = self.qubits if both else (self.target(task),)
        return all(self._until_right(task, target) for target in targets)

    def _until_right(self, task: str, target: str) -> bool:
        parameters: dict[str, Any] = {}  # Any: run parameters as manifests write them
        for ordinal in range(ATTEMPTS):
            outcome = self._attempt(task, target, self.known, ordinal, parameters)
            if outcome.verdict is Verdict.OK:
                return True
            suggestion = outcome.judged.suggestion
            parameters |= suggestion.parameters if suggestion is not None else {}
        return False

    def _attempt(
        self,
        task: str,
        target: str,
        known: Found,
        ordinal: int,
        parameters: Mapping[str, Any] | None = None,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> Outcome:
        config = {"seed": self.seed, "drift": False, "faults": list(faults)}
        members = tuple(site.id for site in TOPOLOGY.sites) if target == MUX else ()
        outcomes = ClosedLoop(TOPOLOGY, config, found=known).run_all(task, target, members, parameters, ordinal)
        return outcomes[self.qubits[0] if members else target]

    def _copy(self) -> Found:
        return {target: dict(offers) for target, offers in self.known.items()}


def judged(
    seed: int,
    planted: Sequence[Planted] = PLANTED,
    tasks: Collection[str] = tuple(all_tasks()),
    chain: Sequence[str] = CHAIN,
) -> dict[Key, Ended]:
    """How every one of these tasks ends with each of these faults that touches it, on the chip of this seed."""
    bench = Bench(seed, pair=any(map(_is_of_couplings, tasks)))
    found: dict[Key, Ended] = {}
    for task in (*chain, *(task for task in all_tasks() if task not in chain)):
        if task in tasks:
            for each in planted:
                if task in each.touches:
                    found[each.words, task] = bench.run(task, each)
        if task in chain and _is_needed(task, tasks, chain) and not bench.go_on(task):
            break  # nothing after it has what it needs; the table shows fewer runs
    return found


def _is_needed(task: str, tasks: Collection[str], chain: Sequence[str]) -> bool:
    """Whether a task comes that builds on this one; tasks beside the chain build on all that drive one qubit."""
    beside = any(each not in chain for each in tasks)
    after = any(each in chain[chain.index(task) + 1 :] for each in tasks)
    return after or (beside and not _is_of_couplings(task))


def _is_of_couplings(task: str) -> bool:
    return all_tasks()[task].kind is TargetKind.COUPLING


def report(runs: Sequence[Mapping[Key, Ended]], first: int, planted: Iterable[Planted]) -> Iterator[str]:
    """Print the counts and say which verdicts are not the expected ones."""
    print(f"{'task':40} {'expected':15} {'as such':>9} {'s':>5}  otherwise")
    for each in planted:
        if any(words == each.words for run in runs for words, _ in run):
            print(f"{each.words}: {each.why}")
        for task in each.touches:
            expected = each.verdict_of(task)
            ended = {first + k: run[each.words, task] for k, run in enumerate(runs) if (each.words, task) in run}
            if not ended:
                continue
            wrong = {seed: one for seed, one in ended.items() if one.words != expected}
            others = ", ".join(f"{words} {n}" for words, n in Counter(one.words for one in wrong.values()).items())
            right = f"{len(ended) - len(wrong)}/{len(ended)}"
            seconds = sum(one.seconds for one in ended.values()) / len(ended)
            print(f"  {task:38} {expected:15} {right:>9} {seconds:5.2f}  {others}".rstrip())
            # Where chance decides at all, one run may be the one in fifty.
            if len(wrong) > (max(1.0, ALLOWED[expected] * len(ended)) if expected in ALLOWED else 0):
                seed, one = next(iter(wrong.items()))
                yield f"{each.words} on {task}: {len(wrong)} wrong, first chip {seed}: {one.words}, {one.message}"
            if task in each.otherwise:
                print(f"    {each.otherwise[task].why}")


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--processes", type=int, default=2)
    kinds = sorted({each.kind for each in PLANTED})
    parser.add_argument("--fault", choices=kinds, action="append", help="this one alone; may be given several times")
    parser.add_argument("--task", choices=sorted(all_tasks()), action="append", help="likewise")
    options = parser.parse_args()
    planted = tuple(each for each in PLANTED if each.kind in (options.fault or kinds))
    tasks = frozenset(options.task or all_tasks()) & {task for each in planted for task in each.touches}
    work = [(seed, planted, tasks) for seed in range(options.seed, options.seed + options.seeds)]
    with get_context("spawn").Pool(options.processes) as pool:
        runs = pool.starmap(judged, work, chunksize=1)
    problems = list(report(runs, options.seed, planted))
    missing = sum(len(run) < max(map(len, runs)) for run in runs)
    if missing > max(1.0, ALLOWED[Verdict.OK] * len(runs)):
        problems.append(f"{missing} healthy chips of {len(runs)} were not calibrated to the end")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
