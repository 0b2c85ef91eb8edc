"""What figures print of a value, and what a sweep that shows nothing is taken for."""

from __future__ import annotations

import math

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.tasks.findings import could_show, value_line


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


@pytest.mark.parametrize(
    ("name", "verdict", "ok", "could", "expected"),
    [
        ("no_signal", Verdict.NO_SIGNAL, False, False, (Verdict.WINDOW, "look further")),
        ("line", Verdict.NO_SIGNAL, False, False, (Verdict.WINDOW, "look further")),
        ("no_signal", Verdict.POOR_FIT, False, False, (Verdict.WINDOW, "look further")),
        ("no_signal", Verdict.NO_SIGNAL, False, True, (Verdict.NO_SIGNAL, "nothing")),
        ("no_signal", Verdict.NO_SIGNAL, True, False, (Verdict.NO_SIGNAL, "nothing")),
        ("glitches", Verdict.POOR_FIT, False, False, (Verdict.POOR_FIT, "nothing")),
    ],
)
def test_nothing_seen_is_a_wrong_window_only_where_nothing_could_be_seen(
    name: str, verdict: Verdict, ok: bool, could: bool, expected: tuple[Verdict, str]
) -> None:
    (found,) = could_show([Check(name, 1.0, 2.0, ok, verdict, message="nothing")], could, "look further")
    assert (found.verdict, found.message) == expected
    assert (found.name, found.value, found.limit, found.ok) == (name, 1.0, 2.0, ok)
