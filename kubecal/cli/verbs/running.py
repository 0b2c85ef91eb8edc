"""Verbs that carry sessions out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kubecal.cli.declaring import RUN, verb, verbs
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.place import Place, Where

app = verbs()

# The mark \b keeps the lines as they are.
_EXIT_CODES = """\b
Exit codes:
  0      every session completed
  1      a session failed, in part or as a whole, or was cancelled
  2      nothing could be run, or not to its end: command line, manifests,
         database, disk; the message says what to do
  70     a mistake of kubecal itself; the message says where its trace is
  128+n  stopped by signal n (130: Ctrl-C, 141: nobody reads the output)

Ctrl-C cancels: running tasks get the time of terminationGracePeriodSeconds to
leave their instrument in order. A second Ctrl-C kills them; on a cluster it
leaves them to stop without you."""


@verb(app, RUN, epilog=_EXIT_CODES)
def run(
    place: Place,
    files: Annotated[list[Path], typer.Argument(help="Manifests, as for kubectl apply.")],
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the figures; default: one per execution under your data folder.")
    ] = None,
    tasks: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            envvar="KUBECAL_TASKS",
            help="A Python file whose task classes the sessions may name; can be given several times. With "
            "KUBECAL_TASKS every verb knows them.",
        ),
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(min=0, help="Most tasks at a time; 0: one a core on a simulated chip."),
    ] = 0,
    all_values: Annotated[
        bool, typer.Option("--all-values", help="In the closing table also the values of fits and of the readout.")
    ] = False,
) -> None:
    """Run sessions to their end, and show what happens."""
    here = {"--figures": figures, "--tasks": tasks, "--jobs": jobs}
    if place.where is Where.CLUSTER:
        for option, given in here.items():
            if given:
                typer.echo(f"{option} is about runs on this computer: leave it out on a cluster", err=True)
                raise typer.Exit(ExitCode.NOT_DONE)
        from kubecal.cli.run_on_cluster import run_on_cluster

        raise typer.Exit(run_on_cluster(files, place, all_values=all_values))
    from kubecal.cli.run import RunOptions, run_files

    raise typer.Exit(run_files(files, RunOptions(place.mongo_uri, figures, jobs, all_values, tuple(tasks or ()))))
