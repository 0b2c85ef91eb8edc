"""``kubecal tasks``: what is installed, and its catalogue."""

from __future__ import annotations

import re
import sys

import yaml
from rich.console import Console
from rich.table import Table

from kubecal.api.catalogue import CONFIG_MAP_KEY, built_in_catalogue
from kubecal.local.catalogue import exported_catalogue
from kubecal.local.errors import LocalRunError

_NOT_EXPORTED = 2
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 253


def print_tasks() -> None:
    """A table of the built-in tasks."""
    table = Table(box=None, header_style="bold")
    for title in ("task", "acts on", "outputs", "measures"):
        table.add_column(title, overflow="fold")
    for task in built_in_catalogue().tasks:
        outputs = ", ".join(f"{o.name} ({o.unit})" if o.unit else o.name for o in task.outputs)
        table.add_row(task.name, task.kind.lower(), outputs, task.description.partition("\n")[0])
    Console().print(table)


def export_catalogue(config_map: str = "") -> int:
    """Print the catalogue of the installed classes; needs the extra ``tasks``. Returns the exit code.

    Parameters
    ----------
    config_map
        Name of the ConfigMap to print it as; empty: as JSON.
    """
    try:
        text = exported_catalogue().to_json()
        print(config_map_of(config_map, text) if config_map else text)
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return _NOT_EXPORTED
    return 0


def config_map_of(name: str, catalogue: str) -> str:
    """The manifest of a ConfigMap that holds a catalogue.

    Raises
    ------
    LocalRunError
        If no ConfigMap can have this name.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise LocalRunError(
            f"--configmap {name}: a ConfigMap cannot be called so: use at most {_LONGEST} lower-case letters, digits, "
            "- and ."
        )
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {CONFIG_MAP_KEY: catalogue}}
    return yaml.dump(body, Dumper=_Readable, sort_keys=False, allow_unicode=True)


class _Readable(yaml.SafeDumper):
    """Writes a text of many lines as a person would."""


def _in_lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _in_lines)
