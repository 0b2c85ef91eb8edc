"""The same qubits a simulated day later: what each result says of the drift, beside the drift itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import InputOffers
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.reports import Judged, Report
from kubecal_tasks.physics.drift import drifted
from kubecal_tasks.physics.truth import draw_truth
from tests.bench.closed_loop import MEASURED_AT, ClosedLoop

SEED = 7
DAY = timedelta(days=1)
TOPOLOGY = square_lattice(2, 2, 4)


def wandered_hz(qubit: str) -> float:
    """How far the simulator moves the qubit within the day."""
    site = TOPOLOGY.site_by_id[qubit]
    truth = draw_truth(SEED, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))
    before, after = (drifted(truth, SEED, at).frequency_hz for at in (MEASURED_AT, MEASURED_AT + DAY))
    return after - before


def ramsey(qubit: str) -> tuple[Judged, Judged]:
    """CheckRamsey today, published, and a day later."""
    loop = ClosedLoop(TOPOLOGY, {"seed": SEED, "priors": {"frequencyMHz": 0.0, "amplitude": 0.0}})
    for task in ("CheckRabi", "CreateHPIPulse"):
        assert loop.run(task, qubit).verdict is Verdict.OK
    today = loop.run("CheckRamsey", qubit).judged
    request = loop.request("CheckRamsey", qubit, {}, 0).model_copy(update={"measure_at": MEASURED_AT + DAY})
    reports: list[Report] = []
    prepare_attempt(request, reports.append, figures=False).run({qubit: InputOffers(published=loop.found[qubit])})
    (later,) = [report for report in reports if isinstance(report, Judged)]
    return today, later


@pytest.mark.parametrize("qubit", ["0", "2"])
def test_a_day_later_a_result_says_by_how_much_the_qubit_has_drifted(qubit: str) -> None:
    today, later = ramsey(qubit)
    assert (today.verdict, today.shift) == (Verdict.OK, {})
    old, new = (next(o for o in one.outputs if o.name == "qubit_frequency") for one in (today, later))
    shift = later.shift["qubit_frequency"]
    assert (shift.previous, shift.previous_error) == (old.value, old.error)
    error_hz = 1e9 * (new.error**2 + old.error**2) ** 0.5
    assert shift.sigmas == pytest.approx(1e9 * (new.value - old.value) / error_hz)
    # What the shift says is the drift that was there, some 12 kHz.
    assert abs(shift.sigmas - wandered_hz(qubit) / error_hz) < 4.5
    assert abs(shift.sigmas) > 5.0
    # The allowance of a day is larger than what such a qubit drifts, so nothing is measured twice.
    assert (later.verdict, later.moved) == (Verdict.OK, {})
