"""``kubecal logs``: what a session's tasks wrote."""

from __future__ import annotations

from dataclasses import dataclass

from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.screen import Screen, printable
from kubecal.lab.lab import Lab


@dataclass(frozen=True)
class LogsAsked:
    """Whose lines are asked for; empty: of all."""

    session: str
    task: str = ""
    target: str = ""
    follow: bool = False


async def show_logs(lab: Lab, screen: Screen, asked: LogsAsked) -> int:
    """Print the lines as they come."""
    shown = False
    async for line in lab.logs(asked.session, task=asked.task, target=asked.target, follow=asked.follow):
        screen.out.file.write(printable(line) + "\n")
        screen.out.file.flush()
        shown = True
    if not shown:
        only = " ".join(word for word in (asked.task, f"on {asked.target}" if asked.target else "") if word)
        screen.remark(f"no task of {asked.session} {f'({only}) ' if only else ''}wrote anything")
    return ExitCode.DONE
