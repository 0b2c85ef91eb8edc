"""The timeline: a lane a wire, a bar an attempt, nothing over anything else."""

from datetime import UTC, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from kubecal.reading.answers import Result
from kubecal.report.timeline import WIDTH, Lane, Span, Timeline, span_of, ticks, timeline
from tests.unit.kubecal.report.builders import BEGAN, LATER, a_failure, a_result, moment

QUBITS = ("qubit", "chip")


def _drawn(*results: Result, kinds: tuple[str, ...] = QUBITS) -> Timeline:
    span = span_of(results, LATER, UTC)
    assert span is not None
    return timeline(results, span, kinds)


def _lane(drawn: Timeline, label: str) -> Lane:
    return next(lane for lane in drawn.lanes if lane.label == label)


def test_it_reaches_from_the_first_begin_to_the_last_end() -> None:
    first = a_result(started_at=moment(5), ended_at=moment(9))
    second = a_result(qid="1", started_at=moment(7), ended_at=moment(30))
    assert span_of([second, first], LATER, UTC) == Span(moment(5), moment(30))


def test_what_still_runs_reaches_until_now() -> None:
    assert span_of([a_result(status="running", ended_at=None)], LATER, UTC) == Span(moment(10), LATER)


def test_where_nothing_ran_there_is_no_timeline() -> None:
    assert span_of([a_result(status="skipped", started_at=None, ended_at=None)], LATER, UTC) is None


def test_every_wire_has_a_lane_qubits_by_number_then_the_chip() -> None:
    whole = a_result("ConfigureAll", "", wires=(("X", "chip", ""),))
    drawn = _drawn(a_result(qid="10"), a_result(qid="2"), whole)
    assert [lane.label for lane in drawn.lanes] == ["qubit 2", "qubit 10", "the chip"]


def test_muxes_and_modules_are_lanes_of_their_own() -> None:
    task = a_result(wires=(("X", "qubit", "0"), ("S", "mux", "0"), ("X", "module", "R1")))
    drawn = _drawn(task, kinds=("mux", "module"))
    assert [lane.label for lane in drawn.lanes] == ["MUX 0", "module R1"]
    assert [len(lane.bars) for lane in drawn.lanes] == [0, 1]


def test_a_bar_lies_where_its_attempt_ran() -> None:
    long, short = (
        a_result(started_at=moment(0), ended_at=moment(100)),
        a_result(qid="1", started_at=moment(25), ended_at=moment(75)),
    )
    bar = _lane(_drawn(long, short), "qubit 1").bars[0]
    assert (bar.x, bar.width) == (WIDTH / 4, WIDTH / 2)


def test_a_coupling_has_a_bar_on_both_its_qubits() -> None:
    pair = a_result("CheckZX90", "0-1", wires=(("X", "qubit", "0"), ("X", "qubit", "1")))
    assert [len(lane.bars) for lane in _drawn(pair).lanes] == [1, 1]


def test_what_is_shared_is_one_line_as_long_as_anybody_shares_it() -> None:
    wires = (("X", "qubit", "0"), ("S", "qubit", "1"))
    drawn = _drawn(
        a_result(wires=wires, started_at=moment(0), ended_at=moment(40)),
        a_result(qid="2", wires=(("X", "qubit", "2"), ("S", "qubit", "1")), started_at=moment(20), ended_at=moment(60)),
        a_result("CheckT2Echo", wires=wires, started_at=moment(80), ended_at=moment(100)),
    )
    assert _lane(drawn, "qubit 1").shared == ((0.0, 0.6 * WIDTH), (0.8 * WIDTH, WIDTH))
    assert _lane(drawn, "qubit 1").bars == ()


def test_those_that_hold_the_same_at_a_time_have_rows_of_their_own() -> None:
    # Two computations hold no wire, and so may run side by side.
    limits = [a_result("Check1QGateCoherenceLimit", qid, wires=()) for qid in ("0", "1")]
    lane = _lane(_drawn(*limits), "without a wire")
    assert ([bar.row for bar in lane.bars], lane.rows) == ([0, 1], 2)


def test_those_that_follow_each_other_share_a_row() -> None:
    one, other = a_result(ended_at=moment(20)), a_result("CheckT2Echo", started_at=moment(20), ended_at=moment(30))
    assert _lane(_drawn(one, other), "qubit 0").rows == 1


def test_an_attempt_on_a_mux_is_one_bar_and_shows_the_worst_of_its_qubits() -> None:
    wires = (("X", "mux", "0"), ("X", "qubit", "0"), ("X", "qubit", "1"))
    good = a_result("CheckResonatorSpectroscopy", "0", target="mux-0", wires=wires)
    bad = a_failure("CheckResonatorSpectroscopy", "1", target="mux-0", wires=wires)
    for results in ((good, bad), (bad, good)):
        bars = _lane(_drawn(*results), "qubit 0").bars
        assert [bar.result.status for bar in bars] == ["failed"]


@pytest.mark.parametrize(("seconds", "step"), [(4, 1), (100, 15), (3600, 900), (36_000, 7200), (604_800, 86_400)])
def test_ticks_are_round_moments(seconds: int, step: int) -> None:
    found = ticks(Span(BEGAN + timedelta(seconds=1), BEGAN + timedelta(seconds=1 + seconds)))
    assert 3 <= len(found) <= 11
    assert {(second.at - first.at).total_seconds() for first, second in pairwise(found)} == {step}
    midnight = BEGAN.replace(hour=0)
    assert all((tick.at - midnight).total_seconds() % step == 0 for tick in found)


def test_ticks_are_round_on_the_chips_own_clock() -> None:
    span = span_of([a_result(started_at=moment(0), ended_at=moment(8 * 3600))], LATER, ZoneInfo("Asia/Kolkata"))
    assert span is not None
    assert {tick.at.minute for tick in ticks(span)} == {0}
