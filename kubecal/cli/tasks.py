"""``kubecal tasks``: what is installed, and its catalogue."""

from __future__ import annotations

import subprocess
import sys

from rich.console import Console
from rich.table import Table

from kubecal.api.catalogue import built_in_catalogue


def print_tasks() -> None:
    """A table of the built-in tasks."""
    table = Table(box=None, header_style="bold")
    for title in ("task", "acts on", "outputs", "measures"):
        table.add_column(title, overflow="fold")
    for task in built_in_catalogue().tasks:
        outputs = ", ".join(f"{o.name} ({o.unit})" if o.unit else o.name for o in task.outputs)
        table.add_row(task.name, task.kind.lower(), outputs, task.description.partition("\n")[0])
    Console().print(table)


def export_catalogue() -> int:
    """Print the catalogue of the installed classes; needs the extra ``tasks``.

    The classes need numpy, which this light package must not import: another process has them.
    """
    return subprocess.run([sys.executable, "-m", "kubecal_tasks.framework.export"], check=False).returncode
