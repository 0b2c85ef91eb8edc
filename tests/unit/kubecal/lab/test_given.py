"""Values by hand: as people type them, and as files hold them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.manifests import ManifestError
from kubecal.lab.given import typed_overrides, typed_values, values_in_file

CATALOGUE = built_in_catalogue()


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("qubit_frequency=4.913", {"value": 4.913}),
        ("qubit_frequency=4.913±0.001", {"value": 4.913, "error": 0.001}),
        ("qubit_frequency=4.913 ± 0.001", {"value": 4.913, "error": 0.001}),
        ("qubit_frequency=4.913+-0.001", {"value": 4.913, "error": 0.001}),
        ("qubit_frequency=4.913+/-0.001", {"value": 4.913, "error": 0.001}),
        ("qubit_frequency=4913 MHz ± 1MHz", {"value": 4.913, "error": 0.001}),
        ("anharmonicity=-0.3", {"value": -0.3}),
        ("t1=3e1", {"value": 30.0}),
    ],
)
def test_a_value_is_read_as_it_is_typed(word: str, value: dict[str, float]) -> None:
    found = typed_values("0", [word], CATALOGUE)["qubits"]["0"]
    assert list(found.values()) == [pytest.approx(value)]


def test_a_coupling_is_told_from_a_qubit_by_its_id() -> None:
    assert typed_values("0-1", ["zx90_gate_time=120"], CATALOGUE) == {
        "couplings": {"0-1": {"zx90_gate_time": {"value": 120.0}}}
    }


def test_overrides_name_their_target_before_a_point() -> None:
    assert typed_overrides(["0.t1=30", "0.qubit_frequency=4.9", "0-1.zx90_gate_time=120"], CATALOGUE) == {
        "qubits": {"0": {"t1": {"value": 30.0}, "qubit_frequency": {"value": 4.9}}},
        "couplings": {"0-1": {"zx90_gate_time": {"value": 120.0}}},
    }


@pytest.mark.parametrize(
    ("target", "words", "sentence"),
    [
        ("0", ["t1"], "'t1' sets nothing: write NAME=VALUE, like qubit_frequency=4.913±0.001"),
        ("0", ["t1="], "'t1=' sets nothing: write NAME=VALUE, like qubit_frequency=4.913±0.001"),
        ("0", [], "nothing is set: add NAME=VALUE, like qubit_frequency=4.913±0.001"),
        ("0", ["qubit_frequncy=4.9"], "no task knows a parameter 'qubit_frequncy': did you mean qubit_frequency?"),
        ("0", ["t1=30", "t1=31"], "t1 is given twice: remove one"),
        ("0", ["t1=4 GHz"], "t1: '4 GHz' is a frequency, not a time: write a number in s or ms or us or µs or ns"),
        ("0", ["t1=long"], "t1: 'long' is not a number with a unit such as us"),
        ("0", ["t1=30±1±2"], "t1=30±1±2: write one value and one error, like 4.913±0.001"),
        ("0", ["t1=30±-1"], "t1=30±-1: an error is not negative: correct it"),
        ("Q0", ["t1=30"], "'Q0' is no qubit or coupling: write its id, like 0 or 0-1"),
        ("00", ["t1=30"], "'00' is no qubit or coupling: write its id, like 0 or 0-1"),
    ],
)
def test_what_is_not_understood_is_answered_with_how_to_write_it(target: str, words: list[str], sentence: str) -> None:
    with pytest.raises(ManifestError) as refused:
        typed_values(target, words, CATALOGUE)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("word", ["qubit_frequency=4.9", "x.t1=30", "0"])
def test_an_override_without_a_target_is_refused(word: str) -> None:
    with pytest.raises(ManifestError, match=r"overrides nothing: write TARGET.NAME=VALUE, like 0.qubit_frequency=4.9"):
        typed_overrides([word], CATALOGUE)


def _file(folder: Path, text: str) -> Path:
    path = folder / "values.yaml"
    path.write_text(text)
    return path


def test_a_file_as_export_writes_it_is_read_and_other_units_are_converted(tmp_path: Path) -> None:
    text = """
qubits:
  "0":
    t1: {value: 30.5, error: 0.4, unit: us}
    qubit_frequency: {value: 4913, unit: MHz}
    t2_echo: 20
couplings:
  0-1: {zx90_gate_time: {value: 120}}
"""
    found = values_in_file(_file(tmp_path, text), CATALOGUE)
    assert found["qubits"]["0"]["t1"] == {"value": 30.5, "error": 0.4}
    assert found["qubits"]["0"]["qubit_frequency"] == {"value": pytest.approx(4.913)}
    assert found["qubits"]["0"]["t2_echo"] == {"value": 20.0}
    assert found["couplings"] == {"0-1": {"zx90_gate_time": {"value": 120.0}}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("qubits: {'0': {t2_eco: 1}}", "qubits.0.t2_eco: no task knows a parameter 't2_eco': did you mean t2_echo?"),
        ("qubits: {'0': {t1: {value: long}}}", "qubits.0.t1.value is 'long': write a number"),
        ("qubits: {'0': {t1: {value: .nan}}}", "qubits.0.t1.value is nan: write a number"),
        ("qubits: {'0': {t1: {value: 1, unit: GHz}}}", "qubits.0.t1: '1 GHz' is a frequency, not a time"),
        ("qubits: {'0': {t1: {error: 1}}}", "qubits.0.t1: write {value: ..., error: ..., unit: ...}"),
        ("qubits: {'0': {t1: {value: 1, errr: 1}}}", "qubits.0.t1: write {value: ..., error: ..., unit: ...}"),
        ("qubits: {'0': {t1: {value: 1, error: -1}}}", "qubits.0.t1.error is -1.0: an error is not negative"),
        ("qubits: [1]", "qubits is no mapping: correct it"),
        ("qubits: {}", "holds no parameters: nothing is to be imported"),
        ("apiVersion: v1", "holds no parameters: it should be as kubecal params export writes it"),
        ("- 1", "holds no parameters: it should be as kubecal params export writes it"),
    ],
)
def test_a_file_that_is_wrong_is_answered_with_where(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ManifestError) as refused:
        values_in_file(_file(tmp_path, text), CATALOGUE)
    assert str(refused.value).startswith(f"{tmp_path / 'values.yaml'}: {sentence}")
