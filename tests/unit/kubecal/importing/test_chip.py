"""Chips from a lab's files: the same ids and directions, modules from ports, and a sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.chip import Chip
from kubecal.api.topology import square_lattice
from kubecal.importing import ChipFiles, ImportedChip, ImportProblem, import_chip
from tests.unit.kubecal.importing.files import topology, wiring, written

CATALOGUE = built_in_catalogue()


def _imported(folder: Path, topology_file: Any = None, wiring_file: Any = None, **others: Any) -> ImportedChip:
    files = {name: written(folder / f"{name}.yaml", content) for name, content in others.items()}
    of_topology = written(folder / "topology.yaml", topology() if topology_file is None else topology_file)
    of_wiring = written(folder / "wiring.yaml", wiring() if wiring_file is None else wiring_file)
    return import_chip(ChipFiles(of_topology, of_wiring, **files), CATALOGUE)


@pytest.mark.parametrize("side", [2, 4, 8, 12, 16, 32])
def test_a_square_chip_has_the_ids_and_directions_of_the_generator(tmp_path: Path, side: int) -> None:
    found = _imported(tmp_path, topology(side), wiring(side, "QC"))
    lattice = {"rows": side, "columns": side, "muxSize": 4}
    assert found.manifest["spec"]["topology"] == {"squareLattice": lattice}
    assert Chip.model_validate(found.manifest).spec.topology.resolve() == square_lattice(side, side, 4)


def test_a_module_is_what_stands_before_the_last_dash(tmp_path: Path) -> None:
    muxes = _imported(tmp_path).manifest["spec"]["wiring"]["muxes"]
    assert muxes[0] == {"id": 0, "readout": ["Y00A"], "control": ["X00B"]}
    assert [one["readout"] for one in muxes] == [["Y00A"], ["Y00A"], ["Y01A"], ["Y01A"]]


def test_the_chip_is_called_as_in_the_wiring_in_letters_that_kubernetes_takes(tmp_path: Path) -> None:
    assert _imported(tmp_path, wiring_file=wiring(chip="16Q_LF")).manifest["metadata"]["name"] == "16q-lf"


def test_a_lattice_with_a_coupling_missing_is_listed(tmp_path: Path) -> None:
    body = topology()
    lost = body["couplings"].pop()
    spec = Chip.model_validate(_imported(tmp_path, body).manifest).spec.topology
    assert len(spec.qubits) == 16
    assert f"{lost[0]}-{lost[1]}" not in spec.resolve().coupling_by_id
    assert spec.resolve().members_by_mux[1] == ("4", "5", "6", "7")


def test_a_heavy_hexagon_has_a_readout_line_for_each_qubit(tmp_path: Path) -> None:
    line = {identity: {"row": 0, "col": identity} for identity in range(5)}
    pairs = [[0, 1], [2, 1], [2, 3], [4, 3]]
    body = topology(mux={"enabled": False}, qubits=line, couplings=pairs, num_qubits=5, grid_size=5)
    topology_file = written(tmp_path / "line.yaml", body)
    spec = Chip.model_validate(import_chip(ChipFiles(topology_file), CATALOGUE).manifest).spec.topology
    assert spec.square_lattice is not None  # a line is a lattice of one row
    assert [one.id for one in spec.resolve().couplings] == ["0-1", "2-1", "2-3", "4-3"]
    body["couplings"] = [[1, 0], [2, 1], [2, 3], [4, 3]]
    del body["direction_convention"]
    listed = import_chip(ChipFiles(written(topology_file, body)), CATALOGUE)
    resolved = Chip.model_validate(listed.manifest).spec.topology.resolve()
    assert [site.mux for site in resolved.sites] == [0, 1, 2, 3, 4]
    assert "1-0" in resolved.coupling_by_id


def test_what_nobody_reads_is_named(tmp_path: Path) -> None:
    odd = wiring()
    odd["16Q"][0]["attenuation"] = 20
    found = _imported(tmp_path, topology(flavour="vanilla"), odd)
    assert [note.removeprefix(f"{tmp_path}/") for note in found.notes] == [
        "topology.yaml: key flavour left out: not known",
        "wiring.yaml: 16Q[0]: key attenuation left out: not known",
        "spec.backend.name is fake, the simulator: write the name of your instruments' backend",
    ]


def test_a_qubit_without_a_control_port_is_disabled(tmp_path: Path) -> None:
    odd = wiring()
    odd["16Q"][1]["ctrl"][2] = None
    found = _imported(tmp_path, wiring_file=odd)
    assert found.manifest["spec"]["disabled"]["qubits"] == ["6"]
    assert any("disabled: qubit 6" in note for note in found.notes)


def test_a_mux_that_is_not_wired_is_named(tmp_path: Path) -> None:
    odd = wiring()
    del odd["16Q"][3]
    found = _imported(tmp_path, wiring_file=odd)
    assert any("MUX 3 is not wired" in note for note in found.notes)


def test_boxes_and_sizes_are_checked_where_they_are_given(tmp_path: Path) -> None:
    boxes = {f"{box}": {"name": box, "type": "quel1-a"} for box in ("Y00A", "Y01A", "X00B", "X01B", "X02B", "X03B")}
    _imported(tmp_path, boxes=boxes, chips={"16Q": {"name": "16Q", "n_qubits": 16}})
    del boxes["X02B"]
    with pytest.raises(ImportProblem, match=r"on box X02B, which .*boxes.yaml does not list: did you mean X0"):
        _imported(tmp_path, boxes=boxes)
    with pytest.raises(ImportProblem, match="n_qubits is 64, but the topology has 16 qubits"):
        _imported(tmp_path, chips={"16Q": {"name": "16Q", "n_qubits": 64}})


def _coupling(pair: list[int]) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["couplings"].__setitem__(0, pair)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_coupling([1, 0]), "couplings[0] has qubit 1 as its control, which is not on an even row + column as "
                            "checkerboard_cr says: write [0, 1]"),
        (_coupling([0, 99]), "couplings[0] names qubit 99, which is not listed under qubits: correct it"),
        (_coupling([0, 0]), "couplings[0] couples qubit 0 to itself: correct it"),
        (_coupling(["0", "1"]), "couplings[0] is ['0', '1']: write two qubits, control first, like [0, 1]"),
        (lambda body: body["couplings"].append([0, 1]), "qubits 0 and 1 are coupled 2 times: remove all but one"),
        (lambda body: body["qubits"].__setitem__(1, {"row": 0, "col": 0}),
         "qubits 0 and 1 are in the same place (row 0, col 0): correct one"),
        (lambda body: body["qubits"].__setitem__(1, {"row": 0}), "qubits.1.col is missing, not a whole number from 0"),
        (lambda body: body.__setitem__("num_qubits", 15), "num_qubits is 15, but 16 are listed under qubits"),
        (lambda body: body.__setitem__("grid_size", 3), "grid_size is 3, but there are 4 columns of qubits"),
        (lambda body: body.__setitem__("direction_convention", "left"), "direction_convention is 'left', known is"),
        (lambda body: body.__setitem__("mux", {"enabled": "yes", "size": 2}), "mux.enabled is 'yes': write true or"),
        (lambda body: body.pop("qubits"), "qubits is missing: correct it"),
    ],
)  # fmt: skip
def test_a_topology_that_contradicts_itself_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    body = topology()
    change(body)
    with pytest.raises(ImportProblem) as refused:
        _imported(tmp_path, body)
    assert f"{tmp_path / 'topology.yaml'}: {sentence}" in str(refused.value)


def test_qubits_that_are_numbered_row_by_row_are_no_muxes(tmp_path: Path) -> None:
    rows = {identity: {"row": identity // 4, "col": identity % 4} for identity in range(16)}
    body = topology(qubits=rows, couplings=[[0, 1]])
    with pytest.raises(ImportProblem, match="qubits 0, 1, 2, 3 should be MUX 0, but are not one block of 2 x 2"):
        _imported(tmp_path, body)


def _port(mux: int, name: str, port: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda muxes: muxes[mux].__setitem__(name, port)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_port(1, "read_in", "Y00A-0"), "port Y00A-0 is wired twice (MUX 0: read_in and MUX 1: read_in): correct one"),
        (_port(0, "read_out", "X00B-1"), "MUX 0: read_out is X00B-1, but box X00B is of type B, which only controls"),
        (_port(0, "read_out", "Y00A"), "MUX 0: read_out is 'Y00A': write a port as box and number, like X01B-5"),
        (_port(0, "ctrl", ["X00B-1"]), "MUX 0: ctrl is 1 ports, but it has 4 qubits (0, 1, 2, 3): give one port for"),
        (_port(3, "mux", 2), "MUX 2 is listed twice: remove one"),
        (_port(3, "mux", 9), "lists MUX 9, which the topology does not have (it has 0...3): correct one of them"),
        (lambda muxes: muxes[0].pop("read_out"), "MUX 0: read_out is missing: which port reads it out?"),
    ],
)
def test_a_wiring_that_cannot_be_is_refused(
    tmp_path: Path, change: Callable[[list[dict[str, Any]]], None], sentence: str
) -> None:
    body = wiring()
    change(body["16Q"])
    with pytest.raises(ImportProblem) as refused:
        _imported(tmp_path, wiring_file=body)
    assert f"{tmp_path / 'wiring.yaml'}: {sentence}" in str(refused.value)


def test_a_wiring_of_several_chips_asks_which(tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"has 2 chips \(16Q, 64Q\): say which with --name"):
        _imported(tmp_path, wiring_file={**wiring(), **wiring(8, "64Q")})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("- a\n- b\n", "is not one mapping of keys to values"), ("a: [", "is not YAML"), ("a: 1\na: 2\n", "stands twice")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(ImportProblem, match=sentence):
        _imported(tmp_path, content)
