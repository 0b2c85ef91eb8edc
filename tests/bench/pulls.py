"""Does every error say how wrong its value is: pulls of all one-qubit outputs against the hidden truth.

    python -m tests.bench.pulls [--qubits 64] [--seed 11] [--chips 1] [--processes 2]

The tasks of a check, then those of a fine calibration run in their order, each on what the ones before it found, on a
chip without drift whose design values are off by 0.5 MHz and 10 %. A pull is (estimate - truth) / error: their width is
1 if errors are honest. Fails if any |pull| reaches 4.5, or a width leaves its range (physics.md, section 1.8).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from multiprocessing import get_context

import numpy as np

from kubecal.api.request import Verdict
from kubecal.api.topology import Topology, square_lattice
from tests.bench.answers import Answers, Pull
from tests.bench.closed_loop import ClosedLoop

CHECK = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckT1", "CheckT2Echo", "CheckRamsey")
FINE = (
    "CheckReflectionCoefficient",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CreatePIPulse",
    "CheckPIPulse",
    "CheckDispersiveShift",
    "CreateDRAGHPIPulse",
    "CheckDRAGHPIPulse",
    "CreateDRAGPIPulse",
    "CheckDRAGPIPulse",
    "ReadoutClassification",
    "CheckT1Average",
    "CheckT2EchoAverage",
)
TASKS = (*CHECK, *FINE)
DOUBTED = ("resonator_frequency", "kappa_external", "kappa_internal")
"""Part of their errors is a doubt of a faint thermal line, which no number of shots settles: pulls may be narrower."""
LARGEST_PULL = 4.5
POOLED_WIDTH = (0.9, 1.15)
_WIDTH_SIGMAS = 3.3
_MANY = 1000
"""Pulls of one output from which its width is held to the range of all."""


@dataclass(frozen=True)
class Measured:
    """What one qubit's tasks gave."""

    qubit: str
    pulls: tuple[Pull, ...]
    failures: tuple[str, ...]
    """Tasks that were not ok, in words."""


def config(seed: int) -> dict[str, object]:
    """The simulated chip's settings."""
    return {"seed": seed, "drift": False, "priors": {"frequencyMHz": 0.5, "amplitude": 0.1}}


def measure(qubit: str, topology: Topology, seed: int) -> Measured:
    """Calibrate one qubit and compare."""
    loop, answers = ClosedLoop(topology, config(seed)), Answers(topology, seed)
    pulls: list[Pull] = []
    failures: list[str] = []
    for ordinal, task in enumerate(TASKS):
        outcome = loop.run(task, qubit, ordinal=ordinal)
        if outcome.verdict is not Verdict.OK:
            failures.append(f"{task} on qubit {qubit}: {outcome.verdict}, {outcome.judged.message}")
            break  # as a session: a target that failed stops
        pulls += answers.pulls(qubit, outcome)
    return Measured(qubit, tuple(pulls), tuple(failures))


def report(measured: Iterable[Pull]) -> list[str]:
    """Print a table of all outputs and say what is wrong with it."""
    problems: list[str] = []
    by_output: dict[str, list[Pull]] = defaultdict(list)
    for pull in measured:
        by_output[pull.output].append(pull)
    print(f"{'output':26} {'n':>5} {'mean':>7} {'width':>6} {'allowed':>15} {'1 sigma':>8} {'largest':>8}  target")
    pooled: list[float] = []
    for output, pulls in by_output.items():
        values = np.asarray([each.pull for each in pulls])
        problems += _line(output, pulls, values)
        pooled += values.tolist()
    width = _width(np.asarray(pooled))
    print(f"{'pooled':26} {len(pooled):5} {np.mean(pooled):+7.2f} {width:6.2f}   {POOLED_WIDTH}")
    if not POOLED_WIDTH[0] <= width <= POOLED_WIDTH[1]:
        problems.append(f"the pooled width is {width:.2f}, not within {POOLED_WIDTH}")
    return problems


def _line(output: str, pulls: list[Pull], values: np.ndarray) -> Iterator[str]:
    worst = pulls[int(np.argmax(np.abs(values)))]
    width, (low, high) = _width(values), _allowed(len(values))
    low = 0.0 if output in DOUBTED else low
    within = float(np.mean(np.abs(values) < 1.0))
    print(
        f"{output:26} {len(values):5} {values.mean():+7.2f} {width:6.2f}   {low:.2f} ... {high:.2f} {within:8.0%} "
        f"{worst.pull:+8.2f}  {worst.target}"
    )
    if abs(worst.pull) >= LARGEST_PULL:
        yield f"{output} of qubit {worst.target} is {worst.pull:+.1f} errors off: {worst}"
    if not low <= width <= high:
        yield f"the width of {output} is {width:.2f}, not within {low:.2f} ... {high:.2f}"


def _allowed(number: int) -> tuple[float, float]:
    """What the width of so many pulls may be: chance alone scatters it by 1 / sqrt(2 n)."""
    half = _WIDTH_SIGMAS / sqrt(2 * number)
    return (1 - half, 1 + half) if number < _MANY else POOLED_WIDTH


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
    problems = [failure for each in measured for failure in each.failures]
    problems += report(pull for each in measured for pull in each.pulls)
    good = len(jobs) * len(TASKS) - sum(len(each.failures) for each in measured)
    print(f"{good} of {len(jobs) * len(TASKS)} tasks ok" if good < len(jobs) * len(TASKS) else f"all {good} tasks ok")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
