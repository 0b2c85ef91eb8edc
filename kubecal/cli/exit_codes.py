"""Exit codes, the same for every verb."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a verb ends with, where no signal ended it."""

    DONE = 0
    FAILED = 1
    """A session failed, in part or as a whole, or was cancelled; or there is no such thing."""
    NOT_DONE = 2
    """It could not be done: command line, manifest, lab, records, a refusal."""
    OWN_MISTAKE = 70
    """``EX_SOFTWARE`` of sysexits.h."""


STOPPED = 128
"""Plus the number of the signal, as shells count it."""
