"""Histograms: every value in one bin, round edges, no more bins than can be told apart."""

import math
import random

import pytest

from kubecal.report.histogram import HEIGHT, MAX_BINS, WIDTH, Histogram, histogram


def _of(values: list[float]) -> Histogram:
    found = histogram(values)
    assert found is not None
    return found


def test_every_value_is_counted_once() -> None:
    values = [random.Random(7).gauss(30.0, 8.0) for _ in range(500)]
    assert sum(bar.count for bar in _of(values).bars) == 500


def test_each_value_lies_in_its_bin() -> None:
    bars = _of([19.33, 30.17, 43.92, 49.13]).bars
    assert [(bar.low, bar.high, bar.count) for bar in bars] == [(10, 20, 1), (20, 30, 0), (30, 40, 1), (40, 50, 2)]


def test_a_value_on_an_edge_belongs_above_it() -> None:
    bars = _of([0.0, 1.0, 2.0, 3.0, 4.0]).bars
    assert [bar.count for bar in bars if bar.low <= 2.0 < bar.high] == [1]


@pytest.mark.parametrize("number", [1, 2, 5, 30, 1024])
@pytest.mark.parametrize("size", [1e-9, 1e-3, 1.0, 1e6])
def test_there_are_never_more_bins_than_can_be_told_apart(number: int, size: float) -> None:
    values = [size * random.Random(number).random() for _ in range(number)]
    assert 1 <= len(_of(values).bars) <= MAX_BINS


@pytest.mark.parametrize("value", [0.0, 32.0, -5.05, 1e-12])
def test_equal_values_make_one_bar(value: float) -> None:
    bars = _of([value, value, value]).bars
    assert [bar.count for bar in bars] == [3]
    assert bars[0].low <= value <= bars[0].high


def test_the_highest_bar_is_as_high_as_the_drawing_and_none_leaves_it() -> None:
    bars = _of([1.0, 1.1, 1.2, 7.0, 9.0]).bars
    assert max(bar.height for bar in bars) == HEIGHT
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH and bar.y + bar.height == HEIGHT for bar in bars)


def test_edges_are_written_with_the_decimals_they_need() -> None:
    found = _of([0.161, 0.165, 0.178, 0.187])
    assert found.edge(found.low) == "0.16"
    assert found.edge(found.high) == "0.19"


def test_what_is_no_number_is_not_counted() -> None:
    assert sum(bar.count for bar in _of([1.0, math.nan, 2.0, math.inf]).bars) == 2


def test_without_values_there_is_no_histogram() -> None:
    assert histogram([math.nan]) is None
