"""What can go wrong with a local run as a whole."""

from __future__ import annotations


class LocalRunError(Exception):
    """The sessions could not be run, or not to their end; the message says what is wrong, where, and what to do."""
