"""The operator as the sweeps run it: forked, with shorter waiting times, and with a planted bug where one is asked for.

Thousands of operators start in one run, and what a start costs is its imports: they are done once, by a process that
has nothing else to do than to fork. Each operator is a process of its own all the same, and can be killed like one.

Its rules stay as they are: a call's timeout and the wait for the calls of a former life are shortened together.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import kubecal.engine.retry
import kubecal_operator.app
import kubecal_operator.client
import kubecal_operator.creating
import kubecal_operator.lease
import kubecal_operator.main
from kubecal_operator.settings import Settings
from tests.sweeps import plants

_PATIENCE_S = 1.5
_BACKOFF_S = 0.2
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "tests.sweeps.stage"])


@dataclass(frozen=True)
class Manner:
    """How an operator differs from one that a chart installs."""

    plant: str = ""
    """The planted bug; empty: none."""
    relist_s: float = 300.0


class Fork:
    """A forked process, asked for what one asks of a program's."""

    def __init__(self, environment: Mapping[str, str], log: Path, manner: Manner) -> None:
        log.touch()
        self._process = _FORKS.Process(target=_run, args=(dict(environment), log, manner), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code, negative after a signal; None: it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """As os.kill, but never to a process that has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises
        ------
        TimeoutError
            If it has not by then.
        """
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise TimeoutError(f"operator {self.pid} still runs after {timeout} s")
        return code


def _run(environment: dict[str, str], log: Path, manner: Manner) -> None:
    """What the forked process does: all that its parent left it of other operators is put right first."""
    threading.Thread(target=_end_with_the_sweeps, daemon=True).start()
    # Ctrl-C is for who runs the sweeps.
    os.setsid()
    with log.open("ab") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    os.environ.update(environment)
    _shorten(manner.relist_s)
    if manner.plant:
        plants.PLANTS[manner.plant].plant()
    sys.argv = ["kubecal-operator", "run"]
    kubecal_operator.main.main()


def _end_with_the_sweeps() -> None:
    """However they end; the process that forked us lives for as long as we do and tells us nothing."""
    sweeps = multiprocessing.parent_process()
    assert sweeps is not None
    sweeps.join()
    os.kill(os.getpid(), signal.SIGKILL)


def _shorten(relist_s: float) -> None:
    """What waits for seconds where the tests wait for it."""
    for module in (kubecal_operator.app, kubecal_operator.client, kubecal_operator.lease):
        module.MUTATION_TIMEOUT_S = _PATIENCE_S  # type: ignore[attr-defined]
    kubecal_operator.creating._UNKNOWN_FOR_S = _PATIENCE_S + 1.0
    kubecal.engine.retry._BACKOFF_FIRST_S = _BACKOFF_S
    read = Settings.from_environment
    Settings.from_environment = staticmethod(lambda: replace(read(), relist_s=relist_s))  # type: ignore[method-assign, assignment]
