"""Where an operator is measured: a control plane without nodes, a database, a namespace, and clocks beside it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from kubecal_operator.client import ApiClient
from tests.bench.figures import Figure, check
from tests.bench.stopwatch import Note, read_notes
from tests.cluster import kubeconfig
from tests.cluster.process import end, spawn, wait_until
from tests.controller.ground import control_plane_with_kinds, prepare
from tests.controller.lab import Lab, new_namespace, system_namespace
from tests.controller.podsim import PodSimulator, Script
from tests.mongodb import server_for_tests, with_database

_PATIENCE_S = 20


@asynccontextmanager
async def field() -> AsyncIterator[Lab]:
    """A served namespace on a control plane of its own; everything ends with it."""
    with (
        tempfile.TemporaryDirectory(prefix="kubecal-bench-") as place,
        server_for_tests(Path(place) / "mongodb") as server,
        control_plane_with_kinds() as control_plane,
    ):
        namespace = new_namespace()
        position = control_plane.audit_position()
        prepare(control_plane, namespace)
        rights = control_plane.service_account_kubeconfig(system_namespace(namespace), "kubecal-operator")
        os.environ["KUBECONFIG"] = str(control_plane.kubeconfig)
        api = ApiClient()
        uri = with_database(server, f"bench-{uuid.uuid4().hex[:16]}")
        lab = Lab(control_plane, api, namespace, uri, Path(place), rights, position)
        try:
            yield lab
        finally:
            lab.end()
            await api.close()


@dataclass(frozen=True)
class Clock:
    """A stopwatch that runs."""

    kubeconfig: Path
    """Of the operator, by way of the stopwatch."""
    file: Path

    def notes(self) -> list[Note]:
        """What passed by so far."""
        return read_notes(self.file)


@contextmanager
def stopwatch(lab: Lab) -> Iterator[Clock]:
    """A proxy with a clock, in a process of its own, before the lab's API server."""
    notes, log = lab.folder / "notes", lab.folder / "stopwatch.log"
    notes.touch()
    process = spawn(
        [sys.executable, "-m", "tests.bench.stopwatch", lab.kubeconfig, notes], log, on_death=signal.SIGKILL
    )
    try:
        wait_until(lambda: _port(process, log) > 0, f"a stopwatch (its log is {log})", timeout_s=_PATIENCE_S)
        entry = yaml.safe_load(lab.kubeconfig.read_text())
        entry["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{_port(process, log)}"}
        yield Clock(kubeconfig.write(lab.folder / "timed-kubeconfig", yaml.safe_dump(entry)), notes)
    finally:
        end(process)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    said = log.read_text()
    if process.poll() is not None:
        raise RuntimeError(f"the stopwatch ended: {said}")
    return int(said) if said.strip().isdigit() else 0


def checked(figures: Callable[[], AsyncIterator[Figure]]) -> int:
    """Run a benchmark that waits for others, print every figure as it comes; 1 if one was out of its range."""

    async def each() -> int:
        # One at a time: what has been measured is printed even where the next one fails.
        return max([check([figure]) async for figure in figures()])

    return asyncio.run(each())


@asynccontextmanager
async def simulated(lab: Lab, script: Script) -> AsyncIterator[PodSimulator]:
    """The pods of a lab with many chips.

    Raises
    ------
    AssertionError
        If two pods ever drove one qubit at once.
    """
    simulator = PodSimulator(lab.api, lab.namespace, lab.mongodb_uri, script)
    simulator.line = lambda request, qubit: f"{request.chip.chip_id}/{qubit}"
    async with simulator:
        yield simulator
    if simulator.clashes:
        raise AssertionError(f"two pods on one line: {simulator.clashes[:3]}")


# ------------------------------------------------------------------ what a process takes


def resident_mib(pid: int) -> float:
    """Memory of a process that is in use now, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def processor_s(pid: int) -> float:
    """Processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed.

    Raises
    ------
    ValueError
        If there are no values: nothing was measured.
    """
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
