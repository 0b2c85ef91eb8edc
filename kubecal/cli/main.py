"""``kubecal``: one file per verb, imported only when the verb is called, so that help is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kubecal import __version__

app = typer.Typer(
    name="kubecal",
    help="Calibrate superconducting quantum processors, on a Kubernetes cluster or on this computer.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tasks_app = typer.Typer(help="The tasks that are installed here.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(tasks_app, name="tasks")


@app.command()
def run(
    files: Annotated[list[Path], typer.Argument(help="Manifests, as for kubectl apply.")],
    mongo_uri: Annotated[
        str,
        typer.Option(help="Use this MongoDB replica set, not the embedded server.", envvar="KUBECAL_MONGO_URI"),
    ] = "",
    figures: Annotated[
        Path | None, typer.Option(help="Folder for the figures; default: one per execution under your data folder.")
    ] = None,
    jobs: Annotated[
        int,
        typer.Option(min=0, help="Most tasks at a time; 0: one a core on a simulated chip."),
    ] = 0,
) -> None:
    """Run the sessions of the manifests on this computer, a process per task. Exits with 0 only if all completed."""
    from kubecal.cli.run import run_files

    raise typer.Exit(run_files(files, mongo_uri=mongo_uri, figures=figures, jobs=jobs))


@app.command()
def crds(
    directory: Annotated[Path, typer.Argument(help="Folder to write to.")],
) -> None:
    """Write the CRDs of Chip and CalibrationSession, one YAML file each."""
    from kubecal.api.crds import write_crds

    for path in write_crds(directory):
        typer.echo(path)


@tasks_app.command("list")
def list_tasks() -> None:
    """Name every task with what it measures."""
    from kubecal.cli.tasks import print_tasks

    print_tasks()


@tasks_app.command("export")
def export_tasks() -> None:
    """Print the catalogue of the installed task classes, for the chart's tasks.catalogue."""
    from kubecal.cli.tasks import export_catalogue

    raise typer.Exit(export_catalogue())


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"kubecal {__version__}")


def main() -> None:
    """The console script."""
    sys.exit(app())
