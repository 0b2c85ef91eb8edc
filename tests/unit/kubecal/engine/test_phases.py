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


@pytest.mark.parametrize(
    ("cancelled", "failure", "own", "failed", "others", "phase"),
    [
        # Couplings or the chip, in a session of 4 qubits: they are not its own targets.
        (False, "", 4, 0, 1, PARTLY),
        (False, "", 4, 0, 9, PARTLY),
        (False, "", 4, 3, 1, PARTLY),
        (False, "", 4, 4, 1, FAILED),
        (False, "a deadline", 4, 0, 1, FAILED),
        (True, "", 4, 4, 9, CANCELLED),
        # A session of one coupling, or of the chip.
        (False, "", 1, 1, 0, FAILED),
        (False, "", 1, 0, 2, PARTLY),
        (False, "", 1, 0, 0, COMPLETED),
        # One of which no plan could be made has no targets.
        (False, "", 0, 0, 0, COMPLETED),
        (False, "", 0, 0, 1, PARTLY),
    ],
)
def test_targets_that_are_not_the_sessions_own_can_fail_a_part_of_it(
    cancelled: bool, failure: str, own: int, failed: int, others: int, phase: Phase
) -> None:
    assert final_phase(Ended(cancelled, failure, own, failed, others)) is phase


def test_a_single_target_has_no_part_that_fails() -> None:
    assert final_phase(Ended(False, "", 1, 1)) is FAILED


def test_every_phase_has_its_status_in_the_record() -> None:
    assert set(RECORD_STATUS) == set(Phase)
    unfinished = {"scheduled", "running"}
    assert all((RECORD_STATUS[phase] not in unfinished) is phase.final for phase in Phase)
