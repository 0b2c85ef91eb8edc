"""Sessions that a verb makes: printed, or begun and followed to their end."""

from __future__ import annotations

import asyncio
import getpass
import re
from dataclasses import dataclass, field

from kubecal.api.naming import spoken_target
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import Phase
from kubecal.api.yaml_text import yaml_text
from kubecal.cli.closing import RunOutcome, print_outcome
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.following import to_their_end
from kubecal.cli.live import LiveView
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Lab, Sight
from kubecal.lab.manifests import Signed, named, written
from kubecal.local.catalogue import installed_catalogue
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


def dry_run(screen: Screen, session: CalibrationSession, manner: Manner, name: str) -> int:
    """Print the manifest, under the name that was given, or else this one."""
    plain = re.sub(r"[^a-z0-9-]+", "-", name.lower())[:63].strip("-")
    whole = named(session, manner.name or plain, manner.place.namespace)
    screen.out.file.write(yaml_text(written(whole)))
    screen.out.file.flush()
    return ExitCode.DONE


async def record_change(lab: Lab, screen: Screen, session: CalibrationSession, manner: Manner) -> int:
    """Begin a session of one change of the records, and say what became of it."""
    if manner.dry_run:
        return dry_run(screen, session, manner, f"{session.spec.chip}-{session.spec.flow_name}")
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
        return dry_run(screen, session, manner, f"{session.spec.flow_name}-again")
    with LiveView(screen.out) as live:
        last = await _to_its_end(lab, screen, session, manner, live=live)
    execution = last.session.status.execution_id
    results = tuple(await lab.records.results(execution, project=project)) if execution else ()
    catalogue = await asyncio.to_thread(installed_catalogue)
    print_outcome(screen.out, RunOutcome(last.session, results), catalogue, all_values=False)
    return ExitCode.DONE if last.session.status.phase is Phase.COMPLETED else ExitCode.FAILED


async def _to_its_end(
    lab: Lab, screen: Screen, session: CalibrationSession, manner: Manner, live: LiveView | None
) -> Sight:
    """The last sight of a session that is begun here."""
    given = named(session, manner.name, manner.place.namespace) if manner.name else session
    name = (await lab.create(given)).name
    (last,) = await to_their_end(lab, screen, [name], manner.place, live)
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
