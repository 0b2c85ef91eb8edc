"""``kubecal publish``: what an execution would change, in sigmas; then, if the user agrees, the change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.cli.acting.asking import agreed
from kubecal.cli.acting.beginning import record_change
from kubecal.cli.acting.repeating import Meant, measured
from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.screen import Screen
from kubecal.cli.values import change_text, target_order, value_text
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab
from kubecal.lab.manifests import publish_session
from kubecal.lab.publishing import Proposed, proposed
from kubecal.reading.records import NotRecordedError


async def publish(
    lab: Lab, screen: Screen, meant: Meant, targets: Sequence[str], parameters: Sequence[str], *, yes: bool
) -> int:
    """Show old and new, ask, and publish."""
    manner = meant.manner
    execution = await measured(lab, meant)
    results = await lab.records.results(execution.execution_id, project=meant.project)
    try:
        current = await lab.records.parameters(execution.chip, project=meant.project)
    except NotRecordedError:
        # The first values that a chip ever gets.
        current = ()
    everything = proposed(results, current)
    _known(everything, targets, parameters, execution.execution_id)
    found = proposed(results, current, targets=targets, parameters=parameters)
    fresh = [one for one in found if not (one.outdated or one.is_current)]
    session = publish_session(execution.chip, execution.execution_id, targets, parameters, manner.signed)
    if not manner.dry_run:
        if not fresh:
            raise NoSuchThingError(_nothing(found, execution.execution_id))
        screen.out.print(proposal_table(fresh))
        if len(fresh) < len(found):
            screen.say(f"left aside: {len(found) - len(fresh)} that are current already, or older than what is")
        what = "1 parameter" if len(fresh) == 1 else f"{len(fresh)} parameters"
        question = f"Publish {what} of execution {execution.execution_id} as current on {execution.chip}?"
        if not await agreed(screen, question, yes=yes):
            screen.complain("nothing was published")
            return ExitCode.FAILED
    return await record_change(lab, screen, session, manner)


def proposal_table(found: Sequence[Proposed]) -> Table:
    """Old and new under their qubit or coupling, with the change in sigmas."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("parameter", "now", "new", "unit", "change"):
        table.add_column(title, overflow="fold", justify="right" if title == "change" else "left")
    ordered = sorted(found, key=lambda one: (target_order(one.target), one.name))
    for target, some in groupby(ordered, lambda one: one.target):
        table.add_row(Text(spoken_target(target), style="bold", no_wrap=True))
        for one in some:
            now = value_text(one.current.value, one.current.error) if one.current is not None else "-"
            change = change_text(one.sigmas) if one.current is None or one.sigmas is not None else Text("")
            table.add_row(f"  {one.name}", now, value_text(one.value, one.error), one.unit, change)
    return table


def _known(found: Sequence[Proposed], targets: Sequence[str], parameters: Sequence[str], execution_id: str) -> None:
    """Say what is close where a target or parameter has nothing to publish."""
    for what, asked, there in (
        ("result on", targets, Counter(one.target for one in found)),
        ("parameter", parameters, Counter(one.name for one in found)),
    ):
        for name in asked:
            if name not in there:
                hint = did_you_mean(name, there)
                raise NoSuchThingError(f"execution {execution_id} has no accepted {what} {name!r}: {hint}")


def _nothing(found: Sequence[Proposed], execution_id: str) -> str:
    if found:
        return f"nothing of execution {execution_id} is left to publish: it is current already, or older than what is"
    return f"execution {execution_id} has no accepted results: there is nothing to publish"
