"""One sweep at every k, and the search for the case that catches a planted bug."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from tests.sweeps.lane import Lane
from tests.sweeps.plants import PLANTS
from tests.sweeps.stage import Ran, Stage
from tests.sweeps.sweeps import SWEEPS, Case

_MOST = 600
"""Occasions after which a session that still has not ended is a bug of the sweep."""
_PAST = 2
"""So many k too late, and no greater one disturbs anything: two runs of one session differ by a write."""
_TOO_MANY = 20
"""Failures after which a sweep has said what there is to say."""


class Sweeping:
    """One sweep of one scenario, on all lanes at once."""

    def __init__(self, stage: Stage, scenario: str, name: str, first: int, every: int, plant: str = "") -> None:
        self._stage, self._scenario, self._name, self._plant = stage, scenario, name, plant
        self._cases = self._in_turn(first, every)
        self._late: Counter[str] = Counter()
        self.disturbed: Counter[str] = Counter()
        """Cases in which the disturbance happened, by variant."""
        self.failed: list[str] = []
        self.enough = False
        """Set by who knows enough: no further case begins, and those under way end and leave clean lanes."""
        self.gave_up = ""
        """Why it ended before its last k; empty: it did not."""

    async def results(self) -> AsyncIterator[tuple[Case, Ran]]:
        """Every case with what came of it, as they end."""
        done: asyncio.Queue[tuple[Case, Ran] | None] = asyncio.Queue()
        workers = asyncio.gather(*(self._work(lane, done) for lane in self._stage.lanes))
        workers.add_done_callback(lambda _: done.put_nowait(None))
        while (result := await done.get()) is not None:
            yield result
        await workers

    async def _work(self, lane: Lane, done: asyncio.Queue[tuple[Case, Ran] | None]) -> None:
        for case in self._cases:
            ran = await self._stage.run(lane, case, self._plant)
            if ran.happened or ran.problems:
                self.disturbed[case.variant] += 1
            else:
                self._late[case.variant] += 1
            if ran.problems:
                self.failed.append(case.name)
            done.put_nowait((case, ran))

    def _in_turn(self, first: int, every: int) -> Iterator[Case]:
        # Variants in turn: with several cases under way, the fewest are begun after the one that came too late.
        variants = SWEEPS[self._name].variants
        for k in range(first, _MOST, every):
            for variant in variants:
                if self.enough:
                    return
                if len(self.failed) >= _TOO_MANY:
                    self.gave_up = f"{_TOO_MANY} cases have failed: the rest, from k = {k} on, was not run"
                    return
                if self._late[variant] < _PAST:
                    yield Case(self._scenario, self._name, variant, k)
            if all(self._late[variant] >= _PAST for variant in variants):
                return
        self.gave_up = f"after {_MOST} occasions the session still goes on"
        self.failed.append(f"{self._scenario}/{self._name}/{variants[0]}/{_MOST}")


async def first_catch(stage: Stage, plant: str) -> str:
    """The first case that fails with a bug in the operator, and not without; empty: there is none."""
    scenario, names = PLANTS[plant].where
    caught = ""
    for name in names:
        sweeping = Sweeping(stage, scenario, name, 1, 1, plant)
        async for case, ran in sweeping.results():
            suspect = ran.happened and ran.problems and not caught
            if suspect and not (await stage.run(stage.spare, case)).problems:
                caught, sweeping.enough = case.name, True
        if caught:
            return caught
    return ""
