"""``kubecal tasks``: what is installed here, one task in full, and the catalogue."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

import yaml
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kubecal.api.catalogue import CONFIG_MAP_KEY, CatalogueTask, Input, Output, RunParameter, TargetKind
from kubecal.cli.answering import failed
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form
from kubecal.cli.screen import Screen
from kubecal.cli.tables import Column, plain_table
from kubecal.engine.problems import did_you_mean
from kubecal.local.catalogue import exported_catalogue, installed_catalogue
from kubecal.local.errors import LocalRunError
from kubecal.reading.quantities import duration

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 253


def list_tasks(screen: Screen, kind: TargetKind | None = None) -> int:
    """Print a line a task."""
    try:
        tasks = [task for task in installed_catalogue().tasks if kind in (None, task.kind)]
    except LocalRunError as error:
        return failed(screen, error)
    screen.show(tasks, lambda: task_table(tasks, screen.form))
    return ExitCode.DONE


def describe_task(screen: Screen, name: str) -> int:
    """Print all that is known of one task."""
    try:
        by_name = installed_catalogue().task_by_name
    except LocalRunError as error:
        return failed(screen, error)
    if name not in by_name:
        screen.complain(f"there is no task {name!r}: {did_you_mean(name, by_name)}")
        return ExitCode.FAILED
    screen.show(by_name[name], lambda: task_card(by_name[name]))
    return ExitCode.DONE


def task_table(tasks: Sequence[CatalogueTask], form: Form) -> RenderableType:
    """A line a task: what it acts on and what it measures; wide: also how long it takes, and all it writes."""
    columns = (
        *(Column("task"), Column("acts on"), Column("takes", right=True, wide=True)),
        *(Column("measures", folds=True), Column("outputs", wide=True)),
    )
    rows = []
    for task in tasks:
        outputs = ", ".join(f"{one.name} ({one.unit})" if one.unit else one.name for one in task.outputs)
        does = task.description.partition("\n")[0]
        rows.append((task.name, task.kind.lower(), duration(task.duration_s), does, outputs))
    return plain_table(columns, rows, form)


def task_card(task: CatalogueTask) -> RenderableType:
    """One task: what it does, reads, writes, and what can be set."""
    about = f"acts on a {task.kind.lower()}, takes about {duration(task.duration_s)} on instruments"
    about += f", fails at R² <= {task.r2_threshold:g}" if task.r2_threshold is not None else ""
    about += ", can measure several qubits at once" if task.batch else ""
    parts: list[RenderableType] = [Text(task.name, style="bold"), _indented(task.description), _indented(about)]
    parts += _section(
        "run parameters", ("name", "default", "allowed", "what"), map(_run_parameter, task.run_parameters)
    )
    parts += _section("inputs", ("name", "unit", "of", "from"), map(_input, task.inputs))
    parts += _section("outputs", ("name", "unit", "holds for", "what"), map(_output, task.outputs))
    return Group(*parts)


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
        return ExitCode.NOT_DONE
    return ExitCode.DONE


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


def _section(title: str, columns: Sequence[str], rows: Any) -> list[RenderableType]:  # Any: an iterator of rows
    cells = list(rows)
    if not cells:
        return []
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*row)
    return [Text(), Text(title, style="bold"), Padding(table, (0, 0, 0, 2), expand=False)]


def _run_parameter(one: RunParameter) -> tuple[str, ...]:
    unit = f" {one.unit}" if one.unit else ""
    default = "from the inputs" if one.default is None else f"{_written(one.default)}{unit}"
    limits = [f"{value:.10g}" if value is not None else "" for value in (one.minimum, one.maximum)]
    allowed = ", ".join(one.choices) or ("...".join(limits) + unit if any(limits) else one.kind.lower())
    return (one.name, default, allowed, one.description)


def _input(one: Input) -> tuple[str, ...]:
    needed = one.hint if one.required else f"{one.hint} (optional)".lstrip()
    return (one.name, one.unit, one.role, needed)


def _output(one: Output) -> tuple[str, ...]:
    return (one.name, one.unit, duration(one.max_age_s) if one.max_age_s else "", one.description)


def _written(value: object) -> str:
    """As a manifest writes it, without the quotes that YAML does not need."""
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)


class _Readable(yaml.SafeDumper):
    """Writes a text of many lines as a person would."""


def _in_lines(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _in_lines)
