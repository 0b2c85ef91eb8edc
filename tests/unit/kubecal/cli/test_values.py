"""What is said of values that are not what they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console

from kubecal.api.catalogue import Catalogue, TargetKind
from kubecal.cli.values import moved_table
from kubecal.reading.answers import OutputValue, Result

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CATALOGUE = Catalogue.model_validate(
    {
        "tasks": [
            {
                "name": "CheckRamsey",
                "description": "of this test",
                "kind": TargetKind.QUBIT,
                "outputs": [
                    {"name": "qubit_frequency", "unit": "GHz", "drift": 2e-5},
                    {"name": "t2_star", "unit": "us", "drift": 0.2, "driftRelative": True},
                    {"name": "ramsey_frequency", "unit": "MHz"},
                ],
                "timeoutS": 600.0,
                "durationS": 30.0,
            }
        ],
        "backends": [],
    }
)


def row(shift: dict[str, tuple[float, float, float]], moved: dict[str, float]) -> Result:
    """One result; ``shift``: previous value, its error, and how many sigmas it was left behind."""
    outputs = (
        ("qubit_frequency", 4.9000123, 1e-6, "GHz"),
        ("t2_star", 8.0, 0.5, "us"),
        ("ramsey_frequency", 1.0, 1e-3, "MHz"),
    )
    return Result(
        task_id="1",
        task="CheckRamsey",
        target="3",
        qid="3",
        step="recheck",
        ordinal=0,
        attempt=1,
        status="completed",
        verdict="ok",
        started_at=NOON,
        ended_at=NOON,
        measured_at=NOON,
        execution_id="20261123-000",
        chip="chip",
        outputs=tuple(_output(*each, shift.get(each[0])) for each in outputs),
        moved=moved,
    )


def _output(name: str, value: float, error: float, unit: str, shift: tuple[float, float, float] | None) -> OutputValue:
    previous, previous_error, sigmas = shift or (None, None, None)
    return OutputValue(
        name=name, value=value, error=error, unit=unit, previous=previous, previous_error=previous_error, sigmas=sigmas
    )


def said(shift: dict[str, tuple[float, float, float]], moved: dict[str, float] | None = None) -> list[str]:
    """The lines about what moved, their gaps closed."""
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(moved_table([row(shift, moved or {})], CATALOGUE))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


@pytest.mark.parametrize(
    ("sigmas", "lines"),
    [
        (8.7, ["qubit 3 qubit_frequency +12.3 kHz +8.7 σ"]),
        (5.0, ["qubit 3 qubit_frequency +12.3 kHz +5.0 σ"]),
        (4.9, []),
    ],
)
def test_a_value_that_is_not_what_it_was_says_by_how_much(sigmas: float, lines: list[str]) -> None:
    assert said({"qubit_frequency": (4.9, 1e-6, sigmas)}) == lines


def test_without_a_value_before_it_nothing_has_moved() -> None:
    assert said({}) == []


def test_what_no_drift_explains_stands_out() -> None:
    assert said({"t2_star": (12.0, 0.2, -7.4)}, {"t2_star": 6.0}) == ["qubit 3 t2_star -4 us -7.4 σ twice measured"]


def test_what_follows_from_the_settings_of_a_measurement_has_not_moved() -> None:
    # The fringe's frequency is the drive's distance from the qubit: the drive was set anew since.
    assert said({"ramsey_frequency": (0.8, 1e-3, 200.0)}) == []
