"""What a task is told of its chip and its session, and how small that stays."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.chip import ChipSpec, ChipStatus
from kubecal.api.request import MAX_REQUEST_BYTES, DisputedValues, GivenInput
from kubecal.api.session import SessionSpec
from kubecal.engine.earlier import Disputed
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import ChipView, PlannedTask, SessionRef, TaskKey
from kubecal.engine.request import build_request, request_size_problem

DESIGN = {
    "bands": {"qubit": {"min": 4.4, "max": 5.6}},
    "qubits": {str(n): {"qubit_frequency": {"value": 4.0 + n / 10}} for n in range(16)},
    "couplings": {"0-1": {"cr_amplitude": {"value": 0.3}}},
}
SESSION = {
    "chip": "fridge-a",
    "targets": {"all": True},
    "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}],
}


def creating(kind: TargetKind, target: str, members: tuple[str, ...] = (), **given: Any) -> CreatePod:
    """Any: parts of the chip's spec, or ``source`` of the session's."""
    source = given.pop("source", {})
    given = {"topology": {"squareLattice": {"rows": 4, "columns": 4}}, "backend": {"name": "fake"}} | given
    spec = ChipSpec.model_validate(given)
    task = PlannedTask(TaskKey("check", "Scripted", target, 0), (), {}, 900.0, None, 1.0, 0, kind, members)
    chip = ChipView("chip-uid", "lab", "fridge-a", 1, "1", spec, ChipStatus())
    return CreatePod(
        ref=SessionRef("uid", "lab", "morning"), planned=task, attempt=1, charged_retries=0,
        measure_at=datetime(2026, 11, 23, 8, tzinfo=UTC), execution_id="20261123-000",
        spec=SessionSpec.model_validate(SESSION | {"source": source}), chip=chip, chip_spec=spec,
        catalogue_hash="0" * 64, image="tasks:1", pod_name="morning-1", members=members,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "target", "members", "qubits", "ids"),
    [
        (TargetKind.QUBIT, "3", (), ("3",), ("3",)),
        (TargetKind.COUPLING, "0-1", (), ("0", "1"), ("0", "1", "0-1")),
        (TargetKind.MUX, "mux-0", ("0", "2"), ("0", "2"), ("0", "2")),
        (TargetKind.QUBIT, "chip", ("0", "5"), ("0", "5"), ("0", "5")),
        (TargetKind.CHIP, "chip", (), tuple(str(n) for n in range(16)), ()),
    ],
)
def test_a_task_is_told_what_it_is_about(
    kind: TargetKind, target: str, members: tuple[str, ...], qubits: tuple[str, ...], ids: tuple[str, ...]
) -> None:
    request = build_request(creating(kind, target, members))

    assert (request.kind, request.target, request.members) == (kind, target, members)
    assert (request.qubits, request.parameter_ids) == (qubits, ids)
    assert set(qubits) <= {site.id for site in request.chip.sites}


def test_it_is_told_what_lies_around_and_no_more() -> None:
    request = build_request(creating(TargetKind.COUPLING, "0-1"))

    # The MUX of both, and the neighbours of 1 beyond it.
    assert [site.id for site in request.chip.sites] == ["0", "1", "2", "3", "4"]
    assert ("0", "1") in request.chip.couplings


def test_the_design_is_that_of_its_qubits_and_its_coupling() -> None:
    coupling = build_request(creating(TargetKind.COUPLING, "0-1", design=DESIGN)).chip.design
    chip = build_request(creating(TargetKind.CHIP, "chip", design=DESIGN)).chip.design

    assert (list(coupling["qubits"]), list(coupling["couplings"])) == (["0", "1"], ["0-1"])
    assert chip == {"bands": {"qubit": {"min": 4.4, "max": 5.6}}}


def test_the_cool_down_goes_along() -> None:
    assert build_request(creating(TargetKind.QUBIT, "3", cooldown="2026-11")).chip.cooldown == "2026-11"


def test_overrides_are_those_of_what_it_reads() -> None:
    by_hand = {"cr_amplitude": {"value": 0.3, "error": 0.01}}
    overrides = {"qubits": {"0": by_hand, "3": by_hand}, "couplings": {"0-1": by_hand, "0-2": by_hand}}

    request = build_request(creating(TargetKind.COUPLING, "0-1", source={"overrides": overrides}))

    assert request.overrides == {one: {"cr_amplitude": GivenInput(value=0.3, error=0.01)} for one in ("0", "0-1")}


def test_what_an_attempt_before_found_goes_along_for_those_that_are_measured() -> None:
    found = Disputed(datetime(2026, 11, 23, 7, tzinfo=UTC), {"t1": (15.0, 1.0)})
    create = replace(creating(TargetKind.MUX, "mux-0", ("0", "2")), disputed={"1": found, "2": found})

    told = build_request(create).disputed

    values = {"t1": GivenInput(value=15.0, error=1.0)}
    assert told == {"2": DisputedValues(measured_at=found.measured_at, values=values)}


def test_one_that_this_would_make_too_large_goes_without() -> None:
    everyone = tuple(str(n) for n in range(1024))
    create = creating(TargetKind.QUBIT, "chip", everyone, topology={"squareLattice": {"rows": 32, "columns": 32}})
    found = Disputed(datetime(2026, 11, 23, 7, tzinfo=UTC), {"qubit_frequency": (4.9123456789, 0.0000123)})

    few = build_request(replace(create, disputed=dict.fromkeys(everyone[:8], found)))
    many = build_request(replace(create, disputed=dict.fromkeys(everyone, found)))

    assert (len(few.disputed), len(many.disputed)) == (8, 0)
    assert len(many.to_json().encode()) <= MAX_REQUEST_BYTES


@pytest.mark.parametrize(("inputs", "snapshot"), [("Snapshot", "20261122-001"), ("Current", "")])
def test_inputs_are_those_of_an_earlier_execution_only_if_that_is_asked_for(inputs: str, snapshot: str) -> None:
    source = {"executionId": "20261122-001", "inputs": inputs}
    assert build_request(creating(TargetKind.QUBIT, "3", source=source)).snapshot == snapshot


def test_the_largest_chip_fits_into_a_request_without_its_couplings() -> None:
    largest = {"topology": {"squareLattice": {"rows": 32, "columns": 32}}, "design": DESIGN}
    everyone = tuple(str(n) for n in range(1024))

    for create in (
        creating(TargetKind.CHIP, "chip", **largest),
        creating(TargetKind.QUBIT, "chip", everyone, **largest),
    ):
        request = build_request(create)
        assert (len(request.chip.sites), request.chip.couplings) == (1024, ())
        assert request_size_problem(create) == ""


def test_a_request_that_is_too_large_is_a_problem_that_says_what_to_do() -> None:
    values = {name: {"value": 4.9, "error": 0.002} for name in ("qubit_frequency", "readout_frequency")}
    design = {"qubits": {str(n): values for n in range(1024)}}
    everyone = tuple(str(n) for n in range(1024))
    topology = {"squareLattice": {"rows": 32, "columns": 32}}

    problem = request_size_problem(creating(TargetKind.QUBIT, "chip", everyone, topology=topology, design=design))

    assert problem.startswith("task 'Scripted' of step 'check' on 'chip' would need a request of ")
    assert f"{MAX_REQUEST_BYTES:,} are allowed" in problem
