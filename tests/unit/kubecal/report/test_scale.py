"""Colours: in the order of the values, readable, and not stretched by one value far away."""

import math

import pytest

from kubecal.report.scale import DARK_INK, LIGHT_INK, STOPS, Scale, contrast, ink_on, quantile, scale_of


def test_the_ends_and_the_middle_have_the_colours_of_the_scale() -> None:
    scale = Scale(1.0, 3.0)
    assert (scale.colour(1.0), scale.colour(2.0), scale.colour(3.0)) == (STOPS[0], STOPS[5], STOPS[-1])


def test_what_lies_outside_has_the_colour_of_the_nearer_end() -> None:
    scale = Scale(1.0, 3.0)
    assert (scale.colour(-5.0), scale.colour(99.0)) == (STOPS[0], STOPS[-1])


def test_equal_values_have_the_colour_of_the_middle() -> None:
    assert Scale(2.0, 2.0).colour(2.0) == STOPS[5]


def test_it_grows_lighter_all_the_way() -> None:
    scale = Scale(0.0, 100.0)
    against_black = [contrast("#000000", scale.colour(float(value))) for value in range(101)]
    assert against_black == sorted(against_black)


def test_the_ink_on_every_colour_has_the_contrast_of_aa() -> None:
    scale = Scale(0.0, 100.0)
    for value in range(101):
        colour = scale.colour(float(value))
        assert contrast(ink_on(colour), colour) >= 4.5, f"at {value} per cent"


@pytest.mark.parametrize(("colour", "ink"), [("#440154", LIGHT_INK), ("#fde725", DARK_INK)])
def test_ink_is_light_on_dark_and_dark_on_light(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink


def test_black_on_white_is_the_greatest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


def test_an_outlier_does_not_stretch_the_scale() -> None:
    assert scale_of([10.0, 11.0, 11.5, 12.0, 12.5, 13.0, 14.0, 900.0]) == Scale(10.0, 14.0)


def test_of_a_handful_of_values_none_is_an_outlier() -> None:
    assert scale_of([17.0, 42.9, 36.0, 37.6]) == Scale(17.0, 42.9)


def test_values_that_are_no_numbers_are_left_out() -> None:
    assert scale_of([math.nan, 2.0, math.inf, 4.0]) == Scale(2.0, 4.0)


def test_without_a_finite_value_there_is_no_scale() -> None:
    assert scale_of([math.nan]) is None


def test_a_quantile_lies_between_its_neighbours_in_proportion() -> None:
    assert quantile([0.0, 10.0, 20.0], 0.25) == pytest.approx(5.0)
