"""What was recorded beside the simulated chip's hidden truth, which no task may look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubecal.api.request import RequestSite
from kubecal.api.topology import square_lattice
from kubecal.api.units import to_si
from kubecal_tasks.physics.oracle import Oracle
from kubecal_tasks.physics.truth import draw_truth

LARGEST_PULL = 4.5
PROMISED = ("t1", "t2_echo", "t2_star", "qubit_frequency", "hpi_amplitude")
_PULSE_S = 32e-9
_CHIP = square_lattice(4, 4, 4)


def pulls(row: Mapping[str, Any], seed: int) -> Iterator[tuple[str, float]]:
    """(name, (estimate - truth) / error) of every promised output of a recorded attempt, drift off.

    A half-pi amplitude is that of the drive frequency the pulse was made at.
    """
    site = _CHIP.site_by_id[row["qid"]]
    oracle = Oracle(draw_truth(seed, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux)))
    drive = row["input_parameters"]["qubit_frequency"]
    answers = {
        "t1": oracle.t1_s,
        "t2_echo": oracle.t2_echo_s,
        "t2_star": oracle.t2_star_s,
        "qubit_frequency": oracle.qubit_frequency_hz,
        "hpi_amplitude": oracle.half_pi_amplitude(to_si(drive["value"], drive["unit"]), _PULSE_S),
    }
    for name, found in row["output_parameters"].items():
        if name in answers:
            value, error = (to_si(found[each], found["unit"]) for each in ("value", "error"))
            yield name, (value - answers[name]) / error
