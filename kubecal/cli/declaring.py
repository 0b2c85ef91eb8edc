"""How verbs are declared: one line a verb in the help, in sections, and the same options for which lab it speaks to.

Nothing is imported here that makes ``kubecal --help`` wait: a verb imports its work when it is called.
"""

from __future__ import annotations

import functools
import inspect
import signal
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from kubecal.cli.exit_codes import STOPPED, ExitCode
from kubecal.cli.place import PlaceError, Said, chosen_place

RUN, LOOK, CHANGE, ABOUT = "Run", "Look", "Change what is kept", "About kubecal"
SECTIONS = (RUN, LOOK, CHANGE, ABOUT)
"""Of the verbs in ``kubecal --help``, in this order."""
_WHICH_LAB = "Which lab"
_OPTIONS, _ARGUMENTS = "Options", "Arguments"

EXIT_CODES = """\b
Exit codes:
  0      done
  1      there is no such thing
  2      it could not be done: command line, lab or records; the message says
         what to do
  70     a mistake of kubecal itself; the message says where its trace is
  128+n  stopped by signal n (130: Ctrl-C, 141: nobody reads the output)"""
"""Of verbs that only look. The mark \\b keeps the lines as they are."""

_ClusterOption = Annotated[
    bool,
    typer.Option("--cluster", help="The cluster of your kubeconfig.", rich_help_panel=_WHICH_LAB),
]
_LocalOption = Annotated[
    bool,
    typer.Option("--local", help="This computer, whatever KUBECAL_LAB says.", rich_help_panel=_WHICH_LAB),
]
_NamespaceOption = Annotated[
    str,
    typer.Option(
        "--namespace",
        "-n",
        metavar="NAME",
        help="Namespace on the cluster; default: the one of the context.",
        rich_help_panel=_WHICH_LAB,
    ),
]
_ContextOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Context of your kubeconfig; default: the current one.",
        rich_help_panel=_WHICH_LAB,
    ),
]
_OperatorNamespaceOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Where the operator is installed; default: kubecal.",
        rich_help_panel=_WHICH_LAB,
    ),
]
_ReleaseOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Name of the operator's Helm release; default: kubecal.",
        rich_help_panel=_WHICH_LAB,
    ),
]
_MongoUriOption = Annotated[
    str,
    typer.Option(
        metavar="URI",
        help="This computer, with this MongoDB replica set instead of the embedded server; also KUBECAL_MONGO_URI.",
        rich_help_panel=_WHICH_LAB,
    ),
]

_LAB_OPTIONS: dict[str, Any] = {  # Any: annotations, which have no type of their own
    "cluster": _ClusterOption,
    "local": _LocalOption,
    "namespace": _NamespaceOption,
    "context": _ContextOption,
    "operator_namespace": _OperatorNamespaceOption,
    "release": _ReleaseOption,
    "mongo_uri": _MongoUriOption,
}
_FLAGS = ("cluster", "local")


ProjectOption = Annotated[str, typer.Option(metavar="ID", help="Project whose records are read.")]


def verbs(help_text: str = "", group: type[TyperGroup] | None = None) -> typer.Typer:
    """A group of verbs: nameless ones are merged into ``kubecal`` itself, others are a verb with verbs of its own.

    Parameters
    ----------
    group
        Its class, where it needs one of its own; default Group.
    """
    return typer.Typer(
        cls=group or Group, help=help_text, no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )


def verb(
    app: typer.Typer, section: str = "", *, name: str | None = None, epilog: str = EXIT_CODES
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a function as a verb.

    A first parameter ``place: Place`` is given by the options that say which lab the verb speaks to.

    Parameters
    ----------
    section
        One of SECTIONS; empty for verbs of a group with a name.
    epilog
        What stands below its help: its exit codes.
    """

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        placed = _with_lab_options(function) if "place" in inspect.signature(function).parameters else function
        app.command(name, cls=Verb, rich_help_panel=section or None, epilog=epilog or None)(_stoppable(placed))
        return function

    return declare


def _stoppable(function: Callable[..., None]) -> Callable[..., None]:
    """The function with Ctrl-C answered before anything was begun; what has begun answers it in its own way."""

    @functools.wraps(function)
    def stopped(**arguments: Any) -> None:  # Any: whatever the verb declares
        try:
            function(**arguments)
        except KeyboardInterrupt:
            raise typer.Exit(STOPPED + signal.SIGINT) from None

    return stopped


def _with_lab_options(function: Callable[..., None]) -> Callable[..., None]:
    """The function with the options that say which lab in the place of its parameter ``place``."""
    own = inspect.signature(function, eval_str=True).parameters

    @functools.wraps(function)
    def chosen(**arguments: Any) -> None:  # Any: whatever the verb declares
        said = Said(**{name: arguments.pop(name) for name in _LAB_OPTIONS})
        try:
            place = chosen_place(said)
        except PlaceError as error:
            typer.echo(error, err=True)
            raise typer.Exit(ExitCode.NOT_DONE) from error
        function(place=place, **arguments)

    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name in _FLAGS else "", annotation=annotation
        )
        for name, annotation in _LAB_OPTIONS.items()
    ]
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, parameter in own.items() if name != "place"
    ] + options
    chosen.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    chosen.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return chosen


class Verb(TyperCommand):
    """A verb whose options are shown in sections."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # Any: typer keeps these classes to itself
        """Arguments, the verb's own options, and which lab it speaks to."""
        sections: dict[str, list[tuple[str, str]]] = {_ARGUMENTS: [], _OPTIONS: []}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                panel = getattr(parameter, "rich_help_panel", None)
                argument = parameter.param_type_name == "argument"
                sections.setdefault(panel or (_ARGUMENTS if argument else _OPTIONS), []).append(row)
        _write(formatter, sections)


class Group(TyperGroup):
    """Verbs that are shown in sections."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # Any: typer keeps these classes to itself
        """A line a verb, under the headings of SECTIONS."""
        shown = [(name, self.commands[name]) for name in self.list_commands(ctx) if not self.commands[name].hidden]
        room = formatter.width - 6 - max(len(name) for name, _ in shown)
        sections: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
        for name, command in shown:
            section = getattr(command, "rich_help_panel", None)
            sections.setdefault(section if isinstance(section, str) else "Verbs", []).append(
                (name, command.get_short_help_str(room))
            )
        _write(formatter, sections)


def _write(formatter: Any, sections: dict[str, list[tuple[str, str]]]) -> None:  # Any: as above
    rows: Sequence[tuple[str, str]]
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)
