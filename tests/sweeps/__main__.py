"""Run the sweeps and print what they found.

    python -m tests.sweeps [SWEEP ...] [--every 1] [--lanes 3]
    python -m tests.sweeps --case crash/heard/17 [--plant early-retry]
    python -m tests.sweeps --plants

Each case is the same small session, disturbed on the k-th occasion; k goes up until the session ends undisturbed.
Exit code 1 if a case did not come out as it should, or a planted bug was not caught.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.sweeps.calls import Json
from tests.sweeps.lane import Lane
from tests.sweeps.plants import PLANTS
from tests.sweeps.stage import lanes, reference
from tests.sweeps.sweeps import SWEEPS, Case

_MOST = 400
"""Occasions after which a session that still has not ended is a bug of the sweep."""


@dataclass
class Tally:
    """What came of one sweep."""

    ran: Counter[str] = field(default_factory=Counter)
    """Cases that were disturbed, by variant."""
    failed: dict[str, list[str]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Variants whose session ended before the k-th occasion: no greater k disturbs anything."""


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweeps", nargs="*", metavar="SWEEP", help=f"some of {', '.join(SWEEPS)}; default: all")
    parser.add_argument("--every", type=int, default=1, help="only every so many-th k")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first k")
    parser.add_argument("--lanes", type=int, default=3, help="cases side by side")
    parser.add_argument("--verbose", action="store_true", help="a line for each case")
    parser.add_argument("--case", action="append", default=[], help="this one alone, as SWEEP/VARIANT/K")
    parser.add_argument("--plant", choices=sorted(PLANTS), default="", help="with this bug in the operator")
    parser.add_argument("--plants", action="store_true", help="show which sweep catches which planted bug")
    options = parser.parse_args()
    unknown = set(options.sweeps) - set(SWEEPS)
    if unknown:
        parser.error(f"there is no sweep {', '.join(sorted(unknown))}: there are {', '.join(SWEEPS)}")
    with tempfile.TemporaryDirectory() as folder, lanes(Path(folder), options.lanes) as made:
        return asyncio.run(_run(made, options))


async def _run(made: list[Lane], options: argparse.Namespace) -> int:
    since = time.monotonic()
    expected = await reference(made[0])
    chosen = options.sweeps or list(SWEEPS)
    if options.plants:
        bad = await _show_plants(made, expected, chosen, options.every)
    elif options.case:
        bad = 0
        for name in options.case:
            bad += await _one(made[0], expected, Case.named(name), options.plant)
    else:
        bad = 0
        for name in chosen:
            bad += await _sweep(made, expected, name, options)
    print(f"{time.monotonic() - since:.0f} s")
    return 1 if bad else 0


async def _one(lane: Lane, expected: Json, case: Case, plant: str) -> int:
    disturbance = case.disturbance()
    seen = await lane.run(disturbance, plant)
    problems = case.judge(expected, seen, disturbance.happened)
    print(f"{case.name} ({disturbance.happened or 'ended before that'}): {'FAILED' if problems else 'ok'}")
    for problem in problems:
        print(f"  {problem}")
    return int(bool(problems))


async def _sweep(made: list[Lane], expected: Json, name: str, options: argparse.Namespace) -> int:
    tally = Tally()
    cases = _cases(name, tally, options.first, options.every)
    await asyncio.gather(*(_work(lane, expected, cases, tally, options.plant, options.verbose) for lane in made))
    counts = ", ".join(f"{variant} {tally.ran[variant]}" for variant in SWEEPS[name].variants)
    verdict = f"{len(tally.failed)} FAILED" if tally.failed else "all as they should"
    print(f"{name}: {SWEEPS[name].words}: {tally.ran.total()} cases ({counts}), {verdict}", flush=True)
    return len(tally.failed)


def _cases(name: str, tally: Tally, first: int, every: int) -> Iterator[Case]:
    # Variants in turn: with several cases under way, the fewest are begun after the one that came too late.
    for k in range(first, _MOST, every):
        for variant in SWEEPS[name].variants:
            if variant not in tally.ended:
                yield Case(name, variant, k)
        if tally.ended >= set(SWEEPS[name].variants):
            return


async def _work(lane: Lane, expected: Json, cases: Iterator[Case], tally: Tally, plant: str, verbose: bool) -> None:
    for case in cases:
        disturbance = case.disturbance()
        seen = await lane.run(disturbance, plant)
        problems = case.judge(expected, seen, disturbance.happened)
        if verbose:
            print(f"{case.name} ({disturbance.happened or 'ended before that'}): {seen.seconds:.0f} s", flush=True)
        if disturbance.happened:
            tally.ran[case.variant] += 1
        else:
            tally.ended.add(case.variant)
        if problems:
            tally.failed[case.name] = problems
            words = "\n  ".join(problems)
            print(f"FAILED {case.name} ({disturbance.happened}):\n  {words}\n{_again(case, plant)}", flush=True)


def _again(case: Case, plant: str) -> str:
    with_plant = f" --plant {plant}" if plant else ""
    return f"  run it again: python -m tests.sweeps --case {case.name}{with_plant}"


async def _show_plants(made: list[Lane], expected: Json, chosen: list[str], every: int) -> int:
    """A table of the first case of each sweep that catches each bug."""
    missed = 0
    for plant, bug in PLANTS.items():
        caught = {}
        for name in chosen:
            found = await _first_catch(made, expected, name, plant, every)
            if found:
                caught[name] = found
        missed += not caught
        by = ", ".join(f"{name} ({case})" for name, case in caught.items()) or "NOTHING"
        print(f"{plant}: {bug.words}: caught by {by}", flush=True)
    return missed


async def _first_catch(made: list[Lane], expected: Json, name: str, plant: str, every: int) -> str:
    tally = Tally()
    cases = _cases(name, tally, 1, every)
    found: list[str] = []

    async def search(lane: Lane) -> None:
        for case in cases:
            disturbance = case.disturbance()
            seen = await lane.run(disturbance, plant)
            if case.judge(expected, seen, disturbance.happened):
                found.append(case.name)
            elif not disturbance.happened:
                tally.ended.add(case.variant)
            if found:
                return

    await asyncio.gather(*(search(lane) for lane in made))
    return found[0] if found else ""


if __name__ == "__main__":
    sys.exit(main())
