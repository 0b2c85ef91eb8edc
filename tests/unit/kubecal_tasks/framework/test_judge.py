"""From checks to a verdict."""

import math

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.framework.declarations import OutputParameter, Precision
from kubecal_tasks.framework.judge import judge
from kubecal_tasks.framework.outcome import Check, Estimate

T1 = OutputParameter("t1", "us", minimum=0.0, precision=Precision(relative=0.2))
STAR = OutputParameter("t2_star", "us", required=False, precision=Precision(relative=0.2))
FREQUENCY = OutputParameter("qubit_frequency", "GHz", minimum=4.0, maximum=6.0, precision=Precision(absolute=50e-6))
AMPLITUDE = OutputParameter("amplitude", "a.u.", group="pulse", precision=Precision(relative=0.02))
LENGTH = OutputParameter("length", "ns", group="pulse")


def failing(verdict: Verdict, output: str = "") -> Check:
    return Check(f"a {verdict}", 1.0, 2.0, False, verdict, output, f"it is {verdict}")


def measured(*estimates: tuple[str, float, float]) -> dict[str, Estimate]:
    return {name: Estimate(name, value, error) for name, value, error in estimates}


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (30.0, 1.0, Verdict.OK),
        (30.0, 5.9, Verdict.OK),
        (30.0, 6.1, Verdict.IMPRECISE),
        (-1.0, 0.5, Verdict.IMPRECISE),
        (-2.0, 0.5, Verdict.UNPHYSICAL),
        (math.nan, 1.0, Verdict.UNPHYSICAL),
        (30.0, math.inf, Verdict.UNPHYSICAL),
        (30.0, math.nan, Verdict.UNPHYSICAL),
    ],
)
def test_a_value_is_judged_by_its_bounds_and_its_precision(value: float, error: float, verdict: Verdict) -> None:
    assert judge([T1], measured(("t1", value, error)), [], None, None).verdict is verdict


@pytest.mark.parametrize(
    ("r2", "threshold", "verdict"),
    [
        (0.71, 0.7, Verdict.OK),
        (0.7, 0.7, Verdict.POOR_FIT),
        (math.nan, 0.7, Verdict.POOR_FIT),
        (None, 0.7, Verdict.POOR_FIT),
        (0.1, None, Verdict.OK),
    ],
)
def test_the_r2_gate_fails_at_its_threshold_and_without_a_number(
    r2: float | None, threshold: float | None, verdict: Verdict
) -> None:
    assert judge([T1], measured(("t1", 30.0, 1.0)), [], r2, threshold).verdict is verdict


@pytest.mark.parametrize(
    ("unit", "value", "sentence"),
    [
        ("us", 30.0, "the error of x, 9 us, is above 6: take more shots"),
        ("", 30.0, "the error of x, 9, is above 6: take more shots"),
        ("us", -90.0, "x = -90 us lies beyond its minimum 0, even with 3 sigma"),
        ("", -90.0, "x = -90 lies beyond its minimum 0, even with 3 sigma"),
    ],
)
def test_a_value_is_told_with_its_unit_where_it_has_one(unit: str, value: float, sentence: str) -> None:
    output = OutputParameter("x", unit, minimum=0.0, precision=Precision(relative=0.2))
    assert judge([output], measured(("x", value, 9.0)), [], None, None).message == sentence


def test_the_worst_check_gives_the_verdict_and_the_sentence() -> None:
    checks = [failing(v) for v in (Verdict.IMPRECISE, Verdict.WINDOW, Verdict.NO_SIGNAL, Verdict.POOR_FIT)]
    judgement = judge([T1], measured(("t1", 30.0, 1.0)), checks, None, None)
    assert (judgement.verdict, judgement.message) == (Verdict.NO_SIGNAL, "it is no_signal")


def test_an_output_that_was_not_measured_fails_if_it_is_required() -> None:
    judgement = judge([FREQUENCY, T1], measured(("t1", 30.0, 1.0)), [], None, None)
    assert judgement.verdict is Verdict.POOR_FIT
    assert "qubit_frequency could not be determined" in judgement.message


def test_an_optional_output_fails_alone() -> None:
    estimates = measured(("qubit_frequency", 5.0, 1e-6), ("t2_star", 8.0, 4.0))
    judgement = judge([FREQUENCY, STAR], estimates, [failing(Verdict.WINDOW, "t2_star")], None, None)
    assert judgement.verdict is Verdict.OK
    assert judgement.accepted == {"qubit_frequency"}


def test_an_optional_output_that_is_absent_fails_nothing() -> None:
    judgement = judge([FREQUENCY, STAR], measured(("qubit_frequency", 5.0, 1e-6)), [], None, None)
    assert (judgement.verdict, judgement.accepted) == (Verdict.OK, {"qubit_frequency"})


def test_a_group_is_accepted_whole_or_not_at_all() -> None:
    estimates = measured(("amplitude", 0.2, 0.1), ("length", 32.0, 0.0), ("t1", 30.0, 1.0))
    judgement = judge([AMPLITUDE, LENGTH, T1], estimates, [], None, None)
    assert judgement.verdict is Verdict.IMPRECISE
    assert judgement.accepted == {"t1"}


def test_a_bound_is_violated_only_beyond_three_sigma() -> None:
    assert judge([FREQUENCY], measured(("qubit_frequency", 6.00001, 1e-5)), [], None, None).verdict is Verdict.OK
    assert judge([FREQUENCY], measured(("qubit_frequency", 6.1, 1e-5)), [], None, None).verdict is Verdict.UNPHYSICAL


def test_a_task_without_outputs_is_judged_by_its_checks_alone() -> None:
    assert judge([], {}, [], None, None).verdict is Verdict.OK
    assert judge([], {}, [failing(Verdict.WINDOW)], None, None).verdict is Verdict.WINDOW


def test_a_task_none_of_whose_outputs_is_required_is_judged_by_what_concerns_no_output() -> None:
    found = measured(("t2_star", 8.0, 1.0))
    assert judge([STAR], found, [], None, None).verdict is Verdict.OK
    assert judge([STAR], found, [failing(Verdict.WINDOW, "t2_star")], None, None).verdict is Verdict.OK
    judgement = judge([STAR], found, [failing(Verdict.NO_SIGNAL)], None, None)
    assert (judgement.verdict, judgement.message, judgement.accepted) == (Verdict.NO_SIGNAL, "it is no_signal", set())


def test_every_check_is_kept_with_its_value_and_limit() -> None:
    judgement = judge([T1], measured(("t1", 30.0, 7.0)), [], 0.9, 0.7)
    assert [(c.name, c.value, c.ok) for c in judgement.checks] == [
        ("r2", 0.9, True),
        ("finite", 30.0, True),
        ("minimum", 30.0, True),
        ("imprecise", 7.0, False),
    ]


def test_a_spread_is_an_error_that_more_shots_do_not_mend() -> None:
    output = OutputParameter("qubit_frequency", "GHz", precision=Precision(absolute=50e-6))
    beating = {"qubit_frequency": Estimate("qubit_frequency", 5.0, 200e-6, spread=199.9e-6)}
    noisy = {"qubit_frequency": Estimate("qubit_frequency", 5.0, 200e-6)}
    assert judge([output], beating, [], None, None).verdict is Verdict.OK
    assert judge([output], noisy, [], None, None).verdict is Verdict.IMPRECISE
