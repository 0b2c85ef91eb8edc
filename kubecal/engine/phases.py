"""The final phase of a session: a truth table, and the test is the table."""

from __future__ import annotations

from dataclasses import dataclass

from kubecal.api.session_status import Phase


@dataclass(frozen=True)
class Ended:
    """What decides how a session that has come to its end is called."""

    cancel_requested: bool
    """Before its last task ended."""
    failure: str
    """Why the session as a whole failed (a deadline, StopSession, its chip deleted); empty: it did not."""
    targets: int
    """The session's own targets."""
    failed_targets: int
    """Those with at least one failed task, also under Continue."""
    failed_others: int = 0
    """Other targets with a failed task: couplings of a session of qubits, or the chip."""


def final_phase(ended: Ended) -> Phase:
    """Completed only if nothing failed; all targets failed is Failed; cancel comes before everything."""
    if ended.cancel_requested:
        return Phase.CANCELLED
    if ended.failure:
        return Phase.FAILED
    if ended.failed_targets + ended.failed_others == 0:
        return Phase.COMPLETED
    all_of_them = 0 < ended.targets == ended.failed_targets
    return Phase.FAILED if all_of_them else Phase.PARTIALLY_FAILED


RECORD_STATUS = {
    Phase.PENDING: "scheduled",
    Phase.QUEUED: "scheduled",
    Phase.RUNNING: "running",
    Phase.SUSPENDED: "running",
    Phase.CANCELLING: "running",
    Phase.COMPLETED: "completed",
    Phase.PARTIALLY_FAILED: "completed",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
}
"""``execution_history.status`` of each phase."""
