"""Saying what is waited for."""

from __future__ import annotations

import asyncio

from kubecal.service.patience import Patience


async def test_what_passes_at_once_is_not_said_and_what_lasts_is_said_once() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    patience = Patience(said.put_nowait, wait_s=0.001)
    patience.hear("planned")
    patience.hear("waits for evening")
    assert await asyncio.wait_for(said.get(), 5) == "waits for evening"
    patience.hear("")
    patience.hear("waits for evening")
    patience.hear("waits for night")
    assert await asyncio.wait_for(said.get(), 5) == "waits for night"
    assert said.empty()
