"""A page for each task: what it reads, writes and accepts, and its figure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from kubecal.api.catalogue import CatalogueTask, Input, Output, RunParameter, TargetKind, built_in_catalogue

FIGURES = Path(__file__).parents[1] / "figures" / "tasks"
_KINDS = {
    TargetKind.QUBIT: "a qubit",
    TargetKind.COUPLING: "a coupling",
    TargetKind.MUX: "a MUX, judged for each of its qubits",
    TargetKind.CHIP: "the chip",
}
_HOUR_S = 3600.0


def task_pages() -> dict[str, str]:
    """Markdown by path below the documents' root: a list of all tasks, and a page of each."""
    tasks = built_in_catalogue().tasks
    providers = _providers(tasks)
    pages = {f"reference/tasks/{task.name}.md": _page(task, providers) for task in tasks}
    return {"reference/tasks/index.md": _index(tasks), **pages}


def _index(tasks: Iterable[CatalogueTask]) -> str:
    text = (
        "# Tasks\n\nWhat ships with kubecal. `kubecal tasks list` tells the same, and what your own packages add; "
        "[Add a task](../../add-a-task.md) tells how.\n"
    )
    ordered = sorted(tasks, key=lambda task: list(TargetKind).index(task.kind))
    for kind, group in groupby(ordered, lambda task: task.kind):
        text += f"\n## On {_KINDS[kind]}\n\n| task | measures | outputs |\n| --- | --- | --- |\n"
        for task in group:
            outputs = ", ".join(f"`{output.name}`" for output in task.outputs)
            text += f"| [{task.name}]({task.name}.md) | {_first_line(task)} | {outputs} |\n"
    return text


def _page(task: CatalogueTask, providers: dict[str, list[str]]) -> str:
    text = f"# {task.name}\n\n{_cell(task.description)}\n\n"
    text += f"Acts on {_KINDS[task.kind]}. " + " ".join(_traits(task)) + "\n"
    if (FIGURES / f"{task.name}.png").exists():
        text += f"\n![What {task.name} draws](../../figures/tasks/{task.name}.png)\n"
    if task.outputs:
        text += "\n## Outputs\n\n| parameter | unit | | ages | published |\n| --- | --- | --- | --- | --- |\n"
        text += "".join(_output(output) for output in task.outputs)
    if task.inputs:
        text += "\n## Inputs\n\n| parameter | unit | | comes from |\n| --- | --- | --- | --- |\n"
        text += "".join(_input(one, task, providers) for one in task.inputs)
    if task.run_parameters:
        text += "\n## Run parameters\n\n| name | unit | default | accepted | |\n| --- | --- | --- | --- | --- |\n"
        text += "".join(_run_parameter(one) for one in task.run_parameters)
    return text + f"\n## In a manifest\n\n```yaml\ntasks:\n- task: {task.name}\n{_example(task)}```\n"


def _traits(task: CatalogueTask) -> Iterator[str]:
    if not task.drives:
        yield "It only computes: it claims no wire."
    if task.batch:
        yield "One pod can measure several qubits at once (`batch: Mux` or `All`)."
    if task.r2_threshold is not None:
        yield f"A fit whose R² is not above {task.r2_threshold:g} is `poor_fit` (`r2Threshold`)."
    longest, expected = _duration(task.timeout_s), _duration(task.duration_s)
    yield f"It may take {longest} (`timeoutSeconds`); on instruments expect {expected}."


def _output(output: Output) -> str:
    ages = ""
    if output.drift is not None and output.max_age_s is not None:
        size = f"{output.drift:.0%}" if output.drift_relative else f"{output.drift:g} {output.unit}"
        ages = f"{size} in {output.max_age_s / _HOUR_S:g} h"
    group = f"with its group `{output.group}`" if output.group else "by itself"
    optional = "" if output.required else "; may fail without failing the task"
    return f"| `{output.name}` | {output.unit} | {_cell(output.description)} | {ages} | {group}{optional} |\n"


def _input(one: Input, task: CatalogueTask, providers: dict[str, list[str]]) -> str:
    needed = "required" if one.required else "optional"
    if task.kind is TargetKind.COUPLING:
        needed += f", of the {one.role or 'coupling'}"
    by = [name for name in providers.get(one.name, []) if name != task.name]
    by = sorted(by, key=lambda name: name != one.hint)
    links = ", ".join(f"[{name}]({name}.md)" for name in by[:4])
    return f"| `{one.name}` | {one.unit} | {needed} | {links} |\n"


def _run_parameter(one: RunParameter) -> str:
    default = "" if one.default is None else f"`{_inline(one.default)}`"
    return f"| `{one.name}` | {one.unit} | {default} | {_accepted(one)} | {_cell(one.description)} |\n"


def _accepted(one: RunParameter) -> str:
    if one.choices:
        return ", ".join(f"`{choice}`" for choice in one.choices)
    words = [one.kind.value.lower()]
    if one.minimum is not None and one.maximum is not None:
        words.append(f"{one.minimum:,g} to {one.maximum:,g}")
    if one.max_points is not None:
        words.append(f"at most {one.max_points:,} points")
    return ", ".join(words)


def _example(task: CatalogueTask) -> str:
    shots = next((one for one in task.run_parameters if one.name == "shots"), None)
    return f"  parameters: {{shots: {2 * int(shots.default)}}}\n" if shots is not None and shots.default else ""


def _inline(value: Any) -> str:  # Any: a run parameter's default, as a manifest writes it
    """As YAML writes it on one line."""
    if isinstance(value, dict):
        order = ("start", "stop", "num", "step", "scale")
        names = sorted(value, key=lambda name: order.index(name) if name in order else len(order))
        return "{" + ", ".join(f"{name}: {_inline(value[name])}" for name in names) + "}"
    return value if isinstance(value, str) else json.dumps(value)


def _providers(tasks: Iterable[CatalogueTask]) -> dict[str, list[str]]:
    """Names of the tasks that find a parameter."""
    found: dict[str, list[str]] = {}
    for task in tasks:
        for output in task.outputs:
            found.setdefault(output.name, []).append(task.name)
    return found


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * _HOUR_S else f"{seconds / _HOUR_S:g} h"


def _first_line(task: CatalogueTask) -> str:
    return _cell(task.description.partition("\n")[0])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
