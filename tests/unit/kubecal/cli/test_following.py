"""Sessions followed to their end: Ctrl-C cancels them and waits, a second one leaves them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest

from kubecal.cli.following import to_their_end
from kubecal.cli.place import Place, Where
from kubecal.cli.run_on_cluster import watch_to_their_end
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Change, Lab, Sight, StandingSession
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

THERE = Place(Where.CLUSTER, "lab")
CANCELS = Change(cancel=True)


@dataclass
class Running(MemoryLab):
    """Sessions that run until they are cancelled; whoever follows them is interrupted so many times."""

    interruptions: int = 0
    names: Sequence[str] = ("morning",)
    stops: bool = True
    """Whether a cancelled session ends."""

    async def session(self, name: str) -> StandingSession:
        return a_session(name, phase="Running")

    async def follow(self, name: str) -> AsyncIterator[Sight]:
        yield Sight(a_session(name, phase="Running"), None, (), NOW)
        if (name, CANCELS) in self.changes and self.stops:
            yield Sight(a_session(name, phase="Cancelled"), None, (), NOW)
            return
        if self.interruptions and name == self.names[-1]:
            self.interruptions -= 1
            self.interrupted.cancel()
        await asyncio.Event().wait()

    @property
    def interrupted(self) -> asyncio.Task[object]:
        """What a Ctrl-C cancels: the verb."""
        return next(one for one in asyncio.all_tasks() if one.get_name() == "verb")


async def followed(lab: Running) -> tuple[Answered, list[str]]:
    """What was said, and how the sessions ended."""
    ends: list[str] = []

    async def work(at: Lab, screen: Screen) -> int:
        sights = await to_their_end(at, screen, lab.names, THERE)
        ends.extend(str(sight.session.status.phase) for sight in sights)
        return 0

    said = await asyncio.create_task(answer(lab, work), name="verb")
    return said, ends


@pytest.mark.parametrize("names", [("morning",), ("morning", "evening")])
async def test_the_first_interruption_cancels_all_and_waits(names: tuple[str, ...]) -> None:
    lab = Running(interruptions=1, names=names)
    said, ends = await followed(lab)
    assert lab.changes == [(name, CANCELS) for name in names]
    assert ends == ["Cancelled"] * len(names)
    spoken = "session morning" if len(names) == 1 else "sessions morning, evening"
    assert said.err == f"cancelling {spoken}: waiting for running tasks to stop; Ctrl-C again does not wait"


async def test_a_second_one_leaves_them_and_says_how_to_look_and_to_cancel() -> None:
    said, ends = await followed(Running(interruptions=2, stops=False))
    assert (said.code, ends) == (130, [])
    assert said.err.splitlines()[-1] == (
        "session morning is left to stop without you: kubecal watch morning -n lab shows how, "
        "kubecal cancel morning -n lab cancels again"
    )


@pytest.mark.parametrize(("phase", "code"), [("Completed", 0), ("PartiallyFailed", 1), ("Cancelled", 1)])
async def test_a_run_on_a_cluster_shows_what_came_out_and_its_code_says_how_it_went(phase: str, code: int) -> None:
    session = a_session(phase=phase)
    rows = (a_result("CheckT1", "0", an_output()),)
    records = MemoryRecords([an_execution()], {"20261125-000": rows})
    lab = MemoryLab(records, [session], [a_chip()], sights=[Sight(session, None, (), NOW)])
    said = await answer(lab, lambda at, screen: watch_to_their_end(at, screen, ["morning"], THERE))
    assert said.code == code
    assert "22.19 ± 0.36" in said.out
    assert said.err == (
        "session morning has run before, as execution 20261125-000: to run it again, give it another name, "
        "or delete it first"
    )
