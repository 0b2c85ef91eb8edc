"""From the day a chip was cooled down to its gates, in one process."""

from __future__ import annotations

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from tests.bench import whole
from tests.bench.lists import CHECK, FINE, TWO_QUBIT

CHIP = square_lattice(2, 2, 4)
SEED = 2


def test_every_qubit_and_coupling_of_a_chip_is_calibrated_from_rough_design_values() -> None:
    ran = list(whole.calibrate(CHIP, SEED))

    assert [f"{each.task} on {each.target}: {each.message}" for each in ran if each.verdict is not Verdict.OK] == []
    wanted = {(task, site.id) for task in (*whole.FIND, *CHECK, *FINE) for site in CHIP.sites}
    wanted |= {(task, f"{each.control}-{each.target}") for task in TWO_QUBIT for each in CHIP.couplings}
    assert {(each.task, each.target) for each in ran} >= wanted
    # Further from the truth than the larger of the absolute limit and four sigmas.
    assert [(each.task, each.target, off) for each in ran for off in each.pulls if off[2] > 1] == []
