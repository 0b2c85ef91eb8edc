"""``kubecal cancel``, ``suspend`` and ``resume``: sessions that run are told so, wherever they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubecal.api.session_status import Phase
from kubecal.cli.answering import NotDoneError, failed
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Change, Lab, LabError, StandingSession
from kubecal.reading.quantities import spoken


@dataclass(frozen=True)
class Told:
    """What sessions are told."""

    verb: str
    change: Change
    done: str
    """In words, when they were: ``is being cancelled``."""
    already: tuple[Phase, ...] = ()
    """Phases in which there is nothing to change."""


CANCEL = Told(
    "cancel",
    Change(cancel=True),
    "is being cancelled: its running tasks stop first",
    (Phase.CANCELLING, Phase.CANCELLED),
)
SUSPEND = Told("suspend", Change(suspend=True), "is being suspended: its running tasks finish, nothing new starts")
RESUME = Told("resume", Change(suspend=False), "goes on")


async def change_sessions(
    lab: Lab, screen: Screen, names: Sequence[str], told: Told, place: Place, *, wait: bool = False
) -> int:
    """Tell each session; one that cannot be told keeps no other from it. The exit code is the worst."""
    code = int(ExitCode.DONE)
    for name in dict.fromkeys(names):
        try:
            code = max(code, await _change(lab, screen, name, told, place, wait=wait))
        except (LabError, NotDoneError) as error:
            code = max(code, failed(screen, error))
    return code


async def _change(lab: Lab, screen: Screen, name: str, told: Told, place: Place, *, wait: bool) -> int:
    standing = await lab.session(name)
    phase = standing.status.phase
    if phase is not None and phase.final and phase not in told.already:
        raise NotDoneError(f"session {name} {_spoken_phase(standing)}: there is nothing to {told.verb}")
    if _has_it(standing, told):
        screen.say(f"session {name} {_spoken_phase(standing)} already")
    else:
        await lab.change(name, told.change)
        screen.say(f"session {name} {told.done}")
    if not wait:
        return ExitCode.DONE
    async for sight in lab.follow(name):
        standing = sight.session
    screen.say(f"session {name} {_spoken_phase(standing)}")
    return ExitCode.DONE


def _has_it(standing: StandingSession, told: Told) -> bool:
    """Whether it is already as it should be."""
    wanted = told.change.suspend
    return standing.status.phase in told.already or (wanted is not None and standing.session.spec.suspend == wanted)


def _spoken_phase(standing: StandingSession) -> str:
    phase = standing.status.phase
    verb = "has" if phase in (Phase.COMPLETED, Phase.PARTIALLY_FAILED, Phase.FAILED) else "is"
    return f"{verb} {spoken(str(phase or Phase.PENDING))}"
