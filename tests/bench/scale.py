"""Many sessions, long sessions, and what of them stands on objects.

    python -m tests.bench.scale [--sessions 200] [--chips 20]

Two hundred sessions on twenty chips are applied at once to a control plane, ten for each chip, of which one at a time
may run; all must come to their end. The status of a session of 2,000 tasks is made by the engine as badly as can be:
all tasks failed, every name and message as long as may be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from kubecal.api.request import Verdict
from kubecal.engine.decide import decide
from kubecal.engine.model import RowStatus, Trouble
from kubecal_operator import names
from tests.bench.field import checked, field, processor_s, resident_mib, simulated
from tests.bench.figures import Figure
from tests.controller.lab import FINAL, Json, Lab
from tests.controller.lives import lives
from tests.controller.podsim import Play
from tests.unit.kubecal.engine.builders import chip, held, planned, recorded, row, session

STATUS_KIB, MEMORY_MIB = 64.0, 80.0
STEPS, TARGETS = 250, 8
_QUBITS = ("0", "3")
_AWAY_S = 280.0
_LONGEST_NAME, _LONGEST_MESSAGE = 63, 4_000


# ------------------------------------------------------------------ the status of a long session


def status_kib(*, steps: int, targets: int, message: str) -> float:
    """Size of the status of a session all of whose tasks failed, as JSON, in KiB."""
    topology = {"squareLattice": {"rows": 2, "columns": targets // 2, "muxSize": 4}}
    fridge = chip(topology=topology)
    listed = [
        {"name": f"{number:03}-".ljust(_LONGEST_NAME, "x"), "tasks": [{"task": "T1"}], "barrier": True}
        for number in range(steps)
    ]
    chosen = {"qubits": [str(number) for number in range(targets)]}
    view = session(steps=listed, targets=chosen, retry={"limit": 0})
    tasks = planned(view, fridge).tasks
    if len(tasks) != steps * targets:
        raise AssertionError(f"{len(tasks)} tasks are planned, not {steps * targets}")
    failed = {"verdict": Verdict.POOR_FIT, "trouble": Trouble.VERDICT, "message": message}
    rows = (row(task.key, attempt=1, status=RowStatus.FAILED, **failed) for task in tasks)
    view = recorded(view, *rows, on=fridge, status="running")
    here = chip(held_by=[view], topology=topology)
    (patch,) = decide(held(view, chips=[here])).status_patches
    if patch.status.tasks.failed != len(tasks):
        raise AssertionError(f"{patch.status.tasks.failed} tasks failed, not {len(tasks)}")
    status = patch.status.model_dump(mode="json", by_alias=True, exclude_none=True)
    return len(json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode()) / 1024


def status_figures() -> Iterator[Figure]:
    """Long sessions of few and of many steps."""
    why = "read and written whole, every two seconds"
    message = "é" * _LONGEST_MESSAGE
    for steps, targets in ((2, 1_000), (STEPS, TARGETS)):
        name = f"status of {steps * targets:,} failed tasks in {steps} steps"
        yield Figure(name, status_kib(steps=steps, targets=targets, message=message), "KiB", most=STATUS_KIB, why=why)


# ------------------------------------------------------------------ many sessions


async def session_figures(sessions: int, chips: int) -> AsyncIterator[Figure]:
    """All applied at once, and run to their end."""
    async with field() as lab:
        operator = lab.start_operator()
        for number in range(chips):
            await lab.apply_chip(f"chip-{number}")
        async with simulated(lab, lambda request: Play(seconds=0.2)):
            began = time.monotonic()
            await asyncio.gather(*(_apply(lab, number, chips) for number in range(sessions)))
            await lab.until(lambda: _all_ended(lab, sessions), f"the end of {sessions} sessions", _AWAY_S)
            took = time.monotonic() - began
        phases = Counter([each["status"]["phase"] for each in await _sessions(lab)])
        pods = len(lives(lab.audit()))
        busy, memory = processor_s(operator.process.pid), resident_mib(operator.process.pid)
    name = f"{sessions} sessions on {chips} chips"
    yield Figure(f"{name}: completed", phases["Completed"], least=sessions, why="none is forgotten, none fails")
    yield Figure(f"{name}: pods a task", pods / (len(_QUBITS) * sessions), least=1, most=1, why="nothing is done twice")
    yield Figure(f"{name}: took", took, "s")
    yield Figure(f"{name}: operator's processor time", busy, "s")
    yield Figure(f"{name}: operator's memory", memory, "MiB", most=MEMORY_MIB, why="as with 1,000 pods")


async def _apply(lab: Lab, number: int, chips: int) -> None:
    step = {"name": "check", "tasks": [{"task": "CheckT1"}]}
    targets = {"qubits": list(_QUBITS)}
    await lab.apply_session(f"session-{number}", chip=f"chip-{number % chips}", targets=targets, steps=[step])


async def _sessions(lab: Lab) -> list[Json]:
    return (await lab.api.list_all(names.all_custom(lab.namespace, names.SESSIONS)))[0]


async def _all_ended(lab: Lab, sessions: int) -> bool:
    phases = [each.get("status", {}).get("phase") for each in await _sessions(lab)]
    return len(phases) == sessions and all(phase in FINAL for phase in phases)


async def _all(sessions: int, chips: int) -> AsyncIterator[Figure]:
    for figure in status_figures():
        yield figure
    async for figure in session_figures(sessions, chips):
        yield figure


def main() -> int:
    """Statuses, then sessions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--chips", type=int, default=20)
    options = parser.parse_args()
    return checked(lambda: _all(options.sessions, options.chips))


if __name__ == "__main__":
    sys.exit(main())
