"""Changes: in standard deviations of both values together, and only pointed at where chance does not do it."""

import math

import pytest

from kubecal.report.changes import Change, change_of
from tests.unit.kubecal.report.builders import an_output


def _change(**fields: float | None) -> Change:
    found = change_of(an_output(**fields))
    assert found is not None
    return found


def test_without_a_value_before_there_is_no_change() -> None:
    assert change_of(an_output()) is None


def test_it_is_counted_in_the_errors_of_both() -> None:
    change = _change(value=20.0, error=0.3, previous=19.0, previous_error=0.4)
    assert (change.sigmas, change.text, change.arrow) == (pytest.approx(2.0), "+2.0 σ", "▲")


def test_what_the_records_counted_is_not_counted_anew() -> None:
    assert _change(value=20.0, error=0.3, previous=19.0, previous_error=0.4, sigmas=1.7).sigmas == 1.7


def test_a_fall_has_a_real_minus_sign() -> None:
    change = _change(value=18.0, error=0.3, previous=19.0, previous_error=0.4)
    assert (change.text, change.arrow) == ("−2.0 σ", "▼")


@pytest.mark.parametrize(("value", "notable"), [(20.4, False), (20.6, True), (17.4, True)])
def test_it_is_notable_beyond_three_standard_deviations(value: float, notable: bool) -> None:
    assert _change(value=value, error=0.3, previous=19.0, previous_error=0.4).notable is notable


def test_without_errors_it_is_a_part_of_what_was() -> None:
    change = _change(value=33.0, error=0.0, previous=32.0, previous_error=0.0)
    assert (change.text, math.isnan(change.sigmas), change.notable) == ("+3.1 %", True, False)


def test_what_has_no_error_and_did_not_change_is_the_same() -> None:
    change = _change(value=32.0, error=0.0, previous=32.0, previous_error=None)
    assert (change.text, change.arrow) == ("the same", "")


def test_nothing_is_no_measure() -> None:
    assert _change(value=1.0, error=0.0, previous=0.0).text == "was 0"


def test_the_value_before_is_written_with_its_error() -> None:
    assert _change(previous=19.04, previous_error=0.41).before == "19.04 ± 0.41"
