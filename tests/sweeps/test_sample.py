"""A fixed sample of the sweeps for every test run; ``make sweeps`` runs all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.sweeps.calls import Json
from tests.sweeps.lane import Lane
from tests.sweeps.plants import PLANTS
from tests.sweeps.stage import lanes, reference
from tests.sweeps.sweeps import SWEEPS, Case

_LANES = 3
SAMPLE = (
    "crash/heard/12",
    "crash/unheard/30",
    "cancel/delete/14",
    "requests/unheard/9",
    "names/resent/3",
    "events/cut/25",
    "stale/pods/12",
    "away/after/12",
)
CAUGHT = ("crash/heard/1", "early-retry"), ("crash/heard/1", "believed-receipt")
"""Cases that must fail with these bugs in the operator: a sweep that finds nothing would find nothing else either."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lane]]:
    """Lanes for the cases of this module."""
    with lanes(tmp_path_factory.mktemp("sweeps"), _LANES) as made:
        yield made


def test_every_sweep_is_in_the_sample() -> None:
    assert {Case.named(name).sweep for name in SAMPLE} == set(SWEEPS)
    assert {plant for _, plant in CAUGHT} <= set(PLANTS)


async def test_a_disturbed_session_comes_out_as_the_undisturbed_one(stage: list[Lane]) -> None:
    expected = await reference(stage[0])
    found: dict[str, list[str]] = {}
    queue = iter([*((name, "") for name in SAMPLE), *CAUGHT])

    async def work(lane: Lane) -> None:
        for name, plant in queue:
            found[f"{name} {plant}".strip()] = await _problems(lane, expected, name, plant)

    await asyncio.gather(*(work(lane) for lane in stage))
    assert {name: found[name] for name in SAMPLE if found[name]} == {}
    assert [name for name, plant in CAUGHT if not found[f"{name} {plant}"]] == []


async def _problems(lane: Lane, expected: Json, name: str, plant: str) -> list[str]:
    case = Case.named(name)
    disturbance = case.disturbance()
    seen = await lane.run(disturbance, plant)
    if not disturbance.happened:
        return [f"the session ended before occasion {case.k}: choose a smaller one for the sample"]
    return case.judge(expected, seen, disturbance.happened)
