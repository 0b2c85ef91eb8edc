"""Do benchmarked fidelities tell what the simulator's gates lose: pulls against its own channels.

    python -m tests.bench.benchmarking [--chips 8] [--seed 20]

Four qubits a chip, pulses with DRAG as good as they can be. The truth of a gate is the infidelity of its channel, of a
Clifford that of the one half-pi pulse it takes on average. Fails if a task is not ok, a |pull| reaches 4.5, or a width
leaves 1 -+ 3.3 / sqrt(2 n).
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator

import numpy as np

from kubecal.api.request import Verdict
from tests.unit.kubecal_tasks.tasks.benchmarked import calibrated, gate_error, truth_of

QUBITS = "0123"
ANGLES = {
    "RandomizedBenchmarking": ("average_gate_fidelity", math.pi / 2),
    "X90InterleavedRandomizedBenchmarking": ("x90_gate_fidelity", math.pi / 2),
    "X180InterleavedRandomizedBenchmarking": ("x180_gate_fidelity", math.pi),
}
LARGEST_PULL = 4.5
_WIDTH_SIGMAS = 3.3


def measure(task: str, seeds: range) -> Iterator[tuple[float, float, str]]:
    """Pull, relative error of the infidelity and, where it is not ok, what the task said."""
    output, angle = ANGLES[task]
    for seed in seeds:
        for qubit in QUBITS:
            outcome = calibrated(qubit, seed).run(task, qubit)
            found = next(each for each in outcome.judged.outputs if each.name == output)
            lost = gate_error(truth_of(qubit, seed), angle)
            words = (
                "" if outcome.verdict is Verdict.OK else f"{task} on qubit {qubit} of chip {seed}: {outcome.verdict}"
            )
            yield (found.value - (1.0 - lost)) / found.error, found.error / lost, words


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=8)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    problems: list[str] = []
    print(f"{'task':40}{'n':>4}{'mean':>8}{'width':>7}{'largest':>9}{'error':>8}{'s':>7}")
    for task in ANGLES:
        began = time.process_time()
        rows = list(measure(task, range(options.seed, options.seed + options.chips)))
        seconds = (time.process_time() - began) / len(rows)
        pulls = np.asarray([pull for pull, _, _ in rows])
        width, largest = float(np.sqrt(np.mean(pulls**2))), float(np.abs(pulls).max())
        error = float(np.median([relative for _, relative, _ in rows]))
        print(f"{task:40}{len(rows):4}{pulls.mean():+8.2f}{width:7.2f}{largest:9.2f}{error:8.1%}{seconds:7.2f}")
        problems += [words for _, _, words in rows if words]
        if largest >= LARGEST_PULL:
            problems.append(f"{task}: a fidelity is {largest:.1f} errors off")
        if abs(width - 1.0) > _WIDTH_SIGMAS / math.sqrt(2 * len(rows)):
            problems.append(f"{task}: the width of the pulls is {width:.2f}")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
