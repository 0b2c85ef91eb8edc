"""Does every error say how wrong its value is: pulls of all outputs against the simulator's hidden truth.

    python -m tests.bench.pulls [--qubits 64] [--seed 11] [--chips 1] [--processes 2]

The six tasks of a check run in its order, each on what the ones before it found, on a chip without drift whose
design values are off by 0.5 MHz and 10 %. A pull is (estimate - truth) / error: their width is 1 if errors are
honest. Fails if any |pull| reaches 4.5, or a width leaves its range (physics.md, section 1.8).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from multiprocessing import get_context

import numpy as np

from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import Site, Topology, square_lattice
from kubecal.api.units import to_si
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.truth import draw_truth
from tests.bench.closed_loop import ClosedLoop, Outcome

TASKS = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckT1", "CheckT2Echo", "CheckRamsey")
PROMISED = ("t1", "t2_echo", "t2_star", "qubit_frequency", "hpi_amplitude")
"""Outputs whose pulls are promised; the others are shown."""
LARGEST_PULL = 4.5
POOLED_WIDTH = (0.9, 1.15)
_WIDTH_SIGMAS = 3.3


@dataclass(frozen=True)
class Pull:
    """One estimate beside the truth, SI."""

    qubit: str
    output: str
    value: float
    error: float
    truth: float

    @property
    def pull(self) -> float:
        """How many errors the estimate is off."""
        return (self.value - self.truth) / self.error


@dataclass(frozen=True)
class Measured:
    """What one qubit's check gave."""

    qubit: str
    pulls: tuple[Pull, ...]
    failures: tuple[str, ...]
    """Tasks that were not ok, in words."""


def config(seed: int) -> dict[str, object]:
    """The simulated chip's settings."""
    return {"seed": seed, "drift": False, "priors": {"frequencyMHz": 0.5, "amplitude": 0.1}}


def measure(qubit: str, topology: Topology, seed: int) -> Measured:
    """Check one qubit and compare."""
    loop = ClosedLoop(topology, config(seed))
    pulls: list[Pull] = []
    failures: list[str] = []
    for task in TASKS:
        outcome = loop.run(task, qubit)
        if outcome.verdict is not Verdict.OK:
            failures.append(f"{task} on qubit {qubit}: {outcome.verdict}, {outcome.judged.message}")
            break  # as a session: a target that failed stops
        pulls += _compared(outcome, qubit, truths(topology.site_by_id[qubit], seed, outcome))
    return Measured(qubit, tuple(pulls), tuple(failures))


def truths(site: Site, seed: int, outcome: Outcome) -> Mapping[str, float]:
    """The answers in SI. A pulse's is that of the frequency it was made at."""
    oracle = Oracle(draw_truth(seed, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux)))
    drive_hz = to_si(outcome.inputs["qubit_frequency"].value, "GHz")
    half_pi = oracle.half_pi_amplitude(drive_hz, 32e-9)
    found = {
        "t1": oracle.t1_s,
        "t2_echo": oracle.t2_echo_s,
        "t2_star": oracle.t2_star_s,
        "qubit_frequency": oracle.qubit_frequency_hz,
        "hpi_amplitude": half_pi,
        "maximum_rabi_frequency": oracle.truth.drive_hz,
    }
    if "hpi_amplitude" in outcome.inputs:
        amplitude = outcome.inputs["hpi_amplitude"].value
        found["hpi_error"] = oracle.angle(amplitude, drive_hz, 32e-9) - np.pi / 2
    return found


def _compared(outcome: Outcome, qubit: str, answers: Mapping[str, float]) -> Iterator[Pull]:
    for each in outcome.judged.outputs:
        if each.accepted and each.name in answers and each.error > 0:
            value, error = to_si(each.value, each.unit), to_si(each.error, each.unit)
            yield Pull(qubit, each.name, value, error, answers[each.name])


def report(measured: Iterable[Measured]) -> list[str]:
    """Print a table and say what is wrong with it."""
    everything = tuple(measured)
    problems = [failure for each in everything for failure in each.failures]
    by_output: dict[str, list[Pull]] = defaultdict(list)
    for one in everything:
        for pull in one.pulls:
            by_output[pull.output].append(pull)
    print(f"{'output':24} {'n':>4} {'mean':>7} {'width':>6} {'allowed':>13} {'largest':>8}  qubit")
    pooled: list[float] = []
    for output, pulls in by_output.items():
        values = np.asarray([each.pull for each in pulls])
        half = _WIDTH_SIGMAS / sqrt(2 * len(values))
        problems += _line(output, pulls, values, (1 - half, 1 + half), promised=output in PROMISED)
        if output in PROMISED:
            pooled += values.tolist()
    width = _width(np.asarray(pooled))
    print(f"{'pooled, promised ones':24} {len(pooled):4} {np.mean(pooled):+7.2f} {width:6.2f}   {POOLED_WIDTH}")
    if not POOLED_WIDTH[0] <= width <= POOLED_WIDTH[1]:
        problems.append(f"the pooled width is {width:.2f}, not within {POOLED_WIDTH}")
    return problems


def _line(
    output: str, pulls: list[Pull], values: np.ndarray, allowed: tuple[float, float], promised: bool
) -> Iterator[str]:
    worst = pulls[int(np.argmax(np.abs(values)))]
    width = _width(values)
    print(
        f"{output:24} {len(values):4} {values.mean():+7.2f} {width:6.2f}   {allowed[0]:.2f} ... {allowed[1]:.2f} "
        f"{worst.pull:+8.2f}  {worst.qubit}"
    )
    if promised and abs(worst.pull) >= LARGEST_PULL:
        yield f"{output} of qubit {worst.qubit} is {worst.pull:+.1f} errors off: {worst}"
    if promised and not allowed[0] <= width <= allowed[1]:
        yield f"the width of {output} is {width:.2f}, not within {allowed[0]:.2f} ... {allowed[1]:.2f}"


def _width(values: np.ndarray) -> float:
    """Root mean square about zero: a bias is no better than a wrong error."""
    return float(np.sqrt(np.mean(values**2)))


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qubits", type=int, default=64)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--chips", type=int, default=1, help="so many seeds in a row, from --seed on")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    topology = square_lattice(8, 8, 4)
    seeds = range(options.seed, options.seed + options.chips)
    jobs = [(str(q), topology, seed) for seed in seeds for q in range(options.qubits)]
    with get_context("spawn").Pool(options.processes) as pool:
        measured = pool.starmap(measure, jobs, chunksize=1)
    problems = report(measured)
    good = len(jobs) * len(TASKS) - sum(len(each.failures) for each in measured)
    print(f"{good} of {len(jobs) * len(TASKS)} tasks ok" if good < len(jobs) * len(TASKS) else f"all {good} tasks ok")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
