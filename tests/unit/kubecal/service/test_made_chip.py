"""Chips made from their names."""

from __future__ import annotations

import pytest

from kubecal.service.made_chip import described, made_chip


@pytest.mark.parametrize(
    ("chip_id", "name", "qubits", "muxes"),
    [
        ("64Qv3", "64qv3", 64, 16),
        ("16Q", "16q", 16, 4),
        ("4Q", "4q", 4, 1),
        ("lab-144q-a", "lab-144q-a", 144, 36),
        ("5Q", "5q", 5, 5),
        ("1024Q", "1024q", 1024, 256),
    ],
)
def test_the_number_before_the_q_says_how_many_qubits(chip_id: str, name: str, qubits: int, muxes: int) -> None:
    chip = made_chip(chip_id, "")
    assert chip is not None
    assert chip.metadata.name == name
    assert described(chip).startswith(f"{qubits} qubits in {muxes} MUX{'' if muxes == 1 else 'es'}, seed ")


def test_64_qubits_are_a_square() -> None:
    chip = made_chip("64Qv3", "")
    assert chip is not None
    lattice = chip.spec.topology.square_lattice
    assert lattice is not None
    assert (lattice.rows, lattice.columns, lattice.mux_size) == (8, 8, 4)


@pytest.mark.parametrize("chip_id", ["fridge-a", "0Q", "2000Q", "64", "Q64"])
def test_a_name_that_tells_no_size_makes_no_chip(chip_id: str) -> None:
    assert made_chip(chip_id, "") is None


def test_the_same_name_is_the_same_chip_everywhere_and_another_name_another() -> None:
    first, again, other = (made_chip(name, "") for name in ("64Qv3", "64qV3", "64Qv2"))
    assert first == again
    assert first is not None
    assert first.spec.backend.config == {"seed": 76310732}
    assert first != other


def test_its_records_may_belong_to_a_project() -> None:
    chip, plain = made_chip("4Q", "cold"), made_chip("4Q", "")
    assert chip is not None
    assert plain is not None
    assert (chip.spec.project_id, plain.spec.project_id) == ("cold", "default")
    assert chip.spec.backend == plain.spec.backend
