"""Files as labs have them, written for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kubecal.api.topology import square_lattice


def topology(side: int = 4, **changes: Any) -> dict[str, Any]:
    """A square chip of so many qubits along an edge, numbered MUX by MUX; counted here, not by our generator."""
    qubits: dict[int, dict[str, int]] = {}
    for block_row in range(0, side, 2):
        for block_column in range(0, side, 2):
            for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
                qubits[len(qubits)] = {"row": block_row + row, "col": block_column + column}
    at = {(place["row"], place["col"]): identity for identity, place in qubits.items()}
    couplings = []
    for (row, column), identity in at.items():
        for near in ((row + 1, column), (row, column + 1)):
            if near in at:
                pair = [identity, at[near]]
                couplings.append(pair if (row + column) % 2 == 0 else pair[::-1])
    body = {
        "id": f"square-lattice-mux-{side**2}",
        "name": "Square",
        "description": "made for a test",
        "grid_size": side,
        "num_qubits": side**2,
        "direction_convention": "checkerboard_cr",
        "mux": {"enabled": True, "size": 2},
        "qubits": qubits,
        "couplings": couplings,
        "visualization": {"show_mux_boundaries": True},
    }
    return {**body, **changes}


def wiring(side: int = 4, chip: str = "16Q") -> dict[str, Any]:
    """A control box for each MUX, and a readout box for two."""
    muxes = square_lattice(side, side, 4).members_by_mux
    return {
        chip: [
            {
                "mux": mux,
                "ctrl": [f"X{mux:02d}B-{port}" for port in (5, 0, 2, 6)],
                "read_out": f"Y{mux // 2:02d}A-{1 + 6 * (mux % 2)}",
                "read_in": f"Y{mux // 2:02d}A-{6 * (mux % 2)}",
                "pump": f"Y{mux // 2:02d}A-{3 + 6 * (mux % 2)}",
            }
            for mux in muxes
        ]
    }


def written(path: Path, content: Any) -> Path:
    """The file with this content."""
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path
