"""``kubecal run``: sessions on this computer, from manifests to a table of parameters."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from kubecal.api.manifests import ManifestError, load_manifests
from kubecal.cli.closing import print_outcome
from kubecal.cli.live import LiveView
from kubecal.cli.output import Output, console_on
from kubecal.local.catalogue import installed_catalogue
from kubecal.local.errors import LocalRunError
from kubecal.local.run import LocalRun, RunOutcome

NOT_COMPLETED = 1
NOT_RUN = 2
STOPPED = 128
"""Plus the number of the signal, as shells count it."""


@dataclass(frozen=True)
class RunOptions:
    """What the command line says besides the files."""

    mongo_uri: str = ""
    figures: Path | None = None
    jobs: int = 0
    all_values: bool = False


def run_files(files: Sequence[Path], options: RunOptions) -> int:
    """Run the manifests' sessions; the exit code, as ``kubecal run --help`` lists them."""
    errors = console_on(Output(sys.stderr))
    run: LocalRun | None = None

    def output_lost(error: OSError) -> None:
        if isinstance(error, BrokenPipeError) and run is not None and not run.ended:
            errors.print(
                "nobody reads the output any more: cancelling. To let a session run on, write to a file: "
                "kubecal run FILE > run.log"
            )
            run.stop(signal.SIGPIPE)
        elif not isinstance(error, BrokenPipeError):
            errors.print(f"standard output cannot be written ({error.strerror}): going on without it")

    console = console_on(Output(sys.stdout, output_lost))
    try:
        catalogue = installed_catalogue()
        with LiveView(console) as live:
            run = LocalRun(
                manifests=load_manifests(files),
                catalogue=catalogue,
                mongo_uri=options.mongo_uri,
                figures=options.figures,
                jobs=options.jobs,
                listener=live.update,
                notice=live.notice,
            )
            outcomes = run.run()
    except (ManifestError, LocalRunError) as error:
        errors.print(Text(str(error), style="red"))
        return NOT_RUN
    except KeyboardInterrupt:
        errors.print("stopped before any task was started")
        return STOPPED + signal.SIGINT
    for outcome in outcomes:
        print_outcome(console, outcome, catalogue, all_values=options.all_values)
    return _exit_code(outcomes, run.stopped_by)


def _exit_code(outcomes: Sequence[RunOutcome], stopped_by: signal.Signals | None) -> int:
    if all(outcome.session.status.phase == "Completed" for outcome in outcomes):
        return 0
    return NOT_COMPLETED if stopped_by is None else STOPPED + stopped_by
