"""``kubecal watch``: until the end, with what came out, and an exit code that says how it went."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from kubecal.cli.place import Place, Where
from kubecal.cli.watch import WatchAsked, watch_session
from kubecal.lab.lab import Sight
from tests.unit.kubecal.cli.in_memory import (
    Answered,
    MemoryLab,
    MemoryRecords,
    a_chip,
    a_result,
    a_session,
    an_execution,
    an_output,
    answer,
)
from tests.unit.kubecal.cli.test_picture import NOW

ASKED = WatchAsked("morning", Place(Where.LOCAL))


def lab(phase: str, message: str = "") -> MemoryLab:
    rows = (a_result("CheckT1", "0", an_output()),)
    session = a_session(phase=phase, message=message)
    sights = [Sight(replace(session, status=a_session(phase="Running").status), None, rows, NOW)]
    sights.append(Sight(session, None, rows, NOW))
    return MemoryLab(MemoryRecords([an_execution()], {"20261125-000": rows}), [session], [a_chip()], sights=sights)


async def watched(at: MemoryLab) -> Answered:
    return await answer(at, lambda here, screen: watch_session(here, screen, ASKED))


@pytest.mark.parametrize(
    ("phase", "message", "code", "last"),
    [
        ("Completed", "", 0, "morning completed, execution 20261125-000"),
        ("PartiallyFailed", "failed on qubit 2", 1, "morning partially failed, execution 20261125-000"),
        ("Failed", "it was too slow", 1, "morning failed, execution 20261125-000: it was too slow"),
        ("Cancelled", "", 1, "morning cancelled, execution 20261125-000"),
    ],
)
async def test_the_end_shows_what_came_out_and_the_code_how_it_went(
    phase: str, message: str, code: int, last: str
) -> None:
    said = await watched(lab(phase, message))
    assert (said.code, said.out.splitlines()[-1]) == (code, last)
    assert "22.19 ± 0.36" in said.out


async def test_without_a_name_the_one_that_runs_is_watched() -> None:
    asked = WatchAsked("", Place(Where.LOCAL))
    ended, runs = lab("Completed"), a_session("evening", phase="Running")
    one = MemoryLab(ended.records, [runs, *ended.standing], [a_chip()], sights=ended.sights)
    said = await answer(one, lambda here, screen: watch_session(here, screen, asked))
    assert said.out.splitlines()[-1] == "morning completed, execution 20261125-000"
    several = MemoryLab(standing=[runs, a_session("night", phase="Queued")])
    said = await answer(several, lambda here, screen: watch_session(here, screen, asked))
    assert said == Answered(2, "", "several sessions have not ended: say which of evening, night to watch")


async def test_a_session_that_is_not_there_is_named() -> None:
    assert await watched(MemoryLab()) == Answered(1, "", "there is no session 'morning' on this computer")


async def test_whoever_stops_watching_is_told_that_it_goes_on() -> None:
    class Endless(MemoryLab):
        async def follow(self, name: str) -> AsyncIterator[Sight]:
            yield self.sights[0]
            asking = asyncio.current_task()
            assert asking is not None
            asking.cancel()
            await asyncio.sleep(0)

    said = await watched(Endless(standing=[a_session()], sights=lab("Completed").sights))
    assert (said.code, said.err) == (130, "you watch no longer; morning goes on: kubecal watch morning")
