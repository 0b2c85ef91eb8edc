"""``kubecal``, also ``kubectl kubecal``: verbs in groups of their own, each imported only when it is called."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
import traceback

import typer

from kubecal.cli.declaring import Group
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.place import invoked_as
from kubecal.cli.verbs import about, acting, looking, params, running

_NO_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EIO)

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
    except OSError as error:
        sys.exit(_unwritable(error) if error.filename is None and error.errno in _NO_OUTPUT else _own_mistake(error))
    except Exception as error:
        sys.exit(_own_mistake(error))


def _unwritable(error: OSError) -> int:
    """Say that what was asked for could not be written."""
    with contextlib.suppress(OSError):
        # The interpreter would flush what is left at its end, and fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"standard output cannot be written ({error.strerror})", file=sys.stderr)
    return ExitCode.NOT_DONE


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
