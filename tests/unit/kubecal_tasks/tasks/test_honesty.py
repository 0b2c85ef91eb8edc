"""Inputs set wrong give the verdict that says so."""

from __future__ import annotations

import pytest

from tests.bench.honesty import GROSS, Bench, Mistake


@pytest.mark.parametrize("mistake", GROSS, ids=lambda mistake: mistake.words)
def test_a_gross_error_gets_its_verdict(mistake: Mistake) -> None:
    outcome = Bench("5", seed=11).rabi(mistake)
    assert outcome.verdict is GROSS[mistake]
    assert outcome.judged.message
    assert not any(each.accepted for each in outcome.judged.outputs)
    assert outcome.raw_data, "a failed verdict never loses data"


def test_a_small_error_does_not_fail_and_shows_in_the_data() -> None:
    bench = Bench("5", seed=11)
    right, wrong = bench.rabi(Mistake("nothing")), bench.rabi(Mistake("drive 10 MHz too high", drive_mhz=10))
    amplitude = {True: 0.0, False: 0.0}
    for is_right, outcome in ((True, right), (False, wrong)):
        amplitude[is_right] = next(o.value for o in outcome.judged.outputs if o.name == "rabi_amplitude")
    assert amplitude[False] / amplitude[True] == pytest.approx(12.5**2 / (12.5**2 + 10**2), abs=0.05)
