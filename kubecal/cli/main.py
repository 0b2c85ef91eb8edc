"""``kubecal``: one file per verb, imported only when the verb is called, so that help is instant."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kubecal import __version__

OWN_MISTAKE = 70
"""``EX_SOFTWARE`` of sysexits.h."""

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
leave their instrument in order. A second Ctrl-C kills them."""


@app.command(epilog=_EXIT_CODES)
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
    all_values: Annotated[
        bool, typer.Option("--all-values", help="In the closing table also the values of fits and of the readout.")
    ] = False,
) -> None:
    """Run the sessions of the manifests on this computer, a process per task."""
    from kubecal.cli.run import RunOptions, run_files

    raise typer.Exit(run_files(files, RunOptions(mongo_uri, figures, jobs, all_values)))


_EXPLAIN_EXIT_CODES = """\b
Exit codes:
  0      explained
  1      there is no such session
  2      the operator could not be asked; the message says what to do

The operator is asked through kubectl, with your kubeconfig: you need the right
to get services/proxy in its namespace. Sessions of kubecal run have no operator:
this command is for those on a cluster."""


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"


@app.command(epilog=_EXPLAIN_EXIT_CODES)
def explain(
    session: Annotated[str, typer.Argument(help="Name of a CalibrationSession.")],
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Its namespace; default: the one of the kubeconfig's context.")
    ] = "",
    output: Annotated[Format, typer.Option("--output", "-o", help="How to write it.")] = Format.TABLE,
    context: Annotated[str, typer.Option(help="Context of the kubeconfig; default: the current one.")] = "",
    operator_namespace: Annotated[str, typer.Option(help="Where the operator is installed.")] = "kubecal",
    release: Annotated[str, typer.Option(help="Name of the operator's Helm release.")] = "kubecal",
) -> None:
    """Say of every task of a session on a cluster that does not run, why."""
    from kubecal.cli.explain import explain_session
    from kubecal.cli.kubectl import Operator

    operator = Operator(context, operator_namespace, release)
    raise typer.Exit(explain_session(session, namespace, operator, as_json=output is Format.JSON))


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
def export_tasks(
    configmap: Annotated[
        str, typer.Option(help="Print it as a ConfigMap of this name, for Chip.spec.pods.images; default: as JSON.")
    ] = "",
) -> None:
    """Print the catalogue of the tasks and backends that are installed here.

    As JSON it is the chart's tasks.catalogue. As a ConfigMap it belongs into the namespace of the chips that allow
    this image: kubecal tasks export --configmap mylab-catalogue | kubectl apply --server-side -n lab -f -
    """
    from kubecal.cli.tasks import export_catalogue

    raise typer.Exit(export_catalogue(configmap))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"kubecal {__version__}")


def main() -> None:
    """The console script. Whatever happens, a person gets a sentence."""
    try:
        app()
    except Exception as error:
        sys.exit(_own_mistake(error))


def _own_mistake(error: Exception) -> int:
    """Say that this is a bug, and keep what is needed to find it."""
    text = "".join(traceback.format_exception(error))
    where = "it could not be kept"
    with (
        contextlib.suppress(OSError),
        tempfile.NamedTemporaryFile("w", prefix="kubecal-", suffix=".log", delete=False) as trace,
    ):
        trace.write(text)
        where = f"its trace is in {trace.name}: please report it"
    with contextlib.suppress(OSError):
        print(f"kubecal made a mistake ({type(error).__name__}: {error}); {where}", file=sys.stderr)
    return OWN_MISTAKE
