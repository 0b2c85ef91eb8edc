"""Between what manifests and records say and what tasks compute with: the only place where units change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import TaskRequest
from kubecal.api.run_parameters import RunValue, parse_run_parameters
from kubecal.api.units import from_si
from kubecal.records.results import (
    CheckRecord,
    FileContent,
    InputOffers,
    InputRecord,
    Offer,
    OutputRecord,
    SuggestionRecord,
)
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.inputs import Candidate, InputValue, Origin, Source
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.programs import Acquisition


@dataclass(frozen=True)
class Parameters:
    """Run parameters in both forms."""

    si: Mapping[str, RunValue]
    as_written: Mapping[str, Any]
    """As a manifest would write them; Any: as their declarations allow."""


def owners(request: TaskRequest, judged: str) -> dict[str, str]:
    """Whose inputs are meant by each role, where this one is judged."""
    if request.kind is not TargetKind.COUPLING:
        return {"": judged}
    control, target = request.qubits
    return {"": judged, "control": control, "target": target}


def sources(request: TaskRequest, backend: Backend, offers: Mapping[str, InputOffers]) -> dict[str, tuple[Source, ...]]:
    """Everything that may provide inputs, in its order of precedence, by qubit and coupling."""
    return {one: _sources_of(one, request, backend, offers.get(one, InputOffers())) for one in request.parameter_ids}


def _sources_of(one: str, request: TaskRequest, backend: Backend, offers: InputOffers) -> tuple[Source, ...]:
    present = request.chip.cooldown
    # Where the chip names no cool-down, nothing can be said to come from another one.
    prior = {name: o for name, o in offers.published.items() if present and o.cooldown_id != present}
    published = {name: o for name, o in offers.published.items() if name not in prior}
    return (
        (Origin.OVERRIDE, _by_hand(request, one)),
        (Origin.SNAPSHOT, _candidates(offers.snapshot)),
        (Origin.SESSION, _candidates(offers.session)),
        (Origin.PUBLISHED, _candidates(published)),
        (Origin.PRIOR, _candidates(prior)),
        (Origin.DESIGN, _chip_design(request, one)),
        (Origin.BACKEND, {name: Candidate(*value) for name, value in backend.design(one).items()}),
    )


def _candidates(offers: Mapping[str, Offer]) -> dict[str, Candidate]:
    return {name: Candidate(o.value, o.error, o.unit, o.entity_id) for name, o in offers.items()}


def _by_hand(request: TaskRequest, one: str) -> dict[str, Candidate]:
    """Overrides; plain numbers are in the catalogue's units."""
    return {name: Candidate(given.value, given.error, "") for name, given in request.overrides.get(one, {}).items()}


def _chip_design(request: TaskRequest, one: str) -> dict[str, Candidate]:
    """``Chip.spec.design``; its plain numbers are in the catalogue's units."""
    entries = request.chip.design.get("couplings" if "-" in one else "qubits", {}).get(one, {})
    return {
        name: Candidate(float(entry["value"]), float(entry.get("error") or 0.0), "") for name, entry in entries.items()
    }


def input_records(inputs: Mapping[str, InputValue]) -> tuple[InputRecord, ...]:
    """Inputs as the row repeats them."""
    return tuple(
        InputRecord(v.name, v.value, v.error, v.unit, v.origin.value, v.entity, v.role) for v in inputs.values()
    )


def with_bands(declared: Sequence[OutputParameter], request: TaskRequest) -> tuple[OutputParameter, ...]:
    """The outputs, frequencies bounded by the chip's bands where its design states them."""
    bands = request.chip.design.get("bands", {})
    return tuple(
        replace(o, minimum=bands[o.band]["min"], maximum=bands[o.band]["max"]) if o.band in bands else o
        for o in declared
    )


def in_declared_units(declared: Sequence[OutputParameter], estimates: Sequence[Estimate]) -> dict[str, Estimate]:
    """Estimates in the units of records, under their names.

    Raises
    ------
    ValueError
        If a task hands back an output that it did not declare.
    """
    units = {output.name: output.unit for output in declared}
    unknown = [e.name for e in estimates if e.name not in units]
    if unknown:
        raise ValueError(f"outputs {', '.join(unknown)} are not declared: add them to the task's outputs")
    return {
        e.name: Estimate(e.name, *(float(from_si(part, units[e.name])) for part in (e.value, e.error, e.spread)))
        for e in estimates
    }


def output_records(
    declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate], accepted: frozenset[str]
) -> tuple[OutputRecord, ...]:
    """Outputs as the row repeats them; one that was not measured is absent."""
    return tuple(
        OutputRecord(
            name=o.name,
            value=estimates[o.name].value,
            error=estimates[o.name].error,
            unit=o.unit,
            description=o.description,
            group=o.group,
            accepted=o.name in accepted,
        )
        for o in declared
        if o.name in estimates
    )


def check_records(checks: Sequence[Check]) -> tuple[CheckRecord, ...]:
    """Checks as the row repeats them."""
    return tuple(_check_record(check) for check in checks)


def _check_record(check: Check) -> CheckRecord:
    """A check that concerns a single output names it; one that passed has nothing to say."""
    name = f"{check.output}: {check.name}" if check.output else check.name
    message = "" if check.ok else check.message
    return CheckRecord(name, float(check.value), float(check.limit), bool(check.ok), message)


def suggestion_record(suggestion: Suggestion | None) -> SuggestionRecord | None:
    """The suggestion as the row repeats it."""
    return None if suggestion is None else SuggestionRecord(dict(suggestion.parameters), suggestion.reason)


def read_parameters(task: type[BaseTask], request: TaskRequest) -> Parameters:
    """Run parameters of a request, checked against the declaration; defaults filled in.

    Raises
    ------
    RunParameterError
        If one is unknown or not allowed.
    """
    written = {p.name: request.parameters.get(p.name, p.default) for p in task.run_parameters}
    si = parse_run_parameters(task.run_parameters, request.parameters)
    return Parameters(si, {name: value for name, value in written.items() if value is not None})


def raw_files(acquisitions: Sequence[Acquisition]) -> tuple[FileContent, ...]:
    """Every program with its data."""
    return tuple(
        FileContent(f"{'-'.join(each.label.split())}.npz", "application/x-npz", each.to_npz()) for each in acquisitions
    )
