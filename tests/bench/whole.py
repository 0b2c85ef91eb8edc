"""A chip from the day it was cooled down to its gates: every task of the standard sessions, in one process.

    python -m tests.bench.whole [--side 4] [--seed 1] [--chips 5] [--processes 2]

Design values are off by 10 MHz and 30 %, resonators by 1 MHz; no drift. Each task runs on what those before it found.
Fails if a healthy qubit or coupling is not calibrated to the end, a result is further from the truth than it may be, a
pulse with DRAG is not better than the one without, or the width of the pulls of all outputs leaves its range.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

from kubecal.api.request import Verdict
from kubecal.api.topology import Topology, square_lattice
from kubecal.api.units import to_si
from kubecal_tasks.physics.oracle import Oracle
from tests.bench import pulls
from tests.bench.answers import ANGLES, Answers, Pull
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.bench.lists import CHECK, FINE, TWO_QUBIT
from tests.bench.pair_answers import PairAnswers

PRIORS = {"frequencyMHz": 10, "amplitude": 0.3, "readoutMHz": 1}
FIND = ("CheckQubitSpectroscopy", "CheckControlAmplitude", "CheckChevron")
READOUT = ("CheckReflectionCoefficient", "CheckDispersiveShift")
"""Not in the standard lists; what they find depends on the pulses that those made."""
_SIGMAS = 4.0
ATTEMPTS = 3
"""As often as a session with the default retries measures."""


@dataclass(frozen=True)
class Limit:
    """How far a result may be off: the larger of the two, or so many sigmas."""

    absolute: float = 0.0
    """SI."""
    relative: float = 0.0

    def allowed(self, pull: Pull) -> float:
        """How far it may be off, SI."""
        return max(self.absolute, self.relative * abs(pull.truth), _SIGMAS * pull.error)


TIME, AMPLITUDE = Limit(relative=0.05), Limit(relative=0.01)
LIMITS = {
    "qubit_frequency": Limit(absolute=5e3),
    **dict.fromkeys((f"{pulse}_amplitude" for pulse in ANGLES), AMPLITUDE),
    **dict.fromkeys(("t1", "t2_echo", "t1_average", "t2_echo_average"), TIME),
}
"""Of the results that calibrate; all others may be off by less than the largest pull."""
LARGEST_ANGLE = 0.02
"""rad by which a gate may turn too far or too little, as its task promises."""


@dataclass(frozen=True)
class Ran:
    """One task on one target."""

    task: str
    target: str
    verdict: Verdict
    seconds: float
    """Of processor time."""
    message: str
    pulls: tuple[Pull, ...]
    worse: tuple[str, ...] = ()
    """What a pulse with DRAG has more of than one without."""

    @property
    def wrong(self) -> tuple[str, ...]:
        """What may not be."""
        return (*self.worse, *_too_far(self.pulls))


def _too_far(found: Sequence[Pull]) -> Iterator[str]:
    for each in found:
        limit = LIMITS.get(each.output)
        off = abs(each.value - each.truth)
        if limit is not None and off > limit.allowed(each):
            yield f"{each.output} is {each.value:.8g} where {each.truth:.8g} is right, {each.pull:+.1f} sigma"
        if each.output == "zx90_error" and abs(each.truth) > LARGEST_ANGLE:
            yield f"the gate turns {each.truth:+.3f} rad too far"


def calibrate(topology: Topology, seed: int) -> Iterator[Ran]:
    """Run everything; a target that fails for good is left where it is."""
    loop = ClosedLoop(topology, {"seed": seed, "drift": False, "priors": PRIORS})
    lost: set[str] = set()
    for mux in sorted({site.mux for site in topology.sites}):
        members = tuple(site.id for site in topology.sites if site.mux == mux)
        yield from _ran(loop, "CheckResonatorSpectroscopy", f"mux-{mux}", members, 0, lost)
    for number, task in enumerate((*FIND, *CHECK, *FINE, *READOUT)):
        for site in topology.sites:
            if site.id not in lost:
                yield from _ran(loop, task, site.id, (), number, lost)
    for coupling in topology.couplings:
        ends = {coupling.control, coupling.target}
        name = f"{coupling.control}-{coupling.target}"
        for number, task in enumerate(TWO_QUBIT):
            if not (ends | {name}) & lost:
                yield from _ran(loop, task, name, (), number, lost)


def _ran(
    loop: ClosedLoop, task: str, target: str, members: tuple[str, ...], number: int, lost: set[str]
) -> Iterator[Ran]:
    """One task, again with what it suggests where it is not ok; those that stay bad are lost."""
    parameters: dict[str, object] = {}
    for attempt in range(ATTEMPTS):
        began = time.process_time()
        outcomes = loop.run_all(task, target, members, parameters, number * ATTEMPTS + attempt)
        took = (time.process_time() - began) / len(outcomes)
        bad = {one for one, outcome in outcomes.items() if outcome.verdict is not Verdict.OK}
        last = attempt == ATTEMPTS - 1
        for one, outcome in outcomes.items():
            if one not in bad or last:
                found = tuple(_pulls(loop, one, outcome))
                worse = tuple(_worse_than_bare(loop, one, outcome))
                yield Ran(task, one, outcome.verdict, took, outcome.judged.message, found, worse)
        if not bad:
            return
        if last:
            lost |= bad
            return
        suggestions = [outcomes[one].judged.suggestion for one in bad]
        suggested = next((each for each in suggestions if each is not None), None)
        parameters = parameters | dict(suggested.parameters if suggested is not None else {})
        members = tuple(one for one in members if one in bad)


def _pulls(loop: ClosedLoop, target: str, outcome: Outcome) -> Iterator[Pull]:
    seed = int(loop.config["seed"])
    if "-" in target:
        yield from PairAnswers(loop.topology, seed).pulls(target, outcome, loop.found)
    else:
        yield from Answers(loop.topology, seed).pulls(target, outcome)


def _worse_than_bare(loop: ClosedLoop, target: str, outcome: Outcome) -> Iterator[str]:
    """What a pulse with DRAG has more of than one of the same length and angle without, on the noiseless simulator."""
    found = {each.name: to_si(each.value, each.unit) for each in outcome.judged.outputs}
    for pulse, angle in ANGLES.items():
        if f"{pulse}_beta" not in found:
            continue
        oracle = Oracle(Answers(loop.topology, int(loop.config["seed"])).truth(target))
        drive = outcome.inputs["qubit_frequency"]
        drive_hz, length_s = to_si(drive.value, drive.unit), found[f"{pulse}_length"]
        made = found[f"{pulse}_amplitude"], drive_hz, length_s, found[f"{pulse}_beta"]
        bare = oracle.pulse_amplitude(angle, drive_hz, length_s), drive_hz, length_s
        for what, of in (("leakage", oracle.leakage), ("tilt", oracle.tilt)):
            if abs(of(*made)) >= abs(of(*bare)):
                yield f"{pulse} has a {what} of {of(*made):.2g}, without DRAG {of(*bare):.2g}"


def _chip(work: tuple[int, int]) -> tuple[Ran, ...]:
    side, seed = work
    return tuple(calibrate(square_lattice(side, side, 4), seed))


def report(chips: Iterable[tuple[int, tuple[Ran, ...]]]) -> list[str]:
    """Print what came out of each chip and of each task, and all pulls; what is wrong."""
    problems: list[str] = []
    took: dict[str, list[float]] = {}
    measured: list[Pull] = []
    for seed, ran in chips:
        bad = [each for each in ran if each.verdict is not Verdict.OK]
        print(f"chip {seed}: {len(ran)} tasks, {len(bad)} not ok", flush=True)
        for each in bad:
            problems.append(f"chip {seed}: {each.task} on {each.target} is {each.verdict}: {each.message}")
        for each in ran:
            took.setdefault(each.task, []).append(each.seconds)
            where = f"chip {seed}: {each.task} on {each.target}"
            problems += [f"{where}: {problem}" for problem in each.wrong]
            measured += each.pulls
    for task, seconds in took.items():
        print(f"{task:40} {len(seconds):4} runs, {sum(seconds) / len(seconds):6.2f} s of processor time each")
    return problems + pulls.report(measured)


def main() -> int:
    """Calibrate some chips and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=4, help="qubits along an edge of the lattice")
    parser.add_argument("--seed", type=int, default=1, help="the first chip")
    parser.add_argument("--chips", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.chips)
    with get_context("spawn").Pool(options.processes) as pool:
        chips = zip(seeds, pool.imap(_chip, [(options.side, seed) for seed in seeds]), strict=True)
        problems = report(chips)
    for problem in problems:
        print(f"  {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
