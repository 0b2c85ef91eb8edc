"""``kubecal run`` on a cluster: manifests are applied, and their sessions watched to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from kubecal.api.manifests import load_manifests
from kubecal.cli.acting.applying import apply_files
from kubecal.cli.answering import carry_out
from kubecal.cli.closing import outcome_of, print_outcome
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.following import to_their_end
from kubecal.cli.form import Form
from kubecal.cli.live import LiveView
from kubecal.cli.place import Place
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Lab, StandingSession
from kubecal.local.catalogue import installed_catalogue


def run_on_cluster(files: Sequence[Path], place: Place, *, all_values: bool) -> int:
    """Apply and watch; the exit code, as ``kubecal run --help`` lists them."""
    code = apply_files(files, place, dry_run=False)
    if code != ExitCode.DONE:
        return code
    names = [session.metadata.name for session in load_manifests(files).sessions]
    return carry_out(
        place, Form.TABLE, lambda lab, screen: watch_to_their_end(lab, screen, names, place, all_values=all_values)
    )


async def watch_to_their_end(
    lab: Lab, screen: Screen, names: Sequence[str], place: Place, *, all_values: bool = False
) -> int:
    """Show sessions until all have ended, and what came out of them."""
    for name in names:
        there = await lab.session(name)
        if _over(there):
            screen.remark(
                f"session {name} has run before, as execution {there.status.execution_id or 'none'}: "
                "to run it again, give it another name, or delete it first"
            )
    with LiveView(screen.out) as live:
        ended = [sight.session for sight in await to_their_end(lab, screen, names, place, live)]
    catalogue = await asyncio.to_thread(installed_catalogue)
    for session in ended:
        print_outcome(screen.out, await outcome_of(lab, session), catalogue, all_values=all_values)
    return ExitCode.DONE if all(session.status.phase == "Completed" for session in ended) else ExitCode.FAILED


def _over(session: StandingSession) -> bool:
    return session.status.phase is not None and session.status.phase.final
