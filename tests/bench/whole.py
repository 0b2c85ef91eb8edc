"""A chip from the day it was cooled down to its gates: every task of the standard sessions, in one process.

    python -m tests.bench.whole [--side 4] [--seed 1] [--chips 5] [--processes 2]

Design values are off by 10 MHz and 30 %, resonators by 1 MHz; no drift. Each task runs on what those before it found.
Fails if a healthy qubit or coupling is not calibrated to the end, or a frequency, half-pi amplitude or coherence time
is further from the truth than it may be.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context

from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import Topology, square_lattice
from kubecal.api.units import to_si
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.truth import draw_truth
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.bench.lists import CHECK, FINE, TWO_QUBIT

PRIORS = {"frequencyMHz": 10, "amplitude": 0.3, "readoutMHz": 1}
FIND = ("CheckQubitSpectroscopy", "CheckControlAmplitude", "CheckChevron")
_SIGMAS = 4.0
ATTEMPTS = 3
"""As often as a session with the default retries measures."""


@dataclass(frozen=True)
class Limit:
    """How far a result may be off: the larger of the two, or so many sigmas."""

    absolute: float = 0.0
    """SI."""
    relative: float = 0.0


LIMITS = {
    "qubit_frequency": Limit(absolute=5e3),
    "hpi_amplitude": Limit(relative=0.01),
    "t1": Limit(relative=0.05),
    "t2_echo": Limit(relative=0.05),
}


@dataclass(frozen=True)
class Ran:
    """One task on one target."""

    task: str
    target: str
    verdict: Verdict
    seconds: float
    """Of processor time."""
    message: str
    pulls: tuple[tuple[str, float, float], ...]
    """(output, off in sigmas, off over its limit)."""


def calibrate(topology: Topology, seed: int) -> Iterator[Ran]:
    """Run everything; a target that fails for good is left where it is."""
    loop = ClosedLoop(topology, {"seed": seed, "drift": False, "priors": PRIORS})
    lost: set[str] = set()
    for mux in sorted({site.mux for site in topology.sites}):
        members = tuple(site.id for site in topology.sites if site.mux == mux)
        yield from _ran(loop, "CheckResonatorSpectroscopy", f"mux-{mux}", members, 0, lost)
    for number, task in enumerate((*FIND, *CHECK, *FINE)):
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
                yield Ran(task, one, outcome.verdict, took, outcome.judged.message, _pulls(loop, one, outcome))
        if not bad:
            return
        if last:
            lost |= bad
            return
        suggestions = [outcomes[one].judged.suggestion for one in bad]
        suggested = next((each for each in suggestions if each is not None), None)
        parameters = parameters | dict(suggested.parameters if suggested is not None else {})
        members = tuple(one for one in members if one in bad)


def _pulls(loop: ClosedLoop, target: str, outcome: Outcome) -> tuple[tuple[str, float, float], ...]:
    if "-" in target:
        return ()
    site = loop.topology.site_by_id[target]
    truth = draw_truth(int(loop.config["seed"]), RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))
    oracle = Oracle(truth)
    found = []
    for each in outcome.judged.outputs:
        limit = LIMITS.get(each.name)
        if limit is None or not each.accepted:
            continue
        if each.name == "qubit_frequency" and outcome.judged.outputs[0].name != "qubit_frequency":
            continue
        value, error = to_si(each.value, each.unit), to_si(each.error or 0.0, each.unit)
        right = _right(loop, oracle, target, each.name)
        allowed = max(limit.absolute, limit.relative * abs(right), _SIGMAS * error)
        found.append((each.name, (value - right) / error if error else 0.0, abs(value - right) / allowed))
    return tuple(found)


def _right(loop: ClosedLoop, oracle: Oracle, qubit: str, output: str) -> float:
    if output != "hpi_amplitude":
        return {
            "qubit_frequency": oracle.qubit_frequency_hz,
            "t1": oracle.t1_s,
            "t2_echo": oracle.t2_echo_s,
        }[output]
    drive = loop.found[qubit]["qubit_frequency"]
    length = loop.found[qubit].get("hpi_length")
    return oracle.half_pi_amplitude(
        to_si(drive.value, drive.unit), to_si(length.value, length.unit) if length else 32e-9
    )


def _chip(work: tuple[int, int]) -> tuple[Ran, ...]:
    side, seed = work
    return tuple(calibrate(square_lattice(side, side, 4), seed))


def report(chips: Iterable[tuple[int, tuple[Ran, ...]]]) -> list[str]:
    """Print what came out of each chip and of each task; what is wrong."""
    problems: list[str] = []
    took: dict[str, list[float]] = {}
    for seed, ran in chips:
        bad = [each for each in ran if each.verdict is not Verdict.OK]
        print(f"chip {seed}: {len(ran)} tasks, {len(bad)} not ok", flush=True)
        for each in bad:
            problems.append(f"chip {seed}: {each.task} on {each.target} is {each.verdict}: {each.message}")
        for each in ran:
            took.setdefault(each.task, []).append(each.seconds)
            where = f"chip {seed}: {each.task} on {each.target}"
            problems += [
                f"{where}: {output} is off by {sigmas:.1f} sigma, {share:.2f} of what it may"
                for output, sigmas, share in each.pulls
                if share > 1
            ]
    for task, seconds in took.items():
        print(f"{task:40} {len(seconds):4} runs, {sum(seconds) / len(seconds):6.2f} s of processor time each")
    return problems


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
