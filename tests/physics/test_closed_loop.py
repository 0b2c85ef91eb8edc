"""From the day a chip was cooled down to its gates, in one process."""

from __future__ import annotations

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from tests.bench import whole
from tests.bench.lists import CHECK, FINE, TWO_QUBIT
from tests.bench.pulls import LARGEST_PULL

CHIP = square_lattice(2, 2, 4)
SEED = 2


def test_every_qubit_and_coupling_of_a_chip_is_calibrated_from_rough_design_values() -> None:
    ran = list(whole.calibrate(CHIP, SEED))

    assert [f"{each.task} on {each.target}: {each.message}" for each in ran if each.verdict is not Verdict.OK] == []
    wanted = {(task, site.id) for task in (*whole.FIND, *CHECK, *FINE) for site in CHIP.sites}
    wanted |= {(task, f"{each.control}-{each.target}") for task in TWO_QUBIT for each in CHIP.couplings}
    assert {(each.task, each.target) for each in ran} >= wanted
    assert [f"{each.task} on {each.target}: {wrong}" for each in ran for wrong in each.wrong] == []
    pulls = [pull for each in ran for pull in each.pulls]
    assert [pull for pull in pulls if abs(pull.pull) >= LARGEST_PULL] == []
    assert {pull.output for pull in pulls} >= {*whole.LIMITS, "drag_pi_beta", "zx90_error", "zx90_gate_fidelity"}
