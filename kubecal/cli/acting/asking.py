"""A question that has to be answered before something is changed."""

from __future__ import annotations

import asyncio
import sys

from kubecal.cli.answering import NotDoneError
from kubecal.cli.screen import Screen

_YES = ("y", "yes")


async def agreed(screen: Screen, question: str, *, yes: bool) -> bool:
    """Whether the user says yes.

    Parameters
    ----------
    yes
        Agreed already, by ``--yes``.

    Raises
    ------
    NotDoneError
        If nobody is there to be asked.
    """
    if yes:
        return True
    if not _somebody_is_there():
        raise NotDoneError(f"{question} Nobody is there to answer: give --yes")
    screen.errors.print(f"{question} [y/N] ", end="", markup=False)
    return (await _line()).strip().lower() in _YES


def _somebody_is_there() -> bool:
    return sys.stdin.isatty()


async def _line() -> str:
    """A line from the terminal. Waiting for it can be cancelled, which a thread that reads could not."""
    loop, found = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, found.set)
    try:
        await found.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()
