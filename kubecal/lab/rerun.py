"""Repeating an earlier execution, wholly or in part: its session again, with what is to be different this time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipSpec
from kubecal.api.manifests import ManifestError, read_value
from kubecal.api.session import CalibrationSession
from kubecal.engine.problems import did_you_mean
from kubecal.lab.given import typed_overrides
from kubecal.lab.manifests import Signed, nameless
from kubecal.reading.answers import ExecutionDetail

_ONCE = ("executionId", "cancel", "suspend", "open", "outcome", "source", "note", "tags", "username")
"""Of a spec what was said about that one execution."""
Body = dict[str, Any]
"""Any: manifest values."""


@dataclass(frozen=True)
class Rerun:
    """What is to be different; empty: nothing."""

    tasks: Sequence[str] = ()
    """Only these."""
    targets: Sequence[str] = ()
    """Only these qubits and couplings."""
    settings: Sequence[str] = ()
    """Run parameters: ``shots=4096`` of every task that has them, ``CheckT1.shots=4096`` of one."""
    overrides: Sequence[str] = ()
    """Inputs by hand: ``0.qubit_frequency=4.9``."""
    failed: bool = False
    """Only what has not succeeded."""
    snapshot: bool = False
    """With the inputs it had then."""
    publish: str = ""
    """OnSuccess, Review or Never; empty: as it was."""


def rerun_session(
    execution: ExecutionDetail, wanted: Rerun, catalogue: Catalogue, signed: Signed
) -> CalibrationSession:
    """The session that repeats an execution.

    Raises
    ------
    ManifestError
        If nothing of it is left, or what should be different makes no sense; says what to correct.
    """
    before: Mapping[str, Any] = execution.session_spec
    spec: Body = {name: value for name, value in before.items() if name not in _ONCE}
    steps = [dict(step) for step in before["steps"]]
    if wanted.tasks:
        steps = _of_tasks(steps, wanted.tasks, execution.execution_id)
    if wanted.targets:
        chip = ChipSpec.model_validate(execution.chip_spec)
        spec["targets"], steps = _of_targets(spec["targets"], steps, _Targets(wanted.targets, chip))
        steps = [{name: value for name, value in step.items() if value != spec["targets"]} for step in steps]
    if not any(step.get("tasks") for step in steps) and (wanted.tasks or wanted.targets):
        raise ManifestError(
            f"nothing of execution {execution.execution_id} is left with these tasks and targets: correct them"
        )
    _keep_parameters(spec, steps, catalogue)
    spec["steps"] = _set(steps, wanted.settings, catalogue)
    spec["source"] = {
        "executionId": execution.execution_id,
        "inputs": "Snapshot" if wanted.snapshot else "Current",
        "only": "Failed" if wanted.failed else "All",
        "overrides": typed_overrides(wanted.overrides, catalogue),
    }
    if wanted.publish:
        spec["publish"] = wanted.publish
    spec.setdefault("flowName", execution.flow_name or execution.session)
    return nameless({**spec, "username": signed.username, "note": signed.note, "tags": list(signed.tags)})


# ---------------------------------------------------------------- tasks


def _of_tasks(steps: Iterable[Body], wanted: Sequence[str], execution_id: str) -> list[Body]:
    """The steps with these tasks alone: no filters, and no changes of records."""
    steps = list(steps)
    known = dict.fromkeys(entry["task"] for step in steps for entry in step.get("tasks", ()))
    for name in wanted:
        if name not in known:
            raise ManifestError(f"execution {execution_id} has no task {name!r}: {did_you_mean(name, known)}")
    kept = []
    for step in steps:
        entries = [entry for entry in step.get("tasks", ()) if entry["task"] in wanted]
        if entries:
            kept.append({**step, "tasks": entries})
    return kept


def _keep_parameters(spec: Body, steps: Sequence[Body], catalogue: Catalogue) -> None:
    """Run parameters of the tasks that are left: others would be refused as a mistake."""
    given = spec.get("parameters", {})
    tasks = {entry["task"] for step in steps for entry in step.get("tasks", ())}
    names = {name for task in tasks for name in _names(task, catalogue)}
    spec["parameters"] = {
        "tasks": {task: values for task, values in given.get("tasks", {}).items() if task in tasks},
        "defaults": {name: value for name, value in given.get("defaults", {}).items() if name in names},
    }


# ---------------------------------------------------------------- targets


class _Targets:
    """The chosen qubits and couplings, as the chip calls them."""

    def __init__(self, ids: Sequence[str], chip: ChipSpec) -> None:
        topology = chip.topology.resolve()
        self.qubits: list[str] = []
        self.couplings: list[str] = []
        for one in ids:
            first, dash, second = one.partition("-")
            if not dash and one in topology.site_by_id:
                self.qubits.append(one)
            elif one in topology.coupling_by_id:
                self.couplings.append(one)
            elif f"{second}-{first}" in topology.coupling_by_id:
                # It was driven the other way round; the chip lists it once.
                self.couplings.append(f"{second}-{first}")
            else:
                raise ManifestError(
                    f"the chip has no qubit or coupling {one!r} (it has qubits {topology.describe_ids()}): "
                    "write an id like 3 or 0-1"
                )

    @property
    def all_qubits(self) -> list[str]:
        """Also those of the couplings."""
        ends = (qubit for one in self.couplings for qubit in one.split("-"))
        return list(dict.fromkeys((*self.qubits, *ends)))


def _of_targets(session: Body, steps: Iterable[Body], chosen: _Targets) -> tuple[Body, list[Body]]:
    """Targets of the session, and the steps that are about some of them; changes of records are not repeated."""
    kept = []
    for step in steps:
        if step.get("filter"):
            kept.append(step)
        elif step.get("tasks"):
            targets = _about(step.get("targets") or session, chosen)
            if targets:
                pairs = _pairs(step.get("pairs", ()), chosen.couplings)
                kept.append({**step, "targets": targets, "pairs": pairs})
    kept = _between_tasks(kept)
    about_pairs = ["couplings" in step["targets"] for step in kept if step.get("tasks")]
    if about_pairs and all(about_pairs):
        return {"couplings": {"ids": chosen.couplings}}, kept
    return {"qubits": chosen.all_qubits if any(about_pairs) else chosen.qubits or chosen.all_qubits}, kept


def _about(targets: Body, chosen: _Targets) -> Body:
    """Those of the chosen ones that a step may be about; empty: none."""
    if targets.get("chip"):
        return {}
    pairs = targets.get("couplings")
    if pairs:
        way = {name: pairs[name] for name in ("direction", "inverse") if name in pairs}
        return {"couplings": {"ids": chosen.couplings, **way}} if chosen.couplings else {}
    return {"qubits": chosen.qubits} if chosen.qubits else {}


def _between_tasks(steps: Sequence[Body]) -> list[Body]:
    """Without filters that have no task before or behind them any more."""
    measuring = [number for number, step in enumerate(steps) if step.get("tasks")]
    first, last = (measuring[0], measuring[-1]) if measuring else (0, 0)
    return [step for number, step in enumerate(steps) if step.get("tasks") or first < number < last]


def _pairs(groups: Iterable[Sequence[str]], couplings: Sequence[str]) -> list[list[str]]:
    kept = ([one for one in group if one in couplings] for group in groups)
    return [group for group in kept if group]


# ---------------------------------------------------------------- run parameters


def _set(steps: Iterable[Body], settings: Iterable[str], catalogue: Catalogue) -> list[Body]:
    steps = [{**step, "tasks": [dict(entry) for entry in step.get("tasks", ())]} for step in steps]
    entries = [entry for step in steps for entry in step["tasks"]]
    for setting in settings:
        for entry, name, value in _meant(setting, entries, catalogue):
            entry["parameters"] = {**entry.get("parameters", {}), name: value}
    return [{name: value for name, value in step.items() if name != "tasks" or value} for step in steps]


def _meant(setting: str, entries: Sequence[Body], catalogue: Catalogue) -> list[tuple[Body, str, object]]:
    """Which entries a setting is about, and what it sets."""
    place, sign, text = setting.partition("=")
    if not (place and sign and text):
        raise ManifestError(f"{setting!r} sets nothing: write NAME=VALUE or TASK.NAME=VALUE, like shots=4096")
    task, _, name = place.rpartition(".")
    meant = [entry for entry in entries if task in ("", entry["task"])]
    if not meant:
        names = {entry["task"] for entry in entries}
        raise ManifestError(f"{setting!r}: no task {task!r} is run again: {did_you_mean(task, names)}")
    having = [entry for entry in meant if name in _names(entry["task"], catalogue)]
    if not having:
        known = {one for entry in meant for one in _names(entry["task"], catalogue)}
        whose = f"task {task} has" if task else "these tasks have"
        raise ManifestError(f"{setting!r}: {whose} no run parameter {name!r}: {did_you_mean(name, known)}")
    value = read_value(text)
    return [(entry, name, value) for entry in having]


def _names(task: str, catalogue: Catalogue) -> Iterable[str]:
    known = catalogue.task_by_name.get(task)
    return known.run_parameter_by_name if known is not None else ()
