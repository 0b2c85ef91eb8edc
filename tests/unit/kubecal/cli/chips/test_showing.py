"""``kubecal chip``: the lattice by a parameter, who holds the chip and waits, and the same as JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.kubecal.cli.acting.creating import CreatingLab, Typed, a_lab, typing_into
from tests.unit.kubecal.cli.in_memory import MORNING, MemoryRecords, a_chip, a_value, an_execution

VALUES = [a_value(one, "t1", value, 0.5) for one, value in (("0", 20.0), ("1", 30.0), ("3", 40.0))]


def _lab(values: list[Any] | None = None, **chip: Any) -> CreatingLab:
    lab = a_lab(MemoryRecords([an_execution()], now=VALUES if values is None else values))
    lab.known_chips = [a_chip(**chip)]
    return lab


def _typed(monkeypatch: pytest.MonkeyPatch, lab: CreatingLab) -> Typed:
    return typing_into(lab, monkeypatch)


def test_qubits_stand_where_they_are_with_bar_and_value(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _typed(monkeypatch, _lab())("chip", "fridge-a", "--by", "t1").stdout.splitlines()
    assert shown[0] == "fridge-a: 4 qubits, 4 couplings, 1 MUX, backend fake"
    assert [line.rstrip() for line in shown[2:4]] == ["0▁20  1▅30", "2·    3█40"]
    assert "▁ 20 ... █ 40 us, · no t1" in shown


def test_what_is_disabled_is_a_sign_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = _lab(spec={"disabled": {"qubits": ["2"], "reason": "no resonance"}})
    shown = _typed(monkeypatch, lab)("chip", "fridge-a").stdout
    assert "0✓ 1✓\n2# 3✓" in shown
    assert "disabled: qubit 2 (no resonance)" in shown


def test_who_holds_it_and_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    status = {
        "holders": [{"uid": "u", "session": "morning", "since": MORNING}],
        "queue": [{"session": "evening", "position": 1, "waitsFor": "morning"}],
        "parameters": {"calibrated": 3, "stale": 2, "moved": 1},
    }
    shown = _typed(monkeypatch, _lab(status=status))("chip", "fridge-a").stdout
    assert "held by morning for " in shown
    assert "1. evening waits, for morning" in shown
    assert "3 parameters, on 3 of 4 qubits; 2 stale, 1 moved" in shown


def test_a_chip_that_is_not_valid_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "another Chip has its place in the records"
    condition = {
        "type": "Valid",
        "status": "False",
        "reason": "Taken",
        "message": why,
        "lastTransitionTime": MORNING + timedelta(hours=1),
    }
    lab = _lab([], status={"conditions": [condition]}, spec={"maintenance": True})
    shown = _typed(monkeypatch, lab)("chip", "fridge-a").stdout
    assert f"not valid: {why}" in shown
    assert "in maintenance: running tasks finish, nothing new starts" in shown
    assert "nothing is calibrated yet" in shown


def test_a_parameter_of_couplings_is_listed_the_lowest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [a_value(one, "zx90_gate_fidelity", value, 0.01, unit="") for one, value in (("0-1", 0.99), ("3-2", 0.9))]
    shown = _typed(monkeypatch, _lab(values))("chip", "fridge-a", "--by", "zx90_gate_fidelity").stdout
    assert shown.index("3-2 ▁ 0.900 ± 0.010") < shown.index("0-1 █ 0.990 ± 0.010")


@pytest.mark.parametrize(("side", "widest"), [(8, 80), (12, 80), (32, 80)])
def test_large_chips_fit_into_80_columns(monkeypatch: pytest.MonkeyPatch, side: int, widest: int) -> None:
    values = [a_value(str(one), "t1", 20.0 + one % 17) for one in range(side**2)]
    lab = _lab(values, spec={"topology": {"squareLattice": {"rows": side, "columns": side}}})
    lines = _typed(monkeypatch, lab)("chip", "fridge-a", "--by", "t1").stdout.splitlines()
    assert max(map(len, lines)) <= widest
    assert sum(any(bar in line for bar in "▁▂▃▄▅▆▇█") for line in lines) >= side


def test_a_mistyped_parameter_is_answered_with_what_is_close(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = _typed(monkeypatch, _lab())("chip", "fridge-a", "--by", "T1x")
    assert refused.exit_code == 1
    assert refused.stderr.strip() == "no parameter 'T1x' is calibrated on chip 'fridge-a': did you mean t1?"


def test_json_has_the_values_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.loads(_typed(monkeypatch, _lab())("chip", "fridge-a", "--by", "t1", "-o", "json").stdout)
    assert [(one["target"], one["value"]) for one in answer["values"]] == [("0", 20.0), ("1", 30.0), ("3", 40.0)]
    assert (answer["qubits"], answer["calibrated"], answer["holders"]) == (4, ["0", "1", "3"], [])
