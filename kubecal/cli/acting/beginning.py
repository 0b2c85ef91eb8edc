"""Sessions that a verb makes: printed, or begun and followed to their end."""

from __future__ import annotations

import asyncio
import getpass
from dataclasses import dataclass, field

import yaml

from kubecal.api.naming import spoken_target
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import Phase
from kubecal.cli.answering import NotDoneError
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.live import LiveView
from kubecal.cli.place import Place, Where
from kubecal.cli.results import Chosen, ResultsAsked, show_results
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Change, Lab, RefusedError, Sight
from kubecal.lab.manifests import Signed, named, written
from kubecal.reading.quantities import spoken


@dataclass(frozen=True)
class Manner:
    """How a session that a verb makes is handled."""

    place: Place
    dry_run: bool = False
    """Print the manifest and begin nothing."""
    name: str = ""
    """Of the session; empty: one that is free."""
    signed: Signed = field(default_factory=lambda: Signed(whoever()))


def whoever() -> str:
    """The name of the user; empty where the computer does not know it, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def dry_run(screen: Screen, session: CalibrationSession, manner: Manner) -> int:
    """Print the manifest, with the name that it would at best have."""
    name = manner.name or f"{session.spec.chip}-{session.spec.flow_name}"[:63].rstrip("-.").lower()
    whole = named(session, name, manner.place.namespace)
    screen.out.file.write(yaml.safe_dump(written(whole), sort_keys=False, allow_unicode=True, width=120))
    screen.out.file.flush()
    return ExitCode.DONE


async def record_change(lab: Lab, screen: Screen, session: CalibrationSession, manner: Manner) -> int:
    """Begin a session of one change of the records, and say what became of it."""
    if manner.dry_run:
        return dry_run(screen, session, manner)
    last = await _to_its_end(lab, screen, session, manner, live=None)
    good = last.session.status.phase is Phase.COMPLETED
    if good:
        for row in last.tasks:
            screen.say(row.message or f"{row.task.lower()}: done")
    else:
        screen.complain(_why(last))
    return ExitCode.DONE if good else ExitCode.FAILED


async def measure(lab: Lab, screen: Screen, session: CalibrationSession, manner: Manner, project: str) -> int:
    """Begin a session of tasks, show how it goes, and what came out."""
    if manner.dry_run:
        return dry_run(screen, session, manner)
    with LiveView(screen.out) as live:
        last = await _to_its_end(lab, screen, session, manner, live=live)
    status = last.session.status
    if status.execution_id:
        await show_results(lab, screen, ResultsAsked(status.execution_id, manner.place, project, Chosen()))
    else:
        screen.complain(_why(last))
    return ExitCode.DONE if status.phase is Phase.COMPLETED else ExitCode.FAILED


async def _to_its_end(
    lab: Lab, screen: Screen, session: CalibrationSession, manner: Manner, live: LiveView | None
) -> Sight:
    """The last sight of a session that is begun here. Ctrl-C cancels it and waits; a second one leaves it."""
    given = named(session, manner.name, manner.place.namespace) if manner.name else session
    name = (await lab.create(given)).name
    try:
        return await _followed(lab, name, live)
    except asyncio.CancelledError:
        waits = asyncio.current_task()
        if waits is not None:
            waits.uncancel()
        screen.complain(f"cancelling session {name}: waiting for its tasks to stop; Ctrl-C again leaves it")
    try:
        await lab.change(name, Change(cancel=True))
    except RefusedError:
        # It has ended in this very moment, which its last sight says.
        pass
    except asyncio.CancelledError:
        _left(screen, name, manner.place)
        raise
    try:
        return await _followed(lab, name, live)
    except asyncio.CancelledError:
        _left(screen, name, manner.place)
        raise


def _left(screen: Screen, name: str, place: Place) -> None:
    if place.where is Where.CLUSTER:
        screen.complain(f"session {name} is left to itself: {place.again('watch', name)} shows how it ends")


async def _followed(lab: Lab, name: str, live: LiveView | None) -> Sight:
    last: Sight | None = None
    async for sight in lab.follow(name):
        last = sight
        if live is not None:
            live.update(sight)
    if last is None:
        raise NotDoneError(f"nothing was seen of session {name}: ask again how it stands")
    return last


def _why(last: Sight) -> str:
    """Why a session did not complete, in its own words or those of what failed in it."""
    status = last.session.status
    failed = [row for row in last.tasks if row.status == "failed" and row.message]
    # A change of records is about the chip as a whole: its name adds nothing.
    words = [
        row.message if row.qid == "" else f"{row.task} on {spoken_target(row.qid)}: {row.message}" for row in failed
    ]
    said = "\n".join(dict.fromkeys(words)) or status.message
    return said or f"session {last.session.name} ended as {spoken(str(status.phase))}"
