"""``kubecal watch``: a session while it runs, and what came out of it at its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kubecal.cli.answering import NoSuchThingError, NotDoneError
from kubecal.cli.closing import outcome_of, print_outcome
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.live import LiveView
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Lab, StandingSession
from kubecal.local.catalogue import installed_catalogue


@dataclass(frozen=True)
class WatchAsked:
    """What the command line asks for."""

    session: str
    """Empty: the one that runs."""
    place: Place


async def watch_session(lab: Lab, screen: Screen, asked: WatchAsked) -> int:
    """Show a session until it has ended; the exit code says how."""
    name = asked.session or await _the_one_that_runs(lab, asked.place)
    last: StandingSession | None = None
    try:
        with LiveView(screen.out, from_start=False) as live:
            async for sight in lab.follow(name):
                live.update(sight)
                last = sight.session
    except asyncio.CancelledError:
        # Once the picture is gone: it would be taken for a part of it.
        screen.remark(f"you watch no longer; {name} goes on: {asked.place.again('watch', name)}")
        raise
    assert last is not None, "there is always a last sight"
    catalogue = await asyncio.to_thread(installed_catalogue)
    print_outcome(screen.out, await outcome_of(lab, last), catalogue, all_values=False)
    return ExitCode.DONE if last.status.phase == "Completed" else ExitCode.FAILED


async def _the_one_that_runs(lab: Lab, place: Place) -> str:
    """The session that has not ended, where there is exactly one."""
    names = [one.name for one in await lab.sessions() if one.status.phase is None or not one.status.phase.final]
    if not names:
        raise NoSuchThingError(f"no session runs here: {place.again('get')} lists those there are")
    if len(names) > 1:
        raise NotDoneError(f"several sessions have not ended: say which of {', '.join(names)} to watch")
    return names[0]
