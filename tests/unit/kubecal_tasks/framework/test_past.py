"""A result and what was known before it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.framework.declarations import DAY_S, OutputParameter, Precision
from kubecal_tasks.framework.judge import judge
from kubecal_tasks.framework.outcome import Check, Estimate, Judgement, Shift
from kubecal_tasks.framework.past import NO_PAST, Past, PastValue, allowance

HOUR_S = 3600.0
T1 = OutputParameter(
    "t1", "us", minimum=0.0, precision=Precision(relative=0.2), drift=0.2, drift_relative=True, max_age_s=DAY_S
)
FREQUENCY = OutputParameter("qubit_frequency", "GHz", drift=50e-6, max_age_s=DAY_S)
AMPLITUDE = OutputParameter("amplitude", "a.u.", group="pulse", drift=0.01, drift_relative=True, max_age_s=DAY_S)
LENGTH = OutputParameter("length", "ns", group="pulse")
STAR = replace(T1, name="t2_star", required=False)


def judged(new: float, past: Past, output: OutputParameter = T1, error: float = 1.0) -> Judgement:
    return judge([output], {output.name: Estimate(output.name, new, error)}, [], None, None, past)


def published(value: float, error: float = 1.0, age_s: float = 0.0, name: str = "t1") -> Past:
    return Past({name: PastValue(value, error, age_s)})


@pytest.mark.parametrize(
    ("new", "error", "past", "sigmas"),
    [
        (33.0, 0.3, published(30.0, 0.4), 6.0),
        (27.0, 0.3, published(30.0, 0.4), -6.0),
        # A day's drift explains it, and the distance is told all the same.
        (33.0, 0.3, published(30.0, 0.4, age_s=DAY_S), 6.0),
        (33.0, 0.0, published(30.0, 0.0), None),
        (33.0, 0.3, published(30.0, 0.4, name="t2_echo"), None),
        (33.0, 0.3, NO_PAST, None),
    ],
)
def test_a_result_tells_how_far_it_is_from_the_value_that_it_replaces(
    new: float, error: float, past: Past, sigmas: float | None
) -> None:
    output = replace(T1, precision=None, drift=None)
    shift = judged(new, past, output, error).shift
    if sigmas is None:
        assert shift == {}
    else:
        old = past.published["t1"]
        assert shift == {"t1": Shift(old.value, old.error, pytest.approx(sigmas))}


def test_what_replaces_nothing_has_no_shift() -> None:
    assert judged(60.0, published(30.0)).shift == {}, "it contradicts what is published, and is not accepted"
    past = Past({"amplitude": PastValue(0.2, 1e-4, 0.0), "length": PastValue(32.0, 0.0, 0.0)})
    estimates = {"amplitude": Estimate("amplitude", 0.4, 1e-4), "length": Estimate("length", 16.0, 0.0)}
    judgement = judge([AMPLITUDE, LENGTH], estimates, [], None, None, past)
    assert (judgement.accepted, judgement.shift) == ({"amplitude", "length"}, {})


@pytest.mark.parametrize(
    ("output", "age_s", "allowed"),
    [
        (T1, 0.0, 0.0),
        (T1, DAY_S, 6.0),
        (T1, DAY_S / 4, 3.0),
        (T1, 4 * DAY_S, 12.0),
        (FREQUENCY, DAY_S / 25, 10e-6),
        (replace(T1, max_age_s=None), 1.0, 6.0),
        (replace(T1, drift=None), DAY_S, 0.0),
    ],
)
def test_what_may_have_drifted_grows_with_the_square_root_of_the_age(
    output: OutputParameter, age_s: float, allowed: float
) -> None:
    assert allowance(output, PastValue(-30.0, 1.0, age_s)) == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("new", "past", "verdict"),
    [
        (30.0, NO_PAST, Verdict.OK),
        # Five times sqrt(1^2 + 1^2) is 7.07.
        (37.0, published(30.0), Verdict.OK),
        (37.1, published(30.0), Verdict.INCONSISTENT),
        (22.9, published(30.0), Verdict.INCONSISTENT),
        # Six hours later the drift allows 3 us more: 5 sqrt(1^2 + 1^2 + 3^2) is 16.6.
        (46.5, published(30.0, age_s=DAY_S / 4), Verdict.OK),
        (46.7, published(30.0, age_s=DAY_S / 4), Verdict.INCONSISTENT),
        (60.0, published(30.0, error=6.0), Verdict.OK),
        (61.0, published(30.0, error=6.0), Verdict.INCONSISTENT),
        (60.0, published(30.0, name="t2_echo"), Verdict.OK),
    ],
)
def test_a_value_must_not_contradict_what_was_measured_in_the_same_cool_down(
    new: float, past: Past, verdict: Verdict
) -> None:
    judgement = judged(new, past)
    assert judgement.verdict is verdict
    assert judgement.accepted == ({"t1"} if verdict is Verdict.OK else frozenset())
    assert judgement.disputed == (() if verdict is Verdict.OK else ("t1",))
    assert judgement.moved == {}, "one measurement does not say that anything moved"


@pytest.mark.parametrize(
    ("new", "first", "verdict", "moved"),
    [
        # Both attempts say 15 us, where 30 us is published: 15 / sqrt(2) sigma.
        (15.0, 15.0, Verdict.OK, 15.0 / math.sqrt(2.0)),
        (16.0, 20.0, Verdict.OK, 14.0 / math.sqrt(2.0)),
        (13.0, 20.0, Verdict.OK, 17.0 / math.sqrt(2.0)),
        (12.8, 20.0, Verdict.INCONSISTENT, None),
        # Back to what is published: the two attempts contradict each other, and neither is to be believed.
        (30.0, 15.0, Verdict.INCONSISTENT, None),
        # Agrees with the first, and with what is published too: nothing has moved by more than noise.
        (23.5, 22.5, Verdict.OK, None),
    ],
)
def test_the_attempt_after_a_contradiction_decides(
    new: float, first: float, verdict: Verdict, moved: float | None
) -> None:
    judgement = judged(new, replace(published(30.0), disputed={"t1": PastValue(first, 1.0, 0.0)}))
    assert judgement.verdict is verdict
    assert judgement.moved == ({} if moved is None else {"t1": pytest.approx(moved)})


def test_a_second_contradiction_about_another_output_is_one() -> None:
    past = Past(
        {"t1": PastValue(30.0, 1.0, 0.0), "t2_star": PastValue(9.0, 0.1, 0.0)}, {"t1": PastValue(15.0, 1.0, 0.0)}
    )
    estimates = {"t1": Estimate("t1", 15.0, 1.0), "t2_star": Estimate("t2_star", 5.0, 0.1)}
    judgement = judge([T1, replace(STAR, required=True)], estimates, [], None, None, past)
    assert judgement.verdict is Verdict.INCONSISTENT
    assert "t2_star = 5 us lies" in judgement.message


def test_what_is_known_of_the_other_attempt_only_must_be_confirmed_all_the_same() -> None:
    first = {"t1": PastValue(15.0, 1.0, 0.0)}
    assert judged(15.0, Past({}, first)).verdict is Verdict.OK
    assert judged(30.0, Past({}, first)).verdict is Verdict.INCONSISTENT


def test_an_output_without_a_drift_contradicts_nothing() -> None:
    past = published(0.9, 1e-6, name="fidelity")
    assert judged(0.99, past, OutputParameter("fidelity", ""), 1e-6).verdict is Verdict.OK


def test_an_optional_output_that_contradicts_is_not_published_and_fails_nothing() -> None:
    estimates = {"t1": Estimate("t1", 30.0, 1.0), "t2_star": Estimate("t2_star", 5.0, 0.1)}
    judgement = judge([T1, STAR], estimates, [], None, None, published(9.0, 0.1, name="t2_star"))
    assert (judgement.verdict, judgement.accepted) == (Verdict.OK, {"t1"})


@pytest.mark.parametrize(
    ("worse", "verdict"),
    [
        (Verdict.NO_SIGNAL, Verdict.NO_SIGNAL),
        (Verdict.POOR_FIT, Verdict.POOR_FIT),
        (Verdict.IMPRECISE, Verdict.INCONSISTENT),
    ],
)
def test_of_bad_data_nothing_is_concluded(worse: Verdict, verdict: Verdict) -> None:
    bad = Check("bad", 1.0, 0.0, False, worse, "", "bad")
    judgement = judge([T1], {"t1": Estimate("t1", 90.0, 1.0)}, [bad], None, None, published(30.0))
    assert judgement.verdict is verdict
    assert bool(judgement.disputed) is (verdict is Verdict.INCONSISTENT)


@pytest.mark.parametrize(
    ("length", "verdict"), [(32.0, Verdict.INCONSISTENT), (32.0 + 1e-12, Verdict.INCONSISTENT), (16.0, Verdict.OK)]
)
def test_the_amplitude_of_a_pulse_of_another_length_is_another_quantity(length: float, verdict: Verdict) -> None:
    past = Past({"amplitude": PastValue(0.2, 1e-4, 0.0), "length": PastValue(32.0, 0.0, 0.0)})
    estimates = {"amplitude": Estimate("amplitude", 0.4, 1e-4), "length": Estimate("length", length, 0.0)}
    assert judge([AMPLITUDE, LENGTH], estimates, [], None, None, past).verdict is verdict


def test_two_lines_are_an_error_of_the_new_value() -> None:
    """A spread is part of what a value may be off by, however many shots were taken."""
    past = published(5.0, 1e-6, name="qubit_frequency")
    beating = {"qubit_frequency": Estimate("qubit_frequency", 5.0001, 30e-6, spread=30e-6)}
    assert judge([FREQUENCY], beating, [], None, None, past).verdict is Verdict.OK


def test_the_sentence_says_how_far_since_when_and_what_to_do() -> None:
    first = judged(15.0, published(30.0, age_s=HOUR_S)).message
    assert first == (
        "t1 = 15 us lies 8.0 sigma from 30 us, measured 1.0 h before in this cool-down: measure it again, and what "
        "agrees twice has moved"
    )
    second = judged(30.0, replace(published(30.0), disputed={"t1": PastValue(15.0, 1.0, 0.0)})).message
    assert second.startswith("t1 = 30 us does not confirm 15 us of the attempt before")


def test_the_check_is_kept_with_what_was_compared() -> None:
    (check,) = [one for one in judged(37.0, published(30.0)).checks if one.name == "inconsistent"]
    assert (check.value, check.limit, check.ok) == (7.0, pytest.approx(5 * math.sqrt(2.0)), True)
