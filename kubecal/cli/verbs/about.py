"""Verbs about kubecal itself: its tasks, its kinds, its version, and completion."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kubecal import __version__
from kubecal.cli.completing import complete_tasks
from kubecal.cli.declaring import ABOUT, verb, verbs
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form, FormOption

app = verbs()
tasks = verbs("The tasks there are: list, describe, export.")
app.add_typer(tasks, name="tasks", rich_help_panel=ABOUT)


class Shell(StrEnum):
    """Shells that can be taught to complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


class Kind(StrEnum):
    """What tasks act on."""

    QUBIT = "qubit"
    COUPLING = "coupling"
    MUX = "mux"
    CHIP = "chip"


@verb(tasks, name="list")
def list_tasks(
    kind: Annotated[Kind | None, typer.Option(help="Only those that act on one.", show_default=False)] = None,
    output: FormOption = Form.TABLE,
) -> None:
    """Name every task with what it measures."""
    from kubecal.api.catalogue import TargetKind
    from kubecal.cli.answering import answer
    from kubecal.cli.tasks import list_tasks as work

    chosen = TargetKind(kind.capitalize()) if kind else None
    raise typer.Exit(answer(output, lambda screen: work(screen, chosen)))


@verb(tasks)
def describe(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="Its name.", autocompletion=complete_tasks, show_default=False)
    ],
    output: FormOption = Form.TABLE,
) -> None:
    """Show what a task reads, writes, and what can be set."""
    from kubecal.cli.answering import answer
    from kubecal.cli.tasks import describe_task

    raise typer.Exit(answer(output, lambda screen: describe_task(screen, task)))


@verb(tasks, name="export", epilog="")
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


@verb(app, ABOUT, epilog="")
def crds(
    directory: Annotated[Path, typer.Argument(help="Folder to write to.")],
) -> None:
    """Write the CRDs of Chip and CalibrationSession."""
    from kubecal.api.crds import write_crds

    try:
        for path in write_crds(directory):
            typer.echo(path)
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename}: cannot be written ({error.strerror}): give another folder", err=True)
        raise typer.Exit(ExitCode.NOT_DONE) from error


_COMPLETION = """\b
To use it now and in every new shell:
  bash   echo 'eval "$(kubecal completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(kubecal completion zsh)"' >> ~/.zshrc
  fish   kubecal completion fish > ~/.config/fish/completions/kubecal.fish"""


@verb(app, ABOUT, epilog=_COMPLETION)
def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print what teaches your shell to complete what you type."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]  # what its option --show-completion prints

    typer.echo(get_completion_script(prog_name="kubecal", complete_var="_KUBECAL_COMPLETE", shell=shell.value))


@verb(app, ABOUT, epilog="")
def version() -> None:
    """Print the version."""
    typer.echo(f"kubecal {__version__}")
