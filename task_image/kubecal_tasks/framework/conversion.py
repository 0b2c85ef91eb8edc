"""Between what manifests and records say and what tasks compute with: the only place where units change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import TaskRequest
from kubecal.api.run_parameters import RunValue, parse_run_parameters
from kubecal.api.units import from_si, scale_of, to_si
from kubecal.records.results import (
    RAW_DATA,
    READING,
    CheckRecord,
    FileContent,
    InputOffers,
    InputRecord,
    Offer,
    OutputRecord,
    ShiftRecord,
    StoredData,
    SuggestionRecord,
)
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.backends.reading import Reading
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.inputs import Candidate, InputValue, Origin, Source
from kubecal_tasks.framework.outcome import Check, Estimate, Shift, Suggestion
from kubecal_tasks.framework.past import Past, PastValue
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.programs import Acquisition

_READING = ".json"
"""What ends the name of a file that holds what a backend told, rather than a program and its data."""


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
    published = of_this_cooldown(request, offers.published)
    prior = {name: o for name, o in offers.published.items() if name not in published}
    return (
        (Origin.OVERRIDE, _by_hand(request, one)),
        (Origin.SNAPSHOT, _candidates(offers.snapshot)),
        (Origin.SESSION, _candidates(offers.session)),
        (Origin.PUBLISHED, _candidates(published)),
        (Origin.PRIOR, _candidates(prior)),
        (Origin.DESIGN, _chip_design(request, one)),
        (Origin.BACKEND, {name: Candidate(*value) for name, value in backend.design(one).items()}),
    )


def of_this_cooldown(request: TaskRequest, offers: Mapping[str, Offer]) -> dict[str, Offer]:
    """The values of the present cool-down; a new one makes priors of those before.

    Where the chip names no cool-down, nothing can be said to come from another one.
    """
    present = request.chip.cooldown
    return {name: offer for name, offer in offers.items() if not present or offer.cooldown_id == present}


def past_of(
    declared: Sequence[OutputParameter], request: TaskRequest, judged: str, offers: Mapping[str, InputOffers]
) -> Past:
    """What was known of the outputs before: measured in this cool-down, and found by an attempt that was to be
    confirmed. What a person set was not measured."""
    units = {output.name: output.unit for output in declared}
    known = of_this_cooldown(request, offers.get(judged, InputOffers()).published)
    published = {
        name: _past_value(offer.value, offer.error, _scale(offer.unit, units[name]), offer.calibrated_at, request)
        for name, offer in known.items()
        if name in units and not offer.by_hand and offer.calibrated_at is not None
    }
    found = request.disputed.get(judged)
    if found is None:
        return Past(published)
    disputed = {
        name: _past_value(each.value, each.error, 1.0, found.measured_at, request)
        for name, each in found.values.items()
        if name in units
    }
    return Past(published, disputed)


def _past_value(value: float, error: float, scale: float, measured_at: datetime, request: TaskRequest) -> PastValue:
    # A simulated chip's clock may have been turned back: what is to come is as far away as what was.
    return PastValue(value * scale, error * scale, abs((request.measure_at - measured_at).total_seconds()))


def _scale(unit: str, declared: str) -> float:
    """Values are told in the catalogue's units; one from elsewhere may say that it is in another."""
    return scale_of(unit) / scale_of(declared) if unit not in ("", declared) else 1.0


def sources_then(
    request: TaskRequest, judged: str, backend: Backend, stored: StoredData
) -> dict[str, tuple[Source, ...]]:
    """What provided inputs where stored data were measured: what was used then, and what never changes.

    Nothing else that is known now: what was measured since would say of the old data what was not true then.
    """
    used: dict[str, dict[str, Candidate]] = {}
    whose = owners(request, judged)
    for each in stored.inputs[judged]:
        used.setdefault(whose[each.role], {})[each.name] = Candidate(each.value, each.error, each.unit, each.entity_id)
    return {
        one: (
            (Origin.SNAPSHOT, used.get(one, {})),
            (Origin.DESIGN, _chip_design(request, one)),
            (Origin.BACKEND, {name: Candidate(*value) for name, value in backend.design(one).items()}),
        )
        for one in whose.values()
        if one in request.parameter_ids
    }


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


def bands(request: TaskRequest) -> dict[str, tuple[float, float]]:
    """The frequency bands that the chip's design states, in SI."""
    stated = request.chip.design.get("bands") or {}
    return {name: (to_si(band["min"], "GHz"), to_si(band["max"], "GHz")) for name, band in stated.items() if band}


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


def shift_records(shifts: Mapping[str, Shift]) -> dict[str, ShiftRecord]:
    """Shifts as the row repeats them."""
    return {
        name: ShiftRecord(float(each.previous), float(each.previous_error), float(each.sigmas))
        for name, each in shifts.items()
    }


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


def raw_data_of(stored: StoredData) -> tuple[Acquisition | Reading, ...]:
    """What ``raw_files`` was given.

    Raises
    ------
    ProgramError
        If a stored program is none that this code knows.
    """
    return tuple(_raw_datum(file) for file in stored.raw_data)


def _raw_datum(file: FileContent) -> Acquisition | Reading:
    if file.name.endswith(_READING):
        return Reading.from_json(file.name.removesuffix(_READING), file.content)
    return Acquisition.from_npz(file.content)


def raw_files(raw: Sequence[Acquisition | Reading]) -> tuple[FileContent, ...]:
    """Every program with its data, and what else the backend said."""
    return tuple(_raw_file(each) for each in raw)


def _raw_file(raw: Acquisition | Reading) -> FileContent:
    name = "-".join(raw.label.split())
    if isinstance(raw, Reading):
        return FileContent(f"{name}{_READING}", READING, raw.to_json())
    return FileContent(f"{name}.npz", RAW_DATA, raw.to_npz())
