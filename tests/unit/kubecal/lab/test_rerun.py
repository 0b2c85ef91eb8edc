"""An earlier execution again: whole, some of its tasks and targets, with other run parameters and inputs."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.chip import ChipSpec
from kubecal.api.manifests import ManifestError
from kubecal.api.session import SessionSpec
from kubecal.engine.model import PlanFacts, TaskKey
from kubecal.engine.plan import plan_session
from kubecal.lab.manifests import Signed, written
from kubecal.lab.rerun import Rerun, rerun_session
from tests.unit.kubecal.cli.in_memory import an_execution

CATALOGUE = built_in_catalogue()
FULL: dict[str, Any] = {
    "chip": "fridge-a",
    "targets": {"all": True},
    "parameters": {"defaults": {"shots": 2048}, "tasks": {"CheckT1": {"shots": 100}, "CheckRabi": {"shots": 200}}},
    "steps": [
        {"name": "configure", "targets": {"chip": True}, "tasks": [{"task": "ConfigureAll"}]},
        {"name": "check", "tasks": [{"task": "CheckRabi"}, {"task": "CheckT1"}], "schedule": {"mode": "Parallel"}},
        {"name": "good", "filter": {"status": "Succeeded"}},
        {"name": "gates", "targets": {"couplings": {"auto": True}}, "tasks": [{"task": "CheckCrossResonance"}]},
        {"name": "nudge", "set": {"qubits": {"0": {"t1": {"value": 30.0}}}}},
    ],
    "executionId": "20261125-000",
    "note": "then",
    "cancel": True,
    "username": "bob",
}


def _again(wanted: Rerun, before: dict[str, Any] = FULL) -> SessionSpec:
    return rerun_session(an_execution(session_spec=before), wanted, CATALOGUE, Signed("alice")).spec


def _tasks(spec: SessionSpec) -> dict[str, list[str]]:
    return {step.name: [entry.task for entry in step.tasks] for step in spec.steps}


def test_the_whole_session_again_without_what_was_said_about_that_time() -> None:
    spec = _again(Rerun())
    assert [step.name for step in spec.steps] == ["configure", "check", "good", "gates", "nudge"]
    assert (spec.execution_id, spec.note, spec.cancel, spec.username) == ("", "", False, "alice")
    assert spec.source.execution_id == "20261125-000"


def test_one_task_on_one_qubit_with_more_shots_is_nothing_else() -> None:
    spec = _again(Rerun(tasks=["CheckT1"], targets=["3"], settings=["shots=4096"]))
    assert written(rerun_session(an_execution(session_spec=FULL), Rerun(tasks=["CheckT1"], targets=["3"],
                   settings=["shots=4096"]), CATALOGUE, Signed()))["spec"] == {
        "chip": "fridge-a",
        "targets": {"qubits": ["3"]},
        "parameters": {"defaults": {"shots": 2048}, "tasks": {"CheckT1": {"shots": 100}}},
        "steps": [{"name": "check", "tasks": [{"task": "CheckT1", "parameters": {"shots": 4096}}],
                   "schedule": {"mode": "Parallel"}}],
        "source": {"executionId": "20261125-000"},
        "flowName": "morning",
    }  # fmt: skip
    assert spec.targets.qubits == ("3",)


@pytest.mark.parametrize(
    ("targets", "steps", "kind"),
    [
        (["3"], {"check": ["CheckRabi", "CheckT1"]}, "qubits"),
        (["0-1"], {"gates": ["CheckCrossResonance"]}, "couplings"),
        (["3", "0-1"], {"check": ["CheckRabi", "CheckT1"], "good": [], "gates": ["CheckCrossResonance"]}, "qubits"),
    ],
)
def test_steps_without_any_of_the_targets_are_left_out(targets: list[str], steps: dict[str, Any], kind: str) -> None:
    spec = _again(Rerun(targets=targets))
    assert _tasks(spec) == steps
    assert bool(spec.targets.couplings) == (kind == "couplings")


@pytest.mark.parametrize(
    "wanted",
    [
        Rerun(targets=["3"]),
        Rerun(targets=["0-1"]),
        Rerun(targets=["1-0"]),
        Rerun(targets=["3", "0-1"]),
        Rerun(tasks=["CheckRabi", "CheckCrossResonance"]),
        Rerun(tasks=["CheckT1"], failed=True),
        Rerun(settings=["shots=512", "CheckT1.shots=1024"], overrides=["0.qubit_frequency=4.9±0.001"], snapshot=True),
    ],
)
def test_what_comes_out_can_be_planned(wanted: Rerun) -> None:
    chip = ChipSpec.model_validate(an_execution().chip_spec)
    facts = PlanFacts(unfinished=frozenset({TaskKey("check", "CheckT1", "0", 0)}))
    plan = plan_session(_again(wanted), "fridge-a", chip, CATALOGUE, facts)
    assert plan.problems == ()
    assert plan.tasks


def test_a_coupling_that_was_driven_the_other_way_round_is_found_and_stays_so() -> None:
    before = {**FULL, "steps": [{"name": "gates", "targets": {"couplings": {"auto": True, "inverse": True}},
                                 "tasks": [{"task": "CheckCrossResonance"}]}]}  # fmt: skip
    step = _again(Rerun(targets=["1-0"]), before).steps[0]
    assert step.targets is not None
    assert step.targets.couplings is not None
    assert (step.targets.couplings.ids, step.targets.couplings.inverse) == (("0-1",), True)


def test_settings_reach_the_tasks_that_have_them() -> None:
    spec = _again(Rerun(settings=["shots=512", "CheckT1.shots=1024", "CheckT1.delays=[1, 2, 3]"]))
    given = {entry.task: entry.parameters for step in spec.steps for entry in step.tasks}
    assert given["CheckRabi"] == {"shots": 512}
    assert given["CheckT1"] == {"shots": 1024, "delays": [1, 2, 3]}
    assert given["ConfigureAll"] == {}


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Rerun(tasks=["ChekT1"]), "execution 20261125-000 has no task 'ChekT1': did you mean CheckT1?"),
        (
            Rerun(targets=["99"]),
            "the chip has no qubit or coupling '99' (it has qubits 0...3): write an id",
        ),
        (Rerun(tasks=["CheckT1"], targets=["0-1"]), "nothing of execution 20261125-000 is left with these tasks and"),
        (Rerun(settings=["shots"]), "'shots' sets nothing: write NAME=VALUE or TASK.NAME=VALUE, like shots=4096"),
        (Rerun(settings=["shot=1"]), "'shot=1': these tasks have no run parameter 'shot': did you mean shots?"),
        (Rerun(settings=["CheckT1.shot=1"]), "'CheckT1.shot=1': task CheckT1 has no run parameter 'shot': did you"),
        (
            Rerun(settings=["CheckT2.shots=1"]),
            "'CheckT2.shots=1': no task 'CheckT2' is run again: did you mean",
        ),
        (Rerun(settings=["shots=[1"]), "'[1' is not a value as a manifest writes it: correct it"),
        (Rerun(overrides=["4.9"]), "'9' sets nothing: write NAME=VALUE, like qubit_frequency=4.913±0.001"),
        (Rerun(publish="Always"), "spec.publish: must be OnSuccess, Review or Never, not 'Always'"),
    ],
)
def test_what_makes_no_sense_is_refused(wanted: Rerun, sentence: str) -> None:
    with pytest.raises(ManifestError) as refused:
        _again(wanted)
    assert str(refused.value).startswith(sentence)
