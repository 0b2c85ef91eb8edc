"""``kubecal watch``: a session while it runs, and what came out of it at its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

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
    place: Place


async def watch_session(lab: Lab, screen: Screen, asked: WatchAsked) -> int:
    """Show a session until it has ended; the exit code says how."""
    last: StandingSession | None = None
    try:
        with LiveView(screen.out, from_start=False) as live:
            async for sight in lab.follow(asked.session):
                live.update(sight)
                last = sight.session
    except asyncio.CancelledError:
        # Once the picture is gone: it would be taken for a part of it.
        screen.remark(f"you watch no longer; {asked.session} goes on: {asked.place.again('watch', asked.session)}")
        raise
    assert last is not None, "there is always a last sight"
    catalogue = await asyncio.to_thread(installed_catalogue)
    print_outcome(screen.out, await outcome_of(lab, last), catalogue, all_values=False)
    return ExitCode.DONE if last.status.phase == "Completed" else ExitCode.FAILED
