"""Who holds the hardware, and who is next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from kubecal.engine.model import SessionView
from kubecal.engine.queue import effective_priority, in_line, shown_queue, valid_holders
from tests.unit.kubecal.engine.builders import NOON, chip, later, session

HOUR = 3600.0


def _applied(name: str, at: datetime = NOON, priority: int = 0) -> SessionView:
    return replace(session(name, priority=priority), created_at=at)


@pytest.mark.parametrize(
    ("active", "has_pods", "counts"), [(True, True, 1), (True, False, 1), (False, True, 1), (False, False, 0)]
)
def test_an_entry_is_void_when_its_session_is_over_and_none_of_its_pods_lives(
    active: bool, has_pods: bool, counts: int
) -> None:
    held = valid_holders([chip(held_by=[session()])], lambda _: active, lambda _: has_pods)
    assert len(held) == counts


@pytest.mark.parametrize(
    ("asked", "waited_s", "effective"),
    [(0, 0, 0), (3, 0, 3), (11, 0, 10), (1000, 0, 10), (0, HOUR - 1, 0), (0, HOUR, 1), (10, 3 * HOUR, 13), (2, -60, 2)],
)
def test_priority_is_limited_by_the_chip_and_ages_a_level_an_hour(
    asked: int, waited_s: float, effective: float
) -> None:
    assert effective_priority(_applied("one", priority=asked), chip(), later(waited_s)) == effective


@pytest.mark.parametrize(
    ("sessions", "line"),
    [
        ([("a", 0, 0), ("b", 1, 0)], "ab"),
        ([("b", 1, 0), ("a", 0, 0)], "ab"),
        ([("a", 0, 0), ("b", 1, 5)], "ba"),
        # Two hours and a half of waiting are two levels: more than one level of priority, less than three.
        ([("a", -2.5 * HOUR, 0), ("b", 0, 1)], "ab"),
        ([("a", -2.5 * HOUR, 0), ("b", 0, 3)], "ba"),
        ([("a", -2.5 * HOUR, 0), ("b", 0, 2)], "ab"),
    ],
)
def test_priority_then_age_decide_who_is_next(sessions: list[tuple[str, float, int]], line: str) -> None:
    fridge = chip()
    waiting = [(_applied(name, later(at), priority), fridge) for name, at, priority in sessions]
    assert "".join(one.ref.name for one, _ in in_line(waiting, NOON)) == line


def test_the_line_does_not_depend_on_the_order_of_observation() -> None:
    fridge = chip()
    waiting = [(_applied(name), fridge) for name in "abc"]
    assert in_line(waiting, NOON) == in_line(waiting[::-1], NOON)


def test_a_chip_shows_its_own_part_of_the_line_with_places_in_all_of_it() -> None:
    mine, other = chip(), chip("fridge-b", hardwareId="lab/fridge-a")
    line = [(_applied("a"), other), (_applied("b"), mine), (_applied("c"), mine)]
    shown = shown_queue(mine, line, {line[1][0].ref.uid: "a", line[2][0].ref.uid: "b"})
    assert [(one.session, one.position, one.waits_for) for one in shown] == [("b", 2, "a"), ("c", 3, "b")]


def test_a_very_long_line_is_cut() -> None:
    fridge = chip()
    line = [(_applied(str(number)), fridge) for number in range(300)]
    assert len(shown_queue(fridge, line, {})) == 100
