"""The final phase of a session: the truth table is the test."""

from __future__ import annotations

import pytest

from kubecal.api.session_status import Phase
from kubecal.engine.phases import RECORD_STATUS, Ended, final_phase

CANCELLED, FAILED, PARTLY, COMPLETED = Phase.CANCELLED, Phase.FAILED, Phase.PARTIALLY_FAILED, Phase.COMPLETED


@pytest.mark.parametrize(
    ("cancelled", "failure", "failed", "phase"),
    [
        # of 4 targets
        (False, "", 0, COMPLETED),
        (False, "", 1, PARTLY),
        (False, "", 3, PARTLY),
        (False, "", 4, FAILED),
        (False, "a deadline", 0, FAILED),
        (False, "a deadline", 1, FAILED),
        (False, "a deadline", 4, FAILED),
        (True, "", 0, CANCELLED),
        (True, "", 1, CANCELLED),
        (True, "", 4, CANCELLED),
        (True, "a deadline", 0, CANCELLED),
        (True, "a deadline", 4, CANCELLED),
    ],
)
def test_the_final_phase_is_the_tables(cancelled: bool, failure: str, failed: int, phase: Phase) -> None:
    assert final_phase(Ended(cancelled, failure, 4, failed)) is phase


def test_a_single_target_has_no_part_that_fails() -> None:
    assert final_phase(Ended(False, "", 1, 1)) is FAILED


def test_every_phase_has_its_status_in_the_record() -> None:
    assert set(RECORD_STATUS) == set(Phase)
    unfinished = {"scheduled", "running"}
    assert all((RECORD_STATUS[phase] not in unfinished) is phase.final for phase in Phase)
