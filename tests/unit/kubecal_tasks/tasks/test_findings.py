"""What figures print of a value."""

from __future__ import annotations

import math

import pytest

from kubecal_tasks.fits.values import Measured
from kubecal_tasks.tasks.findings import value_line


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (31.234e-6, 1.38e-6, "T1 = 31.2 ± 1.4 us"),
        (0.5e-6, 0.012e-6, "T1 = 0.500 ± 0.012 us"),
        (310e-6, 42e-6, "T1 = 310 ± 42 us"),
        (31.234e-6, 0.0, "T1 = 31.234000 ± 0.000000 us"),
        (31.234e-6, 1e-60, "T1 = 31.234000000 ± 0.000000000 us"),
        (31.234e-6, math.inf, "T1 = 31.234 ± inf us"),
    ],
)
def test_a_value_is_rounded_to_two_digits_of_its_error_and_stays_readable(
    value: float, error: float, words: str
) -> None:
    assert value_line("T1", Measured(value, error), "us", 1e-6) == words
