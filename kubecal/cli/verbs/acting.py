"""Verbs that act: on sessions, on results, on parameters, on chips; and the one that shows what would be done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from kubecal.cli.declaring import CHANGE, LOOK, RUN, Group, ProjectOption, verb, verbs
from kubecal.cli.form import Form, FormOption
from kubecal.cli.place import Place
from kubecal.cli.verbs.looking import ExecutionArgument, TargetsOption, TasksOption
from kubecal.cli.verbs.params import ChipArgument, params

app = verbs()

_EXIT_CODES = """\b
Exit codes:
  0      done; a session that was begun completed
  1      there is no such thing, or the session failed or was cancelled
  2      it could not be done: command line, lab, records, a refusal; the
         message says what to do
  70     a mistake of kubecal itself; the message says where its trace is
  128+n  stopped by signal n (130: Ctrl-C, which cancels the session)"""

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the session's manifest, and do nothing.")]
NameOption = Annotated[str, typer.Option(metavar="NAME", help="Of the session; default: one that is free.")]
NoteOption = Annotated[str, typer.Option(metavar="TEXT", help="Kept with the execution.")]
SessionsArgument = Annotated[list[str], typer.Argument(metavar="SESSION", help="Names.", show_default=False)]

_PLAN_EXIT_CODES = """\b
Exit codes:
  0      planned
  1      there is no such chip or execution
  2      it cannot be planned; every line says what to correct

Durations are the catalogue's estimates on instruments, at the tasks' default
sweeps. What a filter would leave out is planned as if it passed."""


@verb(app, RUN, epilog=_PLAN_EXIT_CODES)
def plan(
    place: Place,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Manifests, as for kubecal run.", show_default=False)
    ],
    everything: Annotated[bool, typer.Option("--all", help="Every MUX, and the critical path whole.")] = False,
    output: FormOption = Form.TABLE,
) -> None:
    """Show how sessions would go, and how long; run nothing."""
    from kubecal.cli.planning.verb import plan_files

    raise typer.Exit(plan_files(files, place, output, everything=everything))


@verb(app, RUN)
def apply(
    place: Place,
    files: Annotated[
        list[Path], typer.Option("--file", "-f", metavar="FILE", help="Manifests; may be repeated.", show_default=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Let the server check them, and change nothing.")] = False,
) -> None:
    """Hand manifests to a cluster, and return."""
    from kubecal.cli.acting.applying import apply_files

    raise typer.Exit(apply_files(files, place, dry_run=dry_run))


WaitOption = Annotated[bool, typer.Option("--wait", help="Until the session has ended.")]


@verb(app, RUN)
def cancel(place: Place, sessions: SessionsArgument, wait: WaitOption = False) -> None:
    """Stop sessions: running tasks stop, nothing new starts."""
    from kubecal.cli.acting.changing import CANCEL, change_sessions
    from kubecal.cli.answering import carry_out

    raise typer.Exit(
        carry_out(place, Form.TABLE, lambda lab, at: change_sessions(lab, at, sessions, CANCEL, place, wait=wait))
    )


@verb(app, RUN)
def suspend(place: Place, sessions: SessionsArgument) -> None:
    """Let running tasks finish, and start nothing new."""
    from kubecal.cli.acting.changing import SUSPEND, change_sessions
    from kubecal.cli.answering import carry_out

    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, at: change_sessions(lab, at, sessions, SUSPEND, place)))


@verb(app, RUN)
def resume(place: Place, sessions: SessionsArgument) -> None:
    """Let suspended sessions go on."""
    from kubecal.cli.acting.changing import RESUME, change_sessions
    from kubecal.cli.answering import carry_out

    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, at: change_sessions(lab, at, sessions, RESUME, place)))


@verb(app, RUN, epilog=_EXIT_CODES)
def rerun(
    place: Place,
    execution: ExecutionArgument = "latest",
    task: TasksOption = None,
    target: TargetsOption = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="[TASK.]NAME=VALUE", help="Run parameter, like shots=4096; may be repeated."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--override", metavar="ID.NAME=VALUE", help="Input, like 0.qubit_frequency=4.9; may be repeated."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what has not succeeded.")] = False,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="With the inputs it had then.")] = False,
    publish_when: Annotated[
        str, typer.Option("--publish", metavar="WHEN", help="OnSuccess, Review or Never; default: as it was.")
    ] = "",
    name: NameOption = "",
    note: NoteOption = "",
    dry_run: DryRunOption = False,
    project: ProjectOption = "default",
) -> None:
    """Run an execution again, or some of its tasks.

    With --task or --target only measurements are repeated, no changes of records. One task with more shots:
    kubecal rerun latest --task CheckT1 --target 3 --set shots=4096
    """
    from kubecal.cli.acting.beginning import Manner, whoever
    from kubecal.cli.acting.repeating import Meant
    from kubecal.cli.acting.repeating import rerun as work
    from kubecal.cli.answering import carry_out
    from kubecal.lab.manifests import Signed
    from kubecal.lab.rerun import Rerun

    meant = Meant(execution, project, Manner(place, dry_run, name, Signed(whoever(), note)))
    wanted = Rerun(task or (), target or (), settings or (), overrides or (), failed, snapshot, publish_when)
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, at: work(lab, at, meant, wanted)))


@verb(app, CHANGE, epilog=_EXIT_CODES)
def publish(
    place: Place,
    execution: ExecutionArgument,
    target: TargetsOption = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this parameter; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    name: NameOption = "",
    note: NoteOption = "",
    dry_run: DryRunOption = False,
    project: ProjectOption = "default",
) -> None:
    """Make results current, after a look at old and new."""
    from kubecal.cli.acting.beginning import Manner, whoever
    from kubecal.cli.acting.publishing import publish as work
    from kubecal.cli.acting.repeating import Meant
    from kubecal.cli.answering import carry_out
    from kubecal.lab.manifests import Signed

    meant = Meant(execution, project, Manner(place, dry_run, name, Signed(whoever(), note)))
    raise typer.Exit(
        carry_out(place, Form.TABLE, lambda lab, at: work(lab, at, meant, target or (), parameter or (), yes=yes))
    )


@verb(app, CHANGE, epilog=_EXIT_CODES)
def reanalyse(
    place: Place,
    execution: ExecutionArgument,
    task: TasksOption = None,
    target: TargetsOption = None,
    publish_them: Annotated[
        bool, typer.Option("--publish", help="Good results become current, unless what is current is newer.")
    ] = False,
    name: NameOption = "",
    note: NoteOption = "",
    dry_run: DryRunOption = False,
    project: ProjectOption = "default",
) -> None:
    """Analyse stored raw data with the present code."""
    from kubecal.cli.acting.beginning import Manner, whoever
    from kubecal.cli.acting.repeating import Meant
    from kubecal.cli.acting.repeating import reanalyse as work
    from kubecal.cli.answering import carry_out
    from kubecal.lab.manifests import Signed

    meant = Meant(execution, project, Manner(place, dry_run, name, Signed(whoever(), note)))
    raise typer.Exit(
        carry_out(
            place, Form.TABLE, lambda lab, at: work(lab, at, meant, task or (), target or (), publish=publish_them)
        )
    )


@verb(app, CHANGE, epilog=_EXIT_CODES)
def exclude(
    place: Place,
    results: Annotated[
        list[str], typer.Argument(metavar="TASK_ID", help="As kubecal results -o wide shows it.", show_default=False)
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; others will ask.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Count them again.")] = False,
    name: NameOption = "",
    dry_run: DryRunOption = False,
) -> None:
    """Take results out of statistics and filters."""
    from kubecal.cli.acting.beginning import Manner
    from kubecal.cli.acting.setting import exclude as work
    from kubecal.cli.answering import carry_out

    manner = Manner(place, dry_run, name)
    raise typer.Exit(
        carry_out(place, Form.TABLE, lambda lab, at: work(lab, at, results, reason, undo=undo, manner=manner))
    )


# ---------------------------------------------------------------- parameters by hand


@verb(params, name="set", epilog=_EXIT_CODES)
def set_parameters(
    place: Place,
    chip: ChipArgument,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Id of a qubit or coupling.", show_default=False)],
    values: Annotated[
        list[str],
        typer.Argument(metavar="NAME=VALUE", help="Like qubit_frequency=4.913±0.001.", show_default=False),
    ],
    name: NameOption = "",
    note: NoteOption = "",
    dry_run: DryRunOption = False,
) -> None:
    """Set values by hand; they are recorded as such.

    The error may be left out, and written as ± or +-; another unit than the parameter's is converted: t1=0.03ms.
    """
    from kubecal.cli.acting.beginning import Manner, whoever
    from kubecal.cli.acting.setting import set_parameters as work
    from kubecal.cli.answering import carry_out
    from kubecal.lab.manifests import Signed

    manner = Manner(place, dry_run, name, Signed(whoever(), note))
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, at: work(lab, at, chip, target, values, manner)))


@verb(params, name="import", epilog=_EXIT_CODES)
def import_parameters(
    place: Place,
    chip: ChipArgument,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="As params export prints, or a folder of qubex's files.", show_default=False
        ),
    ],
    in_files: Annotated[
        str, typer.Option("--chip-in-files", metavar="NAME", help="The chip's name in qubex's files.")
    ] = "",
    name: NameOption = "",
    note: NoteOption = "",
    dry_run: DryRunOption = False,
) -> None:
    """Set what a file holds."""
    from kubecal.cli.acting.beginning import Manner, whoever
    from kubecal.cli.acting.setting import import_values
    from kubecal.cli.answering import carry_out
    from kubecal.lab.manifests import Signed

    manner = Manner(place, dry_run, name, Signed(whoever(), note))
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, at: import_values(lab, at, chip, path, in_files, manner)))


@verb(params, epilog=_EXIT_CODES)
def revert(
    place: Place,
    execution: ExecutionArgument,
    name: NameOption = "",
    note: NoteOption = "",
    dry_run: DryRunOption = False,
    project: ProjectOption = "default",
) -> None:
    """Take back what an execution published."""
    from kubecal.cli.acting.beginning import Manner, whoever
    from kubecal.cli.acting.repeating import Meant
    from kubecal.cli.acting.setting import revert as work
    from kubecal.cli.answering import carry_out
    from kubecal.lab.manifests import Signed

    meant = Meant(execution, project, Manner(place, dry_run, name, Signed(whoever(), note)))
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, at: work(lab, at, meant)))


# ---------------------------------------------------------------- chips

_SHOW = "show"


class Chips(Group):
    """``kubecal chip NAME`` is ``kubecal chip show NAME``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: typer keeps these classes to itself
        """A first word that is no verb is a chip."""
        known = args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else [_SHOW, *args])


chips = verbs("A chip as a lattice; list them, or import one.", Chips)
app.add_typer(chips, name="chip", rich_help_panel=LOOK)


@verb(chips, name=_SHOW)
def show_chip(
    place: Place,
    chip: ChipArgument,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Parameter that the lattice shows, like t1.")] = "",
    output: FormOption = Form.TABLE,
) -> None:
    """Show a chip as a lattice; also without the word show."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.chips.showing import ChipAsked
    from kubecal.cli.chips.showing import show_chip as work

    raise typer.Exit(carry_out(place, output, lambda lab, at: work(lab, at, ChipAsked(chip, by))))


@verb(chips, name="list")
def list_chips(place: Place, output: FormOption = Form.TABLE, project: ProjectOption = "default") -> None:
    """List chips; the same as kubecal get chips."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.get import CHIPS, GetAsked, get

    asked = GetAsked([CHIPS], place, project)
    raise typer.Exit(carry_out(place, output, lambda lab, at: get(lab, at, asked)))


_IMPORT_EXIT_CODES = """\b
Exit codes:
  0      imported
  2      something in the files is wrong; every line says what to correct

What is not known is named on standard error and left out. Look at the result
with kubecal plan, or try it as it is: its backend is the simulator."""


@verb(chips, name="import", epilog=_IMPORT_EXIT_CODES)
def import_chip(
    topology: Annotated[Path, typer.Option(help="QDash's topology file.")],
    wiring: Annotated[Path | None, typer.Option(help="Qubex's wiring file.")] = None,
    boxes: Annotated[Path | None, typer.Option(help="Qubex's box file: ports are checked against it.")] = None,
    chips_file: Annotated[
        Path | None, typer.Option("--chips", help="Qubex's chip file: sizes are checked against it.")
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help="Folder with a file for each parameter: printed as a session that sets them.")
    ] = None,
    name: Annotated[str, typer.Option(help="The chip's name in the files; default: the only one.")] = "",
    backend: Annotated[str, typer.Option(help="Backend of the chip; default: fake, the simulator.")] = "",
) -> None:
    """Print the manifest of a Chip that files of QDash and qubex describe."""
    from kubecal.cli.answering import answer
    from kubecal.cli.chips.importing import import_files
    from kubecal.importing import ChipFiles

    files = ChipFiles(topology, wiring, boxes, chips_file, params, name, backend)
    raise typer.Exit(answer(Form.YAML, lambda screen: import_files(screen, files)))
