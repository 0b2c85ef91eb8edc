"""Run the sweeps and print what they found.

    python -m tests.sweeps [SWEEP ...] [--scenario trouble] [--every N] [--lanes 6]
    python -m tests.sweeps --case trouble/crash/heard/17 [--plant early-retry]
    python -m tests.sweeps --plants

Each case is one small session, disturbed on the k-th occasion; k goes up until the session ends undisturbed. Without
a word every sweep runs at every k of `trouble` and at every fifth of `kinds`, and then it is shown that each planted
bug is caught. Exit code 1 if a case did not come out as it should, or a bug was not caught.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.sweeps.plants import PLANTS
from tests.sweeps.scenarios import SCENARIOS
from tests.sweeps.stage import Stage, open_stage
from tests.sweeps.sweeping import Sweeping, first_catch
from tests.sweeps.sweeps import SWEEPS, Case


@dataclass(frozen=True)
class _Found:
    """What all of it came to."""

    cases: int = 0
    failed: tuple[str, ...] = ()
    """Names of cases."""
    caught: tuple[str, ...] = ()
    """Planted bugs."""
    missed: tuple[str, ...] = ()
    """Planted bugs that nothing found."""

    def __add__(self, other: _Found) -> _Found:
        return _Found(
            self.cases + other.cases,
            self.failed + other.failed,
            self.caught + other.caught,
            self.missed + other.missed,
        )


def main() -> int:
    """Run, print, judge."""
    options = _options()
    since = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, open_stage(Path(folder), options.lanes) as stage:
        found = asyncio.run(_run(stage, options))
    bugs = len(found.caught) + len(found.missed)
    print(
        f"\n{found.cases} cases, {len(found.failed)} failed; {len(found.caught)} of {bugs} planted bugs caught", end=""
    )
    print(f"; {time.monotonic() - since:.0f} s", flush=True)
    for name in found.failed:
        print(f"  {again(name, options.plant)}")
    if found.missed:
        print(f"planted bugs that nothing found: {', '.join(found.missed)}")
    return 1 if found.failed or found.missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweeps", nargs="*", metavar="SWEEP", help=f"some of {', '.join(SWEEPS)}; default: all")
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS), help="this session; default: all")
    parser.add_argument("--every", type=int, default=0, help="only every so many-th k; default: the scenario's")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first k")
    parser.add_argument("--lanes", type=int, default=6, help="cases side by side")
    parser.add_argument("--verbose", action="store_true", help="a line for each case")
    parser.add_argument("--case", action="append", default=[], help="this one alone: SCENARIO/SWEEP/VARIANT/K")
    parser.add_argument("--plant", choices=sorted(PLANTS), default="", help="with this bug in the operator")
    parser.add_argument("--plants", action="store_true", help="only show that each planted bug is caught")
    options = parser.parse_args()
    unknown = set(options.sweeps) - set(SWEEPS)
    if unknown:
        parser.error(f"there is no sweep {', '.join(sorted(unknown))}: there are {', '.join(SWEEPS)}")
    return options


async def _run(stage: Stage, options: argparse.Namespace) -> _Found:
    if options.case:
        return await _cases(stage, [Case.named(name) for name in options.case], options.plant)
    scenarios = options.scenario or list(SCENARIOS)
    found = _Found()
    if not options.plants:
        for scenario in scenarios:
            print(f"--- {scenario}: {SCENARIOS[scenario].words}", flush=True)
            for name in options.sweeps or list(SWEEPS):
                found += await _sweep(stage, scenario, name, options)
    if options.plants or not (options.sweeps or options.plant):
        found += await _plants(stage)
    return found


async def _cases(stage: Stage, cases: list[Case], plant: str) -> _Found:
    failed = []
    for case in cases:
        ran = await stage.run(stage.lanes[0], case, plant)
        print(f"{case.name} ({ran.happened or 'ended before that'}): {'FAILED' if ran.problems else 'ok'}", flush=True)
        for problem in ran.problems:
            print(f"  {problem}")
        if ran.problems:
            failed.append(case.name)
    return _Found(len(cases), tuple(failed))


async def _sweep(stage: Stage, scenario: str, name: str, options: argparse.Namespace) -> _Found:
    since = time.monotonic()
    sweeping = Sweeping(stage, scenario, name, options.first, options.every or SCENARIOS[scenario].every, options.plant)
    async for case, ran in sweeping.results():
        if options.verbose:
            print(f"{case.name} ({ran.happened or 'ended before that'}): {ran.seconds:.1f} s", flush=True)
        if ran.problems:
            words = "\n  ".join(ran.problems)
            print(f"FAILED {case.name} ({ran.happened}):\n  {words}\n  {again(case.name, options.plant)}", flush=True)
    counts = ", ".join(f"{variant} {sweeping.disturbed[variant]}" for variant in SWEEPS[name].variants)
    verdict = f"{len(sweeping.failed)} FAILED" if sweeping.failed else "all as they should"
    took = time.monotonic() - since
    print(f"{name}: {SWEEPS[name].words}: {sweeping.disturbed.total()} cases ({counts}) in {took:.0f} s, {verdict}")
    if sweeping.gave_up:
        print(f"  {sweeping.gave_up}", flush=True)
    sys.stdout.flush()
    return _Found(sweeping.disturbed.total(), tuple(sweeping.failed))


async def _plants(stage: Stage) -> _Found:
    """Show for each bug a case that fails with it, and does not without."""
    print("--- planted bugs", flush=True)
    found = _Found()
    for plant, bug in PLANTS.items():
        caught = await first_catch(stage, plant)
        print(f"{plant}: {bug.words}: {f'caught by {caught}' if caught else 'NOT CAUGHT'}", flush=True)
        found += _Found(caught=(plant,)) if caught else _Found(missed=(plant,))
    return found


def again(name: str, plant: str) -> str:
    """How a case is run once more."""
    with_plant = f" --plant {plant}" if plant else ""
    return f"run it again: python -m tests.sweeps --case {name}{with_plant}"


if __name__ == "__main__":
    sys.exit(main())
