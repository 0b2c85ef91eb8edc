"""Sessions that a verb has begun, followed to their end. Ctrl-C cancels them and waits, a second one leaves them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from kubecal.cli.answering import NotDoneError
from kubecal.cli.live import LiveView
from kubecal.cli.place import Place, Where
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Change, Lab, RefusedError, Sight


async def to_their_end(
    lab: Lab, screen: Screen, names: Sequence[str], place: Place, live: LiveView | None = None
) -> list[Sight]:
    """The last sight of each session, in their order.

    Parameters
    ----------
    live
        Shows what happens; None: nothing is shown.
    """
    # While a picture is shown, only what is written above it stays.
    say = screen.complain if live is None else live.notice
    try:
        return await _followed(lab, names, live)
    except asyncio.CancelledError:
        waits = asyncio.current_task()
        if waits is not None:
            waits.uncancel()
    say(f"cancelling {_spoken(names)}: waiting for running tasks to stop; Ctrl-C again does not wait")
    try:
        for name in names:
            # One that has ended in this very moment says so in its last sight.
            with contextlib.suppress(RefusedError):
                await lab.change(name, Change(cancel=True))
        return await _followed(lab, names, live)
    except asyncio.CancelledError:
        if place.where is Where.CLUSTER:
            say(
                f"{_spoken(names)} {'is' if len(names) == 1 else 'are'} left to stop without you: "
                f"{place.again('watch', names[0])} shows how, {place.again('cancel', names[0])} cancels again"
            )
        raise


async def _followed(lab: Lab, names: Sequence[str], live: LiveView | None) -> list[Sight]:
    following = [asyncio.create_task(_followed_one(lab, name, live)) for name in names]
    try:
        return await asyncio.gather(*following)
    finally:
        for one in following:
            one.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _followed_one(lab: Lab, name: str, live: LiveView | None) -> Sight:
    last: Sight | None = None
    async for sight in lab.follow(name):
        last = sight
        if live is not None:
            live.update(sight)
    if last is None:
        raise NotDoneError(f"nothing was seen of session {name}: ask again how it stands")
    return last


def _spoken(names: Sequence[str]) -> str:
    return f"session {names[0]}" if len(names) == 1 else f"sessions {', '.join(names)}"
