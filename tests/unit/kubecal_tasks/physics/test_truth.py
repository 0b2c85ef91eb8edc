"""The hidden truth: one chip a seed, usable whatever the seed, and the same from wherever it is asked for."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

from kubecal.api.request import RequestSite
from kubecal.api.topology import square_lattice
from kubecal_tasks.physics.readout import design_readout_hz, line_frequencies
from kubecal_tasks.physics.truth import LONG, QubitTruth, draw_truth

LATTICE = square_lattice(8, 8, 4)
SITES = {s.id: RequestSite(id=s.id, x=s.x, y=s.y, mux=s.mux) for s in LATTICE.sites}
SEEDS = range(4)


def chip(seed: int) -> dict[str, QubitTruth]:
    return {name: draw_truth(seed, site) for name, site in SITES.items()}


CHIPS = [chip(seed) for seed in SEEDS]
ALL = [truth for each in CHIPS for truth in each.values()]


def test_the_same_seed_and_site_are_the_same_qubit() -> None:
    assert draw_truth(2, SITES["5"]) == CHIPS[2]["5"]
    assert draw_truth(3, SITES["5"]) != CHIPS[2]["5"]


def test_another_process_draws_the_same_truth() -> None:
    code = (
        "from kubecal.api.request import RequestSite; from kubecal_tasks.physics.truth import draw_truth;"
        "print(draw_truth(1, RequestSite(id='7', x=3, y=1, mux=1)))"
    )
    site = RequestSite(id="7", x=3, y=1, mux=1)
    printed = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()]
    assert printed == [str(draw_truth(1, site))]


@pytest.mark.parametrize("seed", SEEDS)
def test_controls_lie_below_their_targets_by_60_to_160_mhz(seed: int) -> None:
    for coupling in LATTICE.couplings:
        step = CHIPS[seed][coupling.target].frequency_hz - CHIPS[seed][coupling.control].frequency_hz
        assert 60e6 < step < 160e6


@pytest.mark.parametrize("seed", SEEDS)
def test_readout_frequencies_of_one_mux_are_60_to_80_mhz_apart(seed: int) -> None:
    for members in LATTICE.members_by_mux.values():
        lines = sorted(float(line_frequencies(CHIPS[seed][q], 1e-6)[0]) for q in members)
        assert all(59e6 < after - before < 81e6 for before, after in itertools.pairwise(lines))
        assert 6.5e9 < lines[0] < lines[-1] < 7.5e9


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        (lambda q: q.frequency_hz, 4.6e9, 5.4e9),
        (lambda q: q.anharmonicity_hz, -0.34e9, -0.28e9),
        (lambda q: q.t1_s, 15e-6, 60e-6),
        (lambda q: q.t2_echo_s, 15e-6, 60e-6),
        (lambda q: q.t2_echo_s / q.t1_s, 0.0, 2.0),
        (lambda q: q.t2_star_s, 4e-6, 12e-6),
        (lambda q: q.thermal, 0.005, 0.03),
        (lambda q: q.drive_hz, 60e6, 130e6),
        (lambda q: q.resonator.kappa_hz, 1.5e6, 4e6),
        (lambda q: q.resonator.snr, 4.0, 6.0),
    ],
)
def test_parameters_lie_where_the_design_says(what: object, low: float, high: float) -> None:
    assert callable(what)
    values = [what(truth) for truth in ALL]
    assert low <= min(values)
    assert max(values) <= high
    assert max(values) - min(values) > 0.3 * (high - low) or low == 4.6e9


def test_the_median_t1_is_about_30_microseconds() -> None:
    assert np.median([truth.t1_s for truth in ALL]) == pytest.approx(30e-6, rel=0.15)


def test_the_lines_of_0_and_1_are_two_chi_apart() -> None:
    for truth in ALL:
        resonator = truth.resonator
        distance = truth.frequency_hz - resonator.bare_hz
        chi = resonator.coupling_hz**2 * truth.anharmonicity_hz / (distance * (distance + truth.anharmonicity_hz))
        ground, excited, _ = line_frequencies(truth, 1e-6)
        assert excited - ground == pytest.approx(2 * chi, rel=1e-6)
        assert 0.5 <= abs(2 * chi) / resonator.kappa_hz <= 2.0
        assert min(ground, excited) < design_readout_hz(truth) < max(ground, excited)


def test_the_long_profile_lasts_longer() -> None:
    drawn = [draw_truth(1, site, LONG) for site in SITES.values()]
    assert min(truth.t1_s for truth in drawn) >= 60e-6
    assert max(truth.t1_s for truth in drawn) > 150e-6
