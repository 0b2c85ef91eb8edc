"""What a task costs of a processor: at default sweeps, from its request to its verdict, and the start of its process.

    python -m tests.bench.processor [--chips 3] [--seed 30] [TASK...]

On simulated chips whose design values are right, so that every task can be measured by itself; each acquires from the
simulator, fits and judges, and draws nothing. Of the qubits and couplings the median counts: whatever a task imports
the first time it does once. Processor time, not that of a clock: others may use the machine too.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.truth import PULSE_S
from kubecal_tasks.tasks.qubit_task import TARGET_RATE_HZ
from tests.bench.figures import Figure, check
from tests.unit.kubecal_tasks.tasks.benchmarked import LATTICE, calibrated, truth_of
from tests.unit.kubecal_tasks.tasks.couplings import CalibratedCoupling
from tests.unit.kubecal_tasks.tasks.test_two_qubit import TUNED

MAPS = ("CheckResonatorSpectroscopy", "CheckQubitSpectroscopy", "CheckSimultaneousQubitSpectroscopy")
TASK_S, MAP_S, START_S = 1.0, 3.0, 0.7
STARTS = 5
TUNED_SEED = 3
_START = """
import sys, time
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.export import installed_catalogue
installed_catalogue()
assert "matplotlib" not in sys.modules, "what draws is imported before anything is measured"
print(time.process_time())
"""


def figures(seeds: range, wanted: tuple[str, ...]) -> Iterator[Figure]:
    """Every task of the catalogue that plays anything or computes, then the start."""
    for entry in installed_catalogue().tasks:
        if entry.kind is TargetKind.CHIP or (wanted and entry.name not in wanted):
            continue  # tasks of a chip only speak to instruments
        costs, good = zip(*_costs(entry.name, entry.kind, seeds), strict=True)
        most = MAP_S if entry.name in MAPS else TASK_S
        why = f"{'a map' if entry.name in MAPS else 'any task'} of a pod with a processor; {sum(good)}/{len(good)} ok"
        yield Figure(entry.name, statistics.median(costs), "s", most=most, why=why)
    if not wanted:
        why = "the claim is made meanwhile, and a laptop starts one for each task"
        yield Figure(f"start of a task's process, least of {STARTS}", min(_starts()), "s", most=START_S, why=why)


def _costs(task: str, kind: TargetKind, seeds: range) -> Iterator[tuple[float, bool]]:
    """Seconds of processor time for each that is judged, and whether it was ok."""
    if kind is TargetKind.COUPLING:
        yield from _of_coupling(task, 2 * len(seeds))
        return
    for seed in seeds:
        members = tuple(site.id for site in LATTICE.sites)
        groups = [("mux-0", members)] if kind is TargetKind.MUX else [(qubit, ()) for qubit in members]
        for target, judged in groups:
            first = members[0] if judged else target
            loop = calibrated(first, seed, design=_pulses(first, seed))
            began = time.process_time()
            outcomes = loop.run_all(task, target, judged)
            each = (time.process_time() - began) / len(outcomes)
            yield from ((each, outcome.verdict is Verdict.OK) for outcome in outcomes.values())


def _of_coupling(task: str, runs: int) -> Iterator[tuple[float, bool]]:
    """On the one coupling whose gate is known beforehand, each time with other noise."""
    for ordinal in range(runs):
        coupling = CalibratedCoupling(TUNED_SEED, ordinal=ordinal).knows(**TUNED)
        for qubit in coupling.target.split("-"):
            known = coupling.found[qubit]
            known |= {name: replace(known["t1"], name=name) for name in ("t1_average", "t2_echo_average")}
        began = time.process_time()
        verdict = coupling.run(task).verdict
        yield time.process_time() - began, verdict is Verdict.OK


def _pulses(qubit: str, seed: int) -> dict[str, float]:
    """The pulses without DRAG, which a first calibration finds."""
    truth = truth_of(qubit, seed)
    amplitudes = {
        f"{pulse}_amplitude": Oracle(truth).pulse_amplitude(angle, truth.frequency_hz, PULSE_S)
        for pulse, angle in (("hpi", math.pi / 2), ("pi", math.pi))
    }
    lengths = dict.fromkeys(("hpi_length", "pi_length"), PULSE_S * 1e9)
    return {"control_amplitude": TARGET_RATE_HZ / truth.drive_hz, **amplitudes, **lengths}


def _starts() -> Iterator[float]:
    for _ in range(STARTS):
        done = subprocess.run([sys.executable, "-c", _START], check=True, capture_output=True, text=True)
        yield float(done.stdout)


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=3)
    parser.add_argument("--seed", type=int, default=30)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="only these")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.chips)
    return check(figures(seeds, tuple(options.tasks)))


if __name__ == "__main__":
    sys.exit(main())
