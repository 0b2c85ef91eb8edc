"""Servers and lanes for many cases, and the run that nobody disturbs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.control_plane import ControlPlane
from tests.controller.lab import ROOT
from tests.mongodb import server_for_tests
from tests.sweeps.calls import Json
from tests.sweeps.disturbance import Disturbance
from tests.sweeps.lane import Lane
from tests.sweeps.scenario import COUNTS, PHASE, ROWS, outcome


@contextlib.contextmanager
def lanes(folder: Path, number: int) -> Iterator[list[Lane]]:
    """So many namespaces of one control plane, with one MongoDB."""
    with ControlPlane() as control_plane, server_for_tests(folder / "mongodb") as mongodb:
        control_plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
        control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", ROOT / "crds")
        made = [Lane(control_plane, mongodb, folder / f"lane-{place}") for place in range(number)]
        for lane in made:
            lane.prepare()
        yield made


async def reference(lane: Lane) -> Json:
    """What comes out undisturbed, checked against what the scenario says.

    Raises
    ------
    AssertionError
        If already that is wrong: no sweep means anything then.
    """
    seen = await lane.run(Disturbance())
    assert seen.problems == [], "\n".join(seen.problems)
    assert seen.status is not None
    found = outcome(seen.status, seen.documents)
    assert (found["phase"], found["tasks"], found["rows"]) == (PHASE, COUNTS, ROWS), found
    return found
