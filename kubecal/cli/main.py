"""``kubecal``, also ``kubectl kubecal``: verbs in groups of their own, each imported only when it is called."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import traceback

import typer

from kubecal.cli.declaring import Group
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.place import invoked_as
from kubecal.cli.verbs import about, acting, looking, params, running

app = typer.Typer(
    name="kubecal",
    cls=Group,
    help="Calibrate superconducting quantum processors, on a Kubernetes cluster or on this computer.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (running, looking, params, acting, about):
    app.add_typer(group.app)


def main() -> None:
    """The console script. Whatever happens, a person gets a sentence."""
    try:
        app(prog_name=invoked_as(sys.argv))
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
    return ExitCode.OWN_MISTAKE
