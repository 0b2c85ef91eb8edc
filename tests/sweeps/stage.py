"""Servers and lanes for many cases, and the run that nobody disturbs."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError

from kubecal.records.store import RecordsUnavailable
from kubecal_operator.errors import ApiError
from tests.controller.ground import control_plane_with_kinds
from tests.mongodb import server_for_tests
from tests.sweeps.disturbance import Disturbance
from tests.sweeps.judging import Expected
from tests.sweeps.lane import Lane
from tests.sweeps.scenario import Scenario, differences, outcome
from tests.sweeps.scenarios import SCENARIOS
from tests.sweeps.sweeps import Case

_TRIES = 2


@dataclass(frozen=True)
class Ran:
    """What one case came to."""

    happened: str
    """The disturbance, in words; empty: the session ended before it."""
    problems: list[str]
    seconds: float


class Stage:
    """Lanes of one control plane, with one MongoDB, and what scenarios come to undisturbed."""

    def __init__(self, lanes: Sequence[Lane], spare: Lane) -> None:
        self.lanes, self.spare = lanes, spare
        self._expected: dict[str, Expected] = {}
        self._asking = asyncio.Lock()

    async def run(self, lane: Lane, case: Case, plant: str = "") -> Ran:
        """One case. Where the means of a case fail, not what it looks at, it is run once more, and has then failed."""
        expected = await self._reference(case.scenario)
        for _ in range(_TRIES):
            disturbance, since = case.disturbance(), time.monotonic()
            try:
                seen = await lane.run(expected.scenario, disturbance, plant)
            except (RecordsUnavailable, ApiError, ClientError, OSError):
                broke = traceback.format_exc()
                continue
            return Ran(disturbance.happened, disturbance.found(expected, seen), time.monotonic() - since)
        return Ran("", [f"the case itself broke {_TRIES} times: {broke}"], 0.0)

    async def _reference(self, name: str) -> Expected:
        async with self._asking:
            if name not in self._expected:
                self._expected[name] = await reference(self.spare, SCENARIOS[name])
        return self._expected[name]


@contextlib.contextmanager
def open_stage(folder: Path, number: int) -> Iterator[Stage]:
    """So many namespaces, and one to spare."""
    with control_plane_with_kinds() as control_plane, server_for_tests(folder / "mongodb") as mongodb:
        made = [Lane(control_plane, mongodb, folder / f"lane-{place}") for place in range(number + 1)]
        for lane in made:
            lane.prepare()
        yield Stage(made[1:], made[0])


async def reference(lane: Lane, scenario: Scenario) -> Expected:
    """What comes out undisturbed, checked against what the scenario says.

    Raises
    ------
    AssertionError
        If already that is wrong: no sweep means anything then.
    """
    seen = await lane.run(scenario, Disturbance())
    assert seen.problems == [], "\n".join(seen.problems)
    assert seen.status is not None
    found = outcome(seen.status, seen.documents)
    wanted = {"phase": scenario.phase, "tasks": dict(scenario.counts), "rows": dict(scenario.rows)}
    wrong = differences(wanted, found)
    assert not wrong, "\n".join(wrong)
    return Expected(scenario, found)
