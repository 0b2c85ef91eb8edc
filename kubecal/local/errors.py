"""What can go wrong on this computer as a whole."""

from __future__ import annotations

from kubecal.lab.lab import LabError


class LocalRunError(LabError):
    """This computer could not do it, or not to its end; the message says what is wrong, where, and what to do."""
