"""The two kinds as values: defaults, statuses, and what comes of a topology."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from kubecal.api import Chip, ChipSpec, SessionSpec, SessionStatus
from kubecal.api.chip import TopologySpec
from kubecal.api.conditions import Condition, ConditionStatus
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import Failure, Phase
from tests.bad_manifests import changed, good_chip, good_session

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def session_spec(**changes: object) -> SessionSpec:
    paths = {f"spec.{name}": value for name, value in changes.items()}
    return CalibrationSession.model_validate(changed(good_session(), paths)).spec


def test_a_session_says_little_and_means_the_documented_defaults() -> None:
    spec = session_spec()
    assert (spec.on_target_failure, spec.publish, spec.priority, spec.cancel) == ("StopTarget", "OnSuccess", 0, False)
    assert (spec.deadlines.pending_seconds, spec.deadlines.task_seconds, spec.deadlines.session_seconds) == (
        600,
        None,
        86400,
    )
    step = spec.steps[0]
    assert (step.schedule.mode, step.schedule.max_parallel) == ("Isolated", 0)
    assert (step.batch, step.pairs, step.barrier, step.targets, step.action) == ("None", (), False, None, None)
    assert (spec.open, spec.idle_seconds, spec.outcome, spec.parking) == (False, 1800, None, None)
    assert (spec.source.execution_id, spec.source.inputs, spec.source.only) == ("", "Current", "All")
    assert (spec.lock.scope, spec.suspend, spec.suspend_hold_seconds) == ("Chip", False, 600)
    assert (spec.retry.limit, spec.retry.backoff_seconds, spec.retry.adapt) == (2, 5, True)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("set", {"qubits": {"0": {"t1": {"value": 30}}}}),
        ("publish", {"executionId": "20261123-004"}),
        ("revert", {"executionId": "20261123-004"}),
        ("exclude", {"taskIds": ["0123456789abcdef" * 2], "reason": "a warm fridge"}),
    ],
)
def test_a_step_without_tasks_or_filter_acts_on_records(kind: str, action: object) -> None:
    (step,) = session_spec(steps=[{"name": "nudge", kind: action}]).steps
    assert step.action is not None
    assert step.action == getattr(step, kind)


def test_a_step_that_analyses_data_anew_publishes_nothing_unless_it_is_told_to() -> None:
    (step,) = session_spec(steps=[{"name": "again", "reanalyse": {"executionId": "20261123-004"}}]).steps
    assert step.reanalyse is not None
    assert (step.action, step.reanalyse.tasks, step.reanalyse.publish) == (None, (), False)


def test_values_by_hand_are_found_by_what_they_belong_to() -> None:
    values = {"qubits": {"0": {"t1": {"value": 30}}}, "couplings": {"0-1": {"zx_rotation": {"value": 1, "error": 0.1}}}}
    given = session_spec(steps=[{"name": "nudge", "set": values}]).steps[0].set
    assert given is not None
    assert {key: list(found) for key, found in given.by_id.items()} == {"0": ["t1"], "0-1": ["zx_rotation"]}
    assert (given.by_id["0"]["t1"].error, given.by_id["0-1"]["zx_rotation"].error) == (0.0, 0.1)


def test_a_chip_says_little_and_means_the_documented_defaults() -> None:
    spec = Chip.model_validate(good_chip()).spec
    assert (spec.project_id, spec.time_zone, spec.maintenance) == ("default", "UTC", False)
    assert spec.pods.resources.requests == {"cpu": "200m", "memory": "256Mi"}
    assert (spec.pods.host_network, spec.pods.termination_grace_period_seconds) == (False, 60)
    limits = spec.limits
    assert (limits.max_parallel_tasks, limits.max_priority, limits.max_session_seconds) == (0, 10, 604800)
    assert limits.max_idle_seconds == 7200
    assert (spec.wiring.muxes, spec.pods.images, spec.cooldown, spec.disabled.couplings) == ((), (), "", ())


def test_an_object_survives_the_way_through_json() -> None:
    session = CalibrationSession.model_validate(good_session())
    assert CalibrationSession.model_validate_json(session.model_dump_json(by_alias=True)) == session


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        session_spec().priority = 5  # type: ignore[misc]


@pytest.mark.parametrize("phase", Phase)
def test_a_phase_is_final_when_nothing_follows(phase: Phase) -> None:
    assert phase.final == (phase in ("Completed", "PartiallyFailed", "Failed", "Cancelled"))


def test_a_long_sentence_is_cut_and_never_costs_the_status() -> None:
    long = "x" * 5000
    condition = Condition(
        type="Valid", status=ConditionStatus.FALSE, reason="Long", message=long, last_transition_time=NOW
    )
    failure = Failure(task="CheckT1", target="0", attempt=1, message=long)
    status = SessionStatus(message=long, conditions=(condition,), failures=(failure,))
    lengths = (len(status.message), len(status.conditions[0].message), len(status.failures[0].message))
    assert lengths == (2048, 2048, 1024)
    assert status.message.endswith("x…")


def test_listed_qubits_and_couplings_are_the_topology() -> None:
    qubits = [{"id": "5", "x": 0, "y": 0, "mux": 0}, {"id": "7", "x": 1, "y": 0, "mux": 1}]
    topology = TopologySpec.model_validate({"qubits": qubits, "couplings": [{"control": "7", "target": "5"}]}).resolve()
    assert [(site.id, site.x, site.mux) for site in topology.sites] == [("5", 0, 0), ("7", 1, 1)]
    assert [coupling.id for coupling in topology.couplings] == ["7-5"]


def test_a_generator_makes_the_topology() -> None:
    lattice = {"squareLattice": {"rows": 4, "columns": 4}}
    topology = TopologySpec.model_validate(lattice).resolve()
    assert (len(topology.sites), len(topology.couplings), topology.site_by_id["4"].x) == (16, 24, 2)


def test_a_chip_knows_its_time_zone() -> None:
    spec = ChipSpec.model_validate(good_chip()["spec"] | {"timeZone": "Asia/Tokyo"})
    assert spec.zone.key == "Asia/Tokyo"
