"""Coherence times from several runs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.outcome import Check, Estimate
from kubecal_tasks.framework.task import Binding, PostProcessResult
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.truth import draw_truth
from kubecal_tasks.tasks.average import AverageTask, mean_of, scatter_of
from kubecal_tasks.tasks.check_t1_average import CheckT1Average
from kubecal_tasks.tasks.check_t2_echo_average import CheckT2EchoAverage
from tests.bench.closed_loop import ClosedLoop, Outcome

TOPOLOGY = square_lattice(2, 2, 4)
CONFIG: dict[str, Any] = {"seed": 3, "drift": False}
TASKS: dict[type[AverageTask], str] = {CheckT1Average: "t1", CheckT2EchoAverage: "t2_echo"}
FEW = {"n_runs": 3, "shots": 512}


@cache
def prepared() -> ClosedLoop:
    loop = ClosedLoop(TOPOLOGY, CONFIG)
    for task in ("CheckRabi", "CreateHPIPulse"):
        loop.run(task, "0")
    return loop


def measured(task: type[AverageTask], kind: str = "", **fault: Any) -> Outcome:
    config = CONFIG | {"faults": [{"kind": kind, "target": "0", **fault}] if kind else []}
    return ClosedLoop(TOPOLOGY, config, found={"0": dict(prepared().found["0"])}).run(task.name, "0", FEW)


@pytest.mark.parametrize("task", TASKS)
def test_mean_and_scatter_are_those_of_the_runs(task: type[AverageTask]) -> None:
    outcome = measured(task)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    found = {each.name: (each.value, each.error) for each in outcome.judged.outputs}
    site = TOPOLOGY.site_by_id["0"]
    oracle = Oracle(draw_truth(3, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux)))
    truth = 1e6 * (oracle.t1_s if TASKS[task] == "t1" else oracle.t2_echo_s)
    mean, error = found[f"{TASKS[task]}_average"]
    scatter, _ = found[f"{TASKS[task]}_std"]
    assert abs(mean - truth) < 4.5 * error
    assert error == pytest.approx(scatter / np.sqrt(3), rel=1e-3) or error > scatter / np.sqrt(3)
    assert outcome.judged.metrics["good_runs"] == 3.0


@pytest.mark.parametrize("task", TASKS)
def test_every_acquisition_is_kept_under_its_run(task: type[AverageTask]) -> None:
    names = [each.name for each in measured(task).raw_data]
    assert len(names) == len(set(names))
    for run in (1, 2, 3):
        assert any(name.startswith((f"run {run} ", f"run-{run}-", f"run_{run}_")) for name in names), names


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("kind", "fault", "verdict"),
    [
        ("NoLine", {}, Verdict.NO_SIGNAL),
        ("DeadQubit", {}, Verdict.NO_SIGNAL),
        ("WrongWindow", {}, Verdict.WINDOW),
        ("Glitches", {"value": 0.35}, Verdict.POOR_FIT),
        ("Glitches", {"value": 0.04}, Verdict.OK),
    ],
)
def test_a_fault_gets_its_verdict(task: type[AverageTask], kind: str, fault: dict[str, Any], verdict: Verdict) -> None:
    outcome = measured(task, kind, **fault)
    assert outcome.verdict is verdict, outcome.judged.message
    if verdict is not Verdict.OK:
        assert "of 3 runs are good, 3 are needed: " in outcome.judged.message
        assert not any(each.accepted for each in outcome.judged.outputs)
    if verdict is Verdict.WINDOW:
        assert outcome.judged.suggestion is not None
        assert "delays" in outcome.judged.suggestion.parameters


def pulls(fluctuation: float) -> Array:
    """Of a thousand means of ten runs, of something that fluctuates by so much and is measured within 1."""
    rng = np.random.default_rng(1)
    values = 30.0 + rng.normal(size=(1000, 10)) * np.hypot(fluctuation, 1.0)
    means = [mean_of(each, np.ones(10)) for each in values]
    return np.asarray([(mean.value - 30.0) / mean.error for mean in means])


@pytest.mark.parametrize("fluctuation", [0.0, 1.0, 5.0])
def test_the_error_of_the_mean_is_honest_whether_or_not_it_fluctuates(fluctuation: float) -> None:
    assert 0.85 < float(np.std(pulls(fluctuation))) < 1.2


def test_the_scatter_tells_how_well_it_is_known_itself() -> None:
    rng = np.random.default_rng(2)
    found = [scatter_of(each) for each in rng.normal(size=(2000, 10))]
    assert np.std([each.value for each in found]) == pytest.approx(np.mean([each.error for each in found]), rel=0.1)


class Scripted(CheckT1Average):
    """Runs that came out as a test says."""

    def outcome_of(self, *good: bool) -> PostProcessResult:
        results = iter(
            PostProcessResult(
                estimates=(Estimate("t1", 30e-6 if ok else 90e-6, 1e-6),),
                checks=(Check("window", 2.0, 1.0, ok, Verdict.WINDOW, message="wait longer"),),
                r2=0.9,
            )
            for ok in good
        )
        self._single = lambda *_: next(results)  # type: ignore[method-assign,assignment]
        return self.postprocess(None, ())  # type: ignore[arg-type]


def scripted(*good: bool) -> PostProcessResult:
    parameters: dict[str, Any] = {"n_runs": len(good), "shots": 100, "delays": (1e-6,)}
    return Scripted(Binding("0", {}, parameters)).outcome_of(*good)


def test_a_bad_run_among_many_is_left_out() -> None:
    result = scripted(*[True] * 9, False)
    assert [check.ok for check in result.checks] == [True]
    assert result.estimates[0].value == pytest.approx(30e-6)


def test_too_many_bad_runs_fail_with_their_verdict() -> None:
    (check,) = scripted(*[True] * 6, *[False] * 4).checks
    assert (check.ok, check.verdict) == (False, Verdict.WINDOW)
    assert check.message == "6 of 10 runs are good, 7 are needed: wait longer"


@pytest.mark.parametrize("task", TASKS)
def test_the_catalogue_entry_is_as_agreed(task: type[AverageTask]) -> None:
    entry, single = task.catalogue_entry(), task.single.catalogue_entry()
    assert (entry.kind, entry.r2_threshold, entry.timeout_s) == (TargetKind.QUBIT, 0.7, 14_400.0)
    assert entry.run_parameters[0].name == "n_runs"
    assert entry.run_parameters[0].default == 10
    assert entry.run_parameters[1:] == single.run_parameters
    assert entry.inputs == single.inputs
    quantity = TASKS[task]
    assert [(o.name, o.unit, o.required) for o in entry.outputs] == [
        (f"{quantity}_average", "us", True),
        (f"{quantity}_std", "us", True),
    ]
    assert entry.duration_s == pytest.approx(10 * single.duration_s, rel=0.01)
