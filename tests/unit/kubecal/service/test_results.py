"""Results as programs, terminals and notebooks see them."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from kubecal.reading.answers import OutputValue, Result, Suggestion
from kubecal.service.errors import TaskFailed
from kubecal.service.results import FigureFiles, TaskResult
from kubecal.service.values import Value


def result(**fields: Any) -> TaskResult:
    told: dict[str, Any] = {
        "task_id": "a" * 32,
        "step": "check",
        "task": "CheckT1",
        "target": "0",
        "qid": "0",
        "ordinal": 0,
        "attempt": 1,
        "status": "completed",
        "verdict": "ok",
        "execution_id": "20261123-000",
        "chip": "4q",
        "outputs": (
            OutputValue(
                name="t1", value=31.24, error=0.41, unit="us", description="decay", previous=30.0, previous_error=0.4,
                sigmas=2.16,
            ),
            OutputValue(name="offset", value=0.5, error=0.0, unit="", accepted=False),
        ),
        "metrics": {"r2": 0.9987},
    }  # fmt: skip
    return TaskResult(Result(**{**told, **fields}), (FigureFiles(b"<svg/>", b"png"),))


def test_a_result_is_a_mapping_of_values_and_its_id() -> None:
    found = result()
    assert dict(found) == {"t1": 31.24, "offset": 0.5, "task_id": "a" * 32}
    assert (found.get("t1").error, found.get("t2"), len(found)) == (0.41, None, 3)


def test_in_a_terminal_it_is_a_heading_and_a_line_for_each_value() -> None:
    assert repr(result()).splitlines() == [
        "✓ CheckT1 of qubit 0 ok R² 0.9987 · 20261123-000",
        "  t1      31.24 ± 0.41 us  +2.2 σ from 30.00",
        "  offset  0.5              not accepted",
    ]


def test_a_failure_says_why_and_what_to_do() -> None:
    suggestion = Suggestion(parameters={"shots": 8192}, reason="too noisy")
    failed = result(
        status="failed", verdict="imprecise", message="take more shots", outputs=(), attempt=2, suggestion=suggestion
    )
    assert repr(failed).splitlines() == [
        "✗ CheckT1 of qubit 0 imprecise (attempt 2) R² 0.9987 · 20261123-000",
        "  take more shots",
        "  suggested: shots: 8192 (too noisy)",
    ]
    assert failed.failure == "CheckT1 of qubit 0 failed (imprecise): take more shots"
    assert result(qid="0-1").title == "CheckT1 of coupling 0-1"
    assert result(qid="").title == "CheckT1 of the chip"


def test_in_a_notebook_it_comes_with_its_figures_and_nothing_of_it_is_taken_for_markup() -> None:
    bundle = result(status="failed", verdict="poor_fit", message="<script>alert(1)</script>")._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "data:image/svg+xml;base64,PHN2Zy8+" in bundle["text/html"]
    assert "<script>" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    assert "31.24 ± 0.41 us" in bundle["text/html"]


def test_a_failure_shows_its_result_once_where_a_notebook_would_show_where_it_was_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[object] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    failed = TaskFailed(result(status="failed", verdict="no_signal", message="noise"))
    for _ in range(2):
        assert failed._render_traceback_() == ["TaskFailed: CheckT1 of qubit 0 failed (no_signal): noise"]
    assert shown == [failed.result]


def test_a_value_is_a_number_that_knows_its_error() -> None:
    value = Value(31.24, error=0.41, unit="us")
    assert (value > 20, value.value, 2 * value) == (True, 31.24, 62.48)
    assert (f"{value}", f"{value:.1f}", str(Value(3))) == ("31.24 ± 0.41 us", "31.2", "3")
    assert json.dumps({"t1": value}) == '{"t1": 31.24}'
    again = pickle.loads(pickle.dumps(value))
    assert (again, again.error, again.unit) == (31.24, 0.41, "us")
