"""Parameter files of qubex: labels become ids, null is nothing, and a wrong unit is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.topology import square_lattice
from kubecal.importing import ImportProblem, import_parameters
from kubecal.importing.parameters import Values
from tests.unit.kubecal.importing.files import written

CATALOGUE, CHIP = built_in_catalogue(), square_lattice(4, 4, 4)


def _imported(folder: Path, chip: str = "16Q", **files: Any) -> tuple[Values, tuple[str, ...]]:
    for name, content in files.items():
        written(folder / f"{name}.yaml", content)
    return import_parameters(folder, chip, CHIP, CATALOGUE)


def test_labels_become_ids_and_null_is_nothing(tmp_path: Path) -> None:
    values, notes = _imported(
        tmp_path,
        qubit_frequency={"16Q": {"Q00": 4.91, "Q01": None, "Q12": 5}},
        zx90_gate_time={"16Q": {"Q00-Q01": 120.0}},
    )
    assert values == {
        "qubits": {"0": {"qubit_frequency": {"value": 4.91}}, "12": {"qubit_frequency": {"value": 5.0}}},
        "couplings": {"0-1": {"zx90_gate_time": {"value": 120.0}}},
    }
    assert notes == ()


def test_what_no_task_knows_is_named_and_left_out(tmp_path: Path) -> None:
    values, notes = _imported(tmp_path, qubit_frequencies={"16Q": {"Q00": 4.9}}, t1={"64Q": {"Q00": 30.0}})
    assert values == {"qubits": {}, "couplings": {}}
    assert "no task has a parameter qubit_frequencies: did you mean qubit_frequency?" in notes[0]
    assert notes[1].endswith("t1.yaml: left out: has no chip 16Q")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"Q00": 4.91e9}, "Q00 is 4910000000.0, but qubit_frequency is in GHz: is the file in MHz or Hz?"),
        ({"Q00": "4.91"}, "Q00 is '4.91': write a number, or null where there is none"),
        ({"Q00": True}, "Q00 is True: write a number"),
        ({"Q99": 4.91}, "Q99 is no qubit or coupling of the chip (it has qubits 0...15): correct the label"),
        ({"Q01-Q00": 4.91}, "Q01-Q00 is no qubit or coupling of the chip (its control is qubit 0): correct the label"),
        ({"Q0": 4.9, "Q00": 4.9}, "Q00 and Q0 are the same: remove one"),
    ],
)
def test_a_value_that_cannot_be_is_refused(tmp_path: Path, labels: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ImportProblem) as refused:
        _imported(tmp_path, qubit_frequency={"16Q": labels})
    assert f"{tmp_path / 'qubit_frequency.yaml'}: {sentence}" in str(refused.value)


@pytest.mark.parametrize("folder", ["missing", "."])
def test_a_folder_without_files_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ImportProblem, match="give the"):
        import_parameters(tmp_path / folder, "16Q", CHIP, CATALOGUE)
