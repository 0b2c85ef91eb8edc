"""A session on its way to a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.api.session_status import Phase
from kubecal.engine.decide import decide
from tests.unit.kubecal.engine.builders import (
    NOON,
    chip,
    later,
    nothing,
    observed,
    patch_of,
    reason_of,
    session,
)


def test_no_session_is_admitted_on_a_chip_whose_records_are_anothers() -> None:
    older = replace(chip(namespace="annex"), created_at=later(-1))
    decision = decide(observed(session(), chips_elsewhere=(older,)))
    assert not decision.admissions
    assert reason_of(patch_of(decision).status, ConditionType.CHIP_HELD) == ("False", "ChipInvalid")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"design": {"qubits": {"9": {"qubit_frequency": {"value": 4.9}}}}}, "Chip.spec.design.qubits"),
        ({"disabled": {"qubits": ["9"]}}, "Chip.spec.disabled.qubits"),
    ],
)
def test_a_chip_that_names_a_qubit_it_lacks_is_refused_with_a_sentence(spec: dict[str, object], field: str) -> None:
    sentence = f"{field}: there is no qubit '9' (the chip has 0...3): remove it"
    decision = decide(observed(session(), chips=[chip(**spec)]))
    (update,) = decision.holders
    assert reason_of(update.status, ConditionType.VALID) == ("False", "Invalid")
    assert update.status.conditions[0].message == sentence
    status = patch_of(decision).status
    # Its owner may correct it until pendingSeconds are over.
    assert status.phase is Phase.PENDING
    assert sentence in status.message
    assert reason_of(status, ConditionType.CHIP_HELD) == ("False", "ChipInvalid")
    assert nothing(decision, "admissions", "creates")
    late = decide(replace(observed(session(), chips=[chip(**spec)]), now=later(600)))
    assert patch_of(late).status.phase is Phase.FAILED


def test_an_applied_session_gets_its_finalizer_and_its_record_first() -> None:
    decision = decide(observed(replace(session(), finalized=False)))
    assert len(decision.add_finalizer) == len(decision.admissions) == 1
    assert patch_of(decision).status.phase is Phase.PENDING


def test_a_session_waits_for_its_chip_until_pending_seconds() -> None:
    view = session(deadlines={"pendingSeconds": 60})
    early = decide(observed(view, chips=[]))
    assert reason_of(patch_of(early).status, ConditionType.CHIP_HELD) == ("False", "ChipNotFound")
    assert early.wake_at == later(60)
    late = decide(observed(view, chips=[], now=later(60)))
    assert patch_of(late).status.phase is Phase.FAILED


def test_a_session_that_was_never_planned_is_let_go_at_once() -> None:
    decision = decide(observed(replace(session(), deleted_at=NOON)))
    assert len(decision.remove_finalizer) == 1
    cancelled = decide(observed(session(cancel=True)))
    assert patch_of(cancelled).status.phase is Phase.CANCELLED


def test_what_no_pod_could_be_asked_for_is_refused_before_any_is_made() -> None:
    long = {"parameters": {"tasks": {"T1": {"wait": 1.0}}}, "targets": {"qubits": ["0"]}}
    design = {"qubits": {"0": {f"{'x' * 50}_{number}": {"value": 1.0, "error": 0.1} for number in range(64)}}}
    assert decide(observed(session(**long), chips=[chip(design=design)])).admissions
    huge = {"note": "y", "chips": "x" * 70_000}
    decision = decide(observed(session(**long), chips=[chip(backend={"name": "fake", "config": {"clock": huge}})]))
    assert not decision.admissions
    assert "would need a request of" in patch_of(decision).status.message


def test_a_session_without_a_step_is_refused_unless_it_is_open() -> None:
    status = patch_of(decide(observed(session(steps=[])))).status
    assert (status.phase, status.message) == (
        Phase.FAILED,
        "spec.steps is empty: add a step, or open: true to append steps later",
    )
