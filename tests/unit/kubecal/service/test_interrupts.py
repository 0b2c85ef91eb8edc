"""SIGTERM while sessions are open, in whatever thread they are."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from kubecal.service import interrupts
from kubecal.service.errors import Cancelled


@pytest.fixture(autouse=True)
def heard() -> Iterator[list[int]]:
    """What the program's own handler hears."""
    found: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGTERM, before)


def in_another_thread(what: object) -> None:
    assert callable(what)
    thread = threading.Thread(target=what)
    thread.start()
    thread.join()


def test_the_former_handler_is_back_when_the_last_session_has_ended(heard: list[int]) -> None:
    interrupts.listen()
    interrupts.listen()
    interrupts.listen_no_longer()
    with pytest.raises(Cancelled, match="SIGTERM was received"):
        signal.raise_signal(signal.SIGTERM)
    interrupts.listen_no_longer()
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_a_session_of_another_thread_leaves_signals_to_who_started_it(heard: list[int]) -> None:
    in_another_thread(interrupts.listen)
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]
    interrupts.listen()
    with pytest.raises(Cancelled):
        signal.raise_signal(signal.SIGTERM)
    interrupts.listen_no_longer()
    in_another_thread(interrupts.listen_no_longer)
    # Nothing is open any more, though no thread could say so to the signal's handler.
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM] * 3
