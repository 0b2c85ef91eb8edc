"""`make bench`: every benchmark in turn, each a process of its own, and whether it met its figures.

    python -m tests.bench [NAME...] [--list]

Each prints its own table and can be run alone (`python -m tests.bench.NAME --help`). Ratios within one run are
what counts: absolute times depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One module of this folder."""

    name: str
    about: str
    arguments: tuple[str, ...] = ()


BENCHMARKS = (
    Benchmark("fits", "every fit against seeded data: how often right, how fast, how often fooled"),
    Benchmark("honesty", "the simulated chip with inputs set wrong: verdicts, contrast and frequency beside theory"),
    Benchmark(
        "faults", "planted faults on every task that they touch: verdicts beside those expected", ("--seeds", "5")
    ),
    Benchmark("pulls", "every one-qubit output of 64 qubits beside the hidden truth, in its own errors"),
    Benchmark("benchmarking", "benchmarked fidelities beside what the simulator's gates lose, in their own errors"),
    Benchmark("moved", "how surely a qubit that has moved is noticed, and how rarely one that has not"),
    Benchmark("anew", "every task's stored data analysed again, beside what the measurement said"),
    Benchmark("whole", "chips from the day they were cooled down to their gates, every result beside the truth"),
    Benchmark("processor", "processor time of every task at default sweeps, and of the start of a task's process"),
    Benchmark("decide", "one pass of the engine over a session of 2,000 tasks with 1,000 live pods"),
    Benchmark("makespan", "sessions in virtual time beside the shortest time in which anyone could run them"),
    Benchmark(
        "reaction", "from a container's end to the next pod's POST with 1,000 pods alive, and the operator's memory"
    ),
    Benchmark("writes", "API writes and database round trips a task, beside those of a serial session"),
    Benchmark("handover", "from a cancellation to the last pod's DELETE, and from a killed leader to the next one"),
    Benchmark("start", "an operator that starts among 5,000 live pods"),
    Benchmark("scale", "200 sessions on 20 chips, and statuses of 2,000 tasks"),
    Benchmark("chain", "ten no-op tasks on kind beside the same pods created by a script"),
)


def main() -> int:
    """Run those that were asked for; all of them without a word."""
    known = {each.name: each for each in BENCHMARKS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)}")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no benchmark {unknown[0]!r}: there are {', '.join(known)}")
    chosen = [known[name] for name in options.names] or list(BENCHMARKS)
    if options.list:
        for each in chosen:
            print(f"{each.name:10} {each.about}")
        return 0
    missed = [each.name for each in chosen if not _met(each)]
    print(f"\n{len(chosen) - len(missed)} of {len(chosen)} benchmarks met their figures", end="")
    print(f"; not {', '.join(missed)}" if missed else "")
    return 1 if missed else 0


def _met(benchmark: Benchmark) -> bool:
    print(f"\n=== {benchmark.name}: {benchmark.about}", flush=True)
    began = time.monotonic()
    command = [sys.executable, "-m", f"{__package__}.{benchmark.name}", *benchmark.arguments]
    code = subprocess.run(command, check=False).returncode
    print(f"--- {benchmark.name}: {'met' if code == 0 else 'MISSED'} in {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
