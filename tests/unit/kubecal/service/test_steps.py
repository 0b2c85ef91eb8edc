"""What a session is asked for by steps."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.steps import Step as ManifestStep
from kubecal.service.defaults import Defaults
from kubecal.service.errors import ServiceError
from kubecal.service.steps import (
    BringUp,
    ConfigureAll,
    Course,
    CustomOneQubit,
    CustomTwoQubit,
    FilterByMetric,
    FilterByStatus,
    GenerateCRSchedule,
    OneQubitCheck,
    OneQubitFineTune,
    SetCRSchedule,
    Step,
    TwoQubitCalibration,
    planned,
)
from kubecal.service.targets import AllMuxTargets, CouplingTargets, MuxTargets, QubitTargets, Target
from kubecal.service.task_lists import FULL_1Q_TASKS, FULL_2Q_TASKS


def asked(*steps: Step, named: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Manifest steps, each valid."""
    defaults = Defaults(built_in_catalogue())
    found = [dict(manifest) for one in planned(steps, Course(defaults, named)) for manifest in one.manifests]
    for manifest in found:
        ManifestStep.model_validate(manifest)
    return found


@pytest.mark.parametrize(
    ("mode", "schedule"), [("scheduled", "MuxSerial"), ("synchronized", "Isolated"), ("serial", "Serial")]
)
def test_a_mode_is_a_schedule(mode: str, schedule: str) -> None:
    (step,) = asked(CustomOneQubit(step_name="coherence_check", tasks=["CheckT1", "CheckT1"], mode=mode))
    assert step == {
        "name": "coherence-check",
        "tasks": [{"task": "CheckT1"}, {"task": "CheckT1"}],
        "schedule": {"mode": schedule},
    }


def test_the_standard_steps_have_tasks_that_there_are() -> None:
    steps = asked(BringUp(), OneQubitCheck(configure=True), OneQubitFineTune(), TwoQubitCalibration(), ConfigureAll())
    known = built_in_catalogue().task_by_name
    assert all(entry["task"] in known for step in steps for entry in step["tasks"])
    assert set(FULL_1Q_TASKS + FULL_2Q_TASKS) <= set(known)
    assert steps[1]["tasks"][0] == {"task": "Configure"}
    assert steps[4]["targets"] == {"chip": True}


def test_more_tasks_than_a_step_may_have_make_several() -> None:
    assert [len(step["tasks"]) for step in asked(CustomOneQubit(tasks=["CheckT1"] * 130))] == [64, 64, 2]


def test_filters_are_filters() -> None:
    first = CustomOneQubit(tasks=["CheckT1"])
    steps = asked(first, FilterByStatus(), FilterByMetric("x90_fidelity", 0.9), FilterByMetric("t1", 30))
    assert [step["filter"] for step in steps[1:]] == [
        {"status": "Succeeded"},
        {"metric": "x90_gate_fidelity", "min": 0.9},
        {"metric": "t1", "min": 30},
    ]


CR = CustomTwoQubit(step_name="cr", tasks=["CheckCrossResonance"])


@pytest.mark.parametrize(
    ("before", "named", "where"),
    [
        ([], (), {"targets": {"couplings": {"auto": True}}}),
        ([], ("0-1",), {"targets": {"couplings": {"ids": ["0-1"]}}}),
        (
            [GenerateCRSchedule(max_parallel_ops=3, inverse=True)],
            (),
            {"targets": {"couplings": {"auto": True, "inverse": True}}, "schedule": {"maxParallel": 3}},
        ),
        (
            [SetCRSchedule([[("0", "1"), ("4", "5")], [("2", "3")]])],
            ("0-1",),
            {"targets": {"couplings": {"ids": ["0-1", "4-5", "2-3"]}}, "pairs": [["0-1", "4-5"], ["2-3"]]},
        ),
    ],
)
def test_two_qubit_steps_go_over_couplings_as_arranged(
    before: list[Step], named: tuple[str, ...], where: dict[str, Any]
) -> None:
    (step,) = asked(*before, CR, named=named)
    assert step == {"name": "cr", "tasks": [{"task": "CheckCrossResonance"}], **where}


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([], "steps: there is nothing to run"),
        ([GenerateCRSchedule()], "steps: there is nothing to run"),
        ([CustomOneQubit(step_name="empty")], "step empty: it has no task"),
        ([CustomOneQubit(tasks=["CheckT1"], mode="quick")], "CustomOneQubit: mode is 'quick': write one of scheduled"),
        ([SetCRSchedule(), CR], "SetCRSchedule: the schedule, or a group of it, is empty"),
        (["CheckT1"], "'CheckT1' is no step: write steps like CustomOneQubit"),
    ],
)
def test_steps_that_make_no_sense_are_refused(steps: list[Any], sentence: str) -> None:
    with pytest.raises(ServiceError, match=sentence):
        asked(*steps)


@pytest.mark.parametrize(
    ("targets", "manifest"),
    [
        (QubitTargets(["0", "1"]), {"qubits": ["0", "1"]}),
        (MuxTargets([0, 1], exclude_qids=["5"]), {"muxes": [0, 1], "exclude": {"qubits": ["5"]}}),
        (AllMuxTargets(), {"all": True}),
        (CouplingTargets([("0", "1"), ("1", "3")]), {"qubits": ["0", "1", "3"]}),
    ],
)
def test_targets_are_targets(targets: Target, manifest: dict[str, Any]) -> None:
    assert targets.manifest() == manifest
