"""What is said of a program that cannot be."""

from __future__ import annotations


class ProgramError(ValueError):
    """A program that contradicts itself; found when it is built, before any instrument is asked."""
