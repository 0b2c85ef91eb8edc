"""A fixed sample of the sweeps for every test run; ``make sweeps`` runs all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.sweeps.lane import Lane
from tests.sweeps.plants import PLANTS
from tests.sweeps.scenarios import SCENARIOS
from tests.sweeps.stage import Stage, open_stage
from tests.sweeps.sweeps import SWEEPS, Case

_LANES = 3
SAMPLE = (
    "trouble/crash/heard/12",
    "trouble/crash/unheard/30",
    "trouble/cancel/delete/14",
    "trouble/requests/unheard/9",
    "trouble/names/resent/3",
    "trouble/events/cut/25",
    "trouble/stale/pods/12",
    "trouble/away/after/12",
    "kinds/crash/unheard/23",
    "kinds/cancel/delete/23",
    "kinds/away/before/41",
)
CAUGHT = ("trouble/crash/heard/1", "early-retry"), ("trouble/crash/heard/1", "believed-receipt")
"""Cases that must fail with these bugs in the operator: a sweep that finds nothing would find nothing else either."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Lanes for the cases of this module."""
    with open_stage(tmp_path_factory.mktemp("sweeps"), _LANES) as made:
        yield made


def test_every_sweep_is_in_the_sample() -> None:
    assert {Case.named(name).sweep for name in SAMPLE} == set(SWEEPS)
    assert {Case.named(name).scenario for name in SAMPLE} == set(SCENARIOS)
    assert {plant for _, plant in CAUGHT} <= set(PLANTS)


async def test_a_disturbed_session_comes_out_as_the_undisturbed_one(stage: Stage) -> None:
    found: dict[str, list[str]] = {}
    queue = iter([*((name, "") for name in SAMPLE), *CAUGHT])

    async def work(lane: Lane) -> None:
        for name, plant in queue:
            ran = await stage.run(lane, Case.named(name), plant)
            late = [] if ran.happened else ["the session ended before this occasion: choose a smaller one"]
            found[f"{name} {plant}".strip()] = ran.problems + late

    await asyncio.gather(*(work(lane) for lane in stage.lanes))
    assert {name: found[name] for name in SAMPLE if found[name]} == {}
    assert [name for name, plant in CAUGHT if not found[f"{name} {plant}"]] == []
