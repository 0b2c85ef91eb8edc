"""Verbs that look: at sessions, chips, executions, results, figures, and why things do not go on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kubecal.cli.completing import complete_executions, complete_kinds, complete_tasks
from kubecal.cli.declaring import EXIT_CODES, LOOK, RUN, ProjectOption, verb, verbs
from kubecal.cli.form import Form, FormOption
from kubecal.cli.place import Place

app = verbs()

ExecutionArgument = Annotated[
    str,
    typer.Argument(
        metavar="EXECUTION",
        help="Its id, the name of a session (its newest), or latest.",
        autocompletion=complete_executions,
        show_default=False,
    ),
]
TasksOption = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="Only of this task; may be repeated.", autocompletion=complete_tasks),
]
TargetsOption = Annotated[
    list[str] | None,
    typer.Option("--target", metavar="ID", help="Only of this qubit or coupling; may be repeated."),
]
FailedOption = Annotated[bool, typer.Option("--failed", help="Only of what failed.")]
SessionArgument = Annotated[str, typer.Argument(metavar="SESSION", help="Name of a session.", show_default=False)]


_WATCH_EXIT_CODES = """\b
Exit codes:
  0      the session completed
  1      it failed, in part or as a whole, or was cancelled; or there is none
  2      it could not be watched: command line, lab or records
  70     a mistake of kubecal itself; the message says where its trace is
  128+n  stopped by signal n (130: Ctrl-C, 141: nobody reads the output)

The session goes on when you stop watching."""


@verb(app, RUN, epilog=_WATCH_EXIT_CODES)
def watch(
    place: Place,
    session: Annotated[
        str,
        typer.Argument(metavar="SESSION", help="Name of a session; default: the one that runs.", show_default=False),
    ] = "",
) -> None:
    """Show a session while it runs, until it has ended."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.watch import WatchAsked, watch_session

    asked = WatchAsked(session, place)
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, screen: watch_session(lab, screen, asked)))


@verb(app, LOOK)
def get(
    place: Place,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="sessions, chips or executions; left out before a session's name.",
            autocompletion=complete_kinds,
            show_default=False,
        ),
    ] = "",
    name: Annotated[str, typer.Argument(metavar="NAME", help="One of them; default: all.", show_default=False)] = "",
    output: FormOption = Form.TABLE,
    chip: Annotated[str, typer.Option(metavar="NAME", help="Only on this chip.")] = "",
    session: Annotated[str, typer.Option(metavar="NAME", help="Only executions of this session.")] = "",
    tag: Annotated[str, typer.Option(metavar="TAG", help="Only executions with this tag.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="Most executions.")] = 50,
    project: ProjectOption = "default",
) -> None:
    """List sessions, chips or executions, or show one."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.get import GetAsked
    from kubecal.cli.get import get as work

    asked = GetAsked([word for word in (kind, name) if word], place, project, chip, session, tag, limit)
    raise typer.Exit(carry_out(place, output, lambda lab, screen: work(lab, screen, asked)))


@verb(app, LOOK)
def results(
    place: Place,
    execution: ExecutionArgument = "latest",
    output: FormOption = Form.TABLE,
    task: TasksOption = None,
    target: TargetsOption = None,
    failed: FailedOption = False,
    all_attempts: Annotated[bool, typer.Option("--all-attempts", help="Also attempts that were made again.")] = False,
    all_values: Annotated[
        bool, typer.Option("--all-values", help="Also the values of fits and of the readout.")
    ] = False,
    project: ProjectOption = "default",
) -> None:
    """Show what came out: failures first, values with errors."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.results import Chosen, ResultsAsked, show_results

    chosen = Chosen(task or (), target or (), failed, all_attempts)
    asked = ResultsAsked(execution, place, project, chosen, all_values)
    raise typer.Exit(carry_out(place, output, lambda lab, screen: show_results(lab, screen, asked)))


@verb(app, LOOK)
def figures(
    place: Place,
    execution: ExecutionArgument = "latest",
    task: TasksOption = None,
    target: TargetsOption = None,
    failed: FailedOption = False,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to; default: figures-EXECUTION.", show_default=False)
    ] = None,
    kind: Annotated[str, typer.Option("--format", metavar="svg|png|json", help="As which files.")] = "svg",
    open_them: Annotated[bool, typer.Option("--open", help="Open what was saved.")] = False,
    project: ProjectOption = "default",
) -> None:
    """Save the figures of an execution as files."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.figures import FiguresAsked, save
    from kubecal.cli.results import Chosen

    asked = FiguresAsked(execution, place, project, Chosen(task or (), target or (), failed), to, kind, open_them)
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, screen: save(lab, screen, asked)))


@verb(app, LOOK)
def report(
    place: Place,
    execution: ExecutionArgument = "latest",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to; default: report-EXECUTION.html.", show_default=False
        ),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it.")] = False,
    project: ProjectOption = "default",
) -> None:
    """Make one page of an execution: map, values, figures."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.report import ReportAsked, save_report

    asked = ReportAsked(execution, place, project, output, open_it)
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, screen: save_report(lab, screen, asked)))


@verb(app, LOOK)
def logs(
    place: Place,
    session: SessionArgument,
    task: Annotated[str, typer.Option(metavar="TASK", help="Only of this task.", autocompletion=complete_tasks)] = "",
    target: Annotated[str, typer.Option(metavar="ID", help="Only of this qubit or coupling.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the session has ended.")] = False,
) -> None:
    """Print what a session's tasks wrote."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.logs import LogsAsked, show_logs

    asked = LogsAsked(session, task, target, follow)
    raise typer.Exit(carry_out(place, Form.TABLE, lambda lab, screen: show_logs(lab, screen, asked)))


@verb(app, LOOK, epilog=EXIT_CODES)
def explain(place: Place, session: SessionArgument, output: FormOption = Form.TABLE) -> None:
    """Say of every task that does not run, why."""
    from kubecal.cli.answering import carry_out
    from kubecal.cli.explain import explain_session

    raise typer.Exit(carry_out(place, output, lambda lab, screen: explain_session(lab, screen, session)))
