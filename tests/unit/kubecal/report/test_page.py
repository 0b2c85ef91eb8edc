"""What stands in the page, and in which order."""

import dataclasses
import re

import pytest

from kubecal.report.figures import pack
from kubecal.report.material import Material
from kubecal.report.page import OPEN_CARDS, OPEN_FAILURES, headline, page_of, render, segments
from kubecal.report.parameters import Kind
from tests.unit.kubecal.report.builders import a_failure, a_known, a_result, an_input, an_output, material

SVG = b'<svg width="576pt" height="353pt"></svg>'


def _html(made: Material) -> str:
    return "".join(render(made))


def _words(html: str) -> str:
    """The text alone, with single spaces."""
    return " ".join(re.sub(r"<(style|script)[^>]*>.*?</\1>|<[^>]*>", " ", html, flags=re.S).split())


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"planned": 24, "succeeded": 24}, "all 24 tasks ok, in 1 min 44 s"),
        ({"planned": 1, "succeeded": 1}, "1 task ok, in 1 min 44 s"),
        ({"planned": 9, "succeeded": 6, "failed": 3}, "6 of 9 tasks ok, 3 failed, in 1 min 44 s"),
        ({"planned": 2, "cancelled": 2}, "0 of 2 tasks ok, 2 cancelled, in 1 min 44 s"),
        ({}, "no task was planned"),
    ],
)  # fmt: skip
def test_the_headline_says_how_it_went(counts: dict[str, int], said: str) -> None:
    assert headline(material(), counts) == said


def test_of_a_session_that_runs_the_headline_says_for_how_long() -> None:
    assert headline(material(status="running", ended_at=None), {"planned": 4, "succeeded": 1}) == (
        "1 of 4 tasks ok, after 1 h 0 min"
    )


def test_the_bar_is_as_long_as_what_was_planned() -> None:
    parts = segments({"planned": 10, "succeeded": 6, "failed": 2, "skipped": 2})
    assert [(part.name, part.start, part.width) for part in parts] == [
        ("succeeded", 0.0, 60.0),
        ("failed", 60.0, 20.0),
        ("skipped", 80.0, 20.0),
    ]


def test_failures_stand_before_everything_else_and_once() -> None:
    html = _html(material([a_result("CheckT1", outputs=(an_output(),)), a_failure("CheckRabi")]))
    sections = ("failed", "chip", "parameters", "measurements", "timeline")
    places = [html.index(f'<section id="{name}"') for name in sections]
    assert places == sorted(places)
    assert html.count('aria-label="CheckRabi on qubit 0: no signal"') == 1
    assert places[0] < html.index('aria-label="CheckRabi on qubit 0: no signal"') < places[1]


def test_a_failure_tells_its_reason_and_the_check_that_failed() -> None:
    said = _words(_html(material([a_failure("CheckRabi")])))
    assert "no oscillation is seen" in said
    assert "signal 0.4 limit 5 the points scatter as much as they vary" in said


def test_the_figures_of_failures_are_the_last_to_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubecal.report.figures.PLAIN_BYTES", len(SVG))
    results = [a_result("CheckT1", figure_ids=("a.svg",)), a_failure("CheckRabi", figure_ids=("b.svg",))]
    page = page_of(material(results, figures={"a.svg": pack(SVG), "b.svg": pack(SVG)}))
    (failed,) = page.cards.failed[0].figures
    (good,) = page.cards.targets[0].cards[0].figures
    assert failed is not None
    assert good is not None
    assert (failed.packed, good.packed, page.packed_figures) == (False, True, 1)


def test_a_figure_that_is_gone_is_said_to_be_gone() -> None:
    assert "not in the records any more" in _html(material([a_result(figure_ids=("gone.svg",))]))


def test_a_value_has_its_error_and_its_change() -> None:
    output = an_output(value=20.0, error=0.3, previous=19.0, previous_error=0.4)
    said = _words(_html(material([a_result(outputs=(output,))])))
    assert "1 value by CheckT1 t1 of every target target value error change qubit 0 20.00 ± 0.30 ▲ +2.0 σ" in said


def test_that_a_setting_of_the_measurement_is_another_one_is_no_news() -> None:
    output = an_output("rabi_phase", 3.14, 0.01, unit="rad", previous=-3.14, previous_error=0.01)
    kinds = {("CheckRabi", "rabi_phase"): Kind.SETTING}
    made = dataclasses.replace(material([a_result("CheckRabi", outputs=(output,))]), kinds=kinds)
    said = _words(_html(made))
    assert "628" not in said, "standard deviations"
    assert "1 more of fits and of the readout" in said


def test_while_it_runs_tasks_are_counted_by_how_they_ended_so_far() -> None:
    waiting = a_result("CheckT1", status="scheduled", verdict="", started_at=None, ended_at=None)
    results = [a_result("CheckRabi"), waiting]
    page = page_of(material(results, status="running", ended_at=None, counts={"planned": 2, "succeeded": 0}))
    assert page.headline.startswith("1 of 2 tasks ok")


def test_what_is_planned_is_listed_in_the_plans_order() -> None:
    never = {"status": "scheduled", "verdict": "", "started_at": None, "ended_at": None}
    steps = [{"name": "check", "tasks": [{"task": "CheckT1"}, {"task": "CheckRamsey"}]}]
    results = [a_result("CheckRamsey", **never), a_result("CheckT1", **never)]
    (target,) = page_of(material(results, session_spec={"steps": steps})).cards.targets
    assert [card.title for card in target.lines] == ["CheckT1", "CheckRamsey"]


def test_what_changed_by_more_than_chance_has_a_section_with_by_how_much() -> None:
    output = an_output("qubit_frequency", 5.000012, 0.000001, unit="GHz", previous=5.0, previous_error=0.000001)
    said = _words(_html(material([a_result("CheckRamsey", outputs=(output,))])))
    assert "1 value is more than three standard deviations from what was known before" in said
    assert "+12 kHz" in said


def test_inputs_run_parameters_log_and_trace_can_be_unfolded() -> None:
    result = a_failure(
        inputs=(an_input(),), run_parameters={"shots": 1024}, log_tail="line of a log", stack_trace="Traceback"
    )
    said = _words(_html(material([result])))
    for words in ("qubit_frequency 5.0500 ± 0.0010 GHz published", "shots: 1024", "line of a log", "Traceback"):
        assert words in said


def test_what_was_skipped_is_a_line_with_its_reason() -> None:
    never = {"started_at": None, "ended_at": None}
    skipped = a_result("CheckT1", status="skipped", verdict="", message="CheckRabi failed", **never)
    assert "skipped CheckT1 in check: CheckRabi failed" in _words(_html(material([skipped])))


def test_an_attempt_that_was_made_again_says_which_it_is() -> None:
    results = [a_failure("CheckT1", attempt=1), a_result("CheckT1", attempt=2, adapted={"shots": 8192})]
    said = _words(_html(material(results)))
    assert "attempt 1 of 2" in said
    assert "attempt 2 of 2" in said
    assert "Measured again with shots: 8192" in said


def test_long_pages_are_folded_and_short_ones_are_not() -> None:
    few, many = ([a_result(ordinal=number) for number in range(size)] for size in (OPEN_CARDS, OPEN_CARDS + 1))
    assert page_of(material(few)).unfolded
    assert not page_of(material(many)).unfolded


def test_of_many_failures_the_first_are_shown_and_the_others_can_be_unfolded() -> None:
    page = page_of(material([a_failure(qid=str(number)) for number in range(OPEN_FAILURES + 5)]))
    assert (len(page.shown_failures), len(page.folded_failures)) == (OPEN_FAILURES, 5)


def test_nothing_measured_makes_a_page_all_the_same() -> None:
    said = _words(_html(material(status="failed", phase="Failed", message="spec.chip: there is no chip 'fridge-b'")))
    assert "failed no task was planned" in said
    assert "there is no chip &#39;fridge-b&#39;" in said
    assert "Nothing was measured." in said


def test_a_message_that_the_headline_says_already_is_not_said_again() -> None:
    assert page_of(material([a_result()], message="1 task ok")).message == ""


def test_a_message_that_repeats_the_failures_is_not_said_again() -> None:
    assert page_of(material([a_failure()], message="failed on qubit 0: CheckRabi on 0")).message == ""
    assert page_of(material([a_failure()], message="deadline exceeded")).message == "deadline exceeded"


def test_the_values_of_a_failure_are_folded_and_said_not_to_be_published() -> None:
    assert "1 value, not published" in _words(_html(material([a_failure(outputs=(an_output(),))])))


def test_a_chip_that_is_not_understood_costs_the_map_and_nothing_else() -> None:
    html = _html(material([a_result(outputs=(an_output(),))], chip_spec={"topology": {"kagome": 3}}))
    assert "so there is no map" in html
    assert "20.00" in html


def test_what_an_earlier_session_measured_is_shown_beside() -> None:
    said = _words(_html(material([a_result(outputs=(an_output(),))], [a_known("x90_gate_fidelity", "0", 0.999)])))
    assert "1 that this session did not measure" in said


def test_times_are_those_of_the_chips_people() -> None:
    assert "2026-11-25 16:00:00 JST" in _html(material(time_zone="Asia/Tokyo"))


@pytest.mark.parametrize(("publish", "said"), [("Review", "published after a review"), ("Never", "published never")])
def test_it_says_where_values_are_not_published(publish: str, said: str) -> None:
    assert said in _words(_html(material(session_spec={"publish": publish})))


def test_the_policy_lets_only_the_pages_own_script_run() -> None:
    html = _html(material())
    assert html.count("<script>") == 1
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert " style=" not in html, "the policy would leave it out"


def test_numbers_that_are_none_do_not_break_it() -> None:
    nan = float("nan")
    result = a_result(outputs=(an_output(value=nan, error=nan),), metrics={"r2": nan})
    assert "NaN" not in _html(material([result])).split('type="application/json">')[1].split("</script>")[0]
