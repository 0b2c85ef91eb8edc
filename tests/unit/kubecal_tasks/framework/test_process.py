"""The measuring child, as its parent sees it."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.connection import Connection
from typing import Any

import pytest

from kubecal_tasks.framework.process import Child, ChildDiedError, fork

_SOON_S = 10.0


def listen(child: Child) -> object:
    return child.receive(time.monotonic() + _SOON_S)


def test_the_two_talk_through_a_pipe() -> None:
    child = fork(lambda connection: connection.send(("measured", connection.recv())))
    child.send("begin")
    assert listen(child) == ("measured", "begin")


@pytest.mark.parametrize(
    ("die", "exit_code", "words"),
    [
        (lambda: os._exit(3), 3, "with exit code 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), 137, "by SIGKILL (out of memory?)"),
    ],
)
def test_a_dead_child_is_noticed_and_how_it_died_is_told(die: Any, exit_code: int, words: str) -> None:
    child = fork(lambda _: die())
    with pytest.raises(ChildDiedError) as caught:
        listen(child)
    assert caught.value.exit_code == exit_code
    assert words in str(caught.value)


def test_what_a_child_said_before_it_died_is_not_lost() -> None:
    def work(connection: Connection[Any, Any]) -> None:
        connection.send("the data")
        os._exit(1)

    child = fork(work)
    assert listen(child) == "the data"
    with pytest.raises(ChildDiedError):
        listen(child)


def test_a_silent_child_is_not_waited_for_beyond_the_deadline() -> None:
    child = fork(lambda connection: connection.recv())
    with pytest.raises(TimeoutError):
        child.receive(time.monotonic() + 0.01)
    child.stop()


def test_a_child_that_is_stopped_may_park_first() -> None:
    def work(connection: Connection[Any, Any]) -> None:
        try:
            connection.send("driving")
            signal.pause()
        finally:
            connection.send("parked")

    child = fork(work)
    assert listen(child) == "driving"
    assert child.stop()
    assert listen(child) == "parked"


def test_a_child_that_is_deaf_is_killed() -> None:
    def work(connection: Connection[Any, Any]) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        connection.send("driving")
        signal.pause()

    child = fork(work)
    assert listen(child) == "driving"
    assert not child.stop(patience_s=0.02)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
