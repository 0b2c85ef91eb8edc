"""The limit that coherence sets to a two-qubit gate, as a task."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.framework.inputs import InputValue, Origin
from kubecal_tasks.framework.judge import judge
from kubecal_tasks.framework.outcome import Judgement
from kubecal_tasks.framework.task import Binding, PostProcessResult
from kubecal_tasks.tasks.check_2q_gate_coherence_limit import Check2QGateCoherenceLimit


def limit(times_us: float, error_us: float = 0.0, gate_ns: float = 200.0) -> tuple[float, float]:
    """Value and error of the output with all four coherence times alike."""
    result, judged = analysed(times_us, error_us, gate_ns)
    (found,) = result.estimates
    assert judged.verdict is Verdict.OK
    return found.value, found.error


def analysed(times_us: float, error_us: float = 0.0, gate_ns: float = 200.0) -> tuple[PostProcessResult, Judgement]:
    """The task's result and how it is judged."""
    names = [
        (name, role, times_us, error_us, "us")
        for role in ("control", "target")
        for name in ("t1_average", "t2_echo_average")
    ]
    inputs = {
        f"{role}_{name}" if role else name: InputValue(name, value, error, unit, Origin.OVERRIDE, role=role)
        for name, role, value, error, unit in [*names, ("zx90_gate_time", "", gate_ns, 0.0, "ns")]
    }
    task = Check2QGateCoherenceLimit(Binding("0-1", inputs, {}))
    result = task.postprocess(None, task.run(None))  # type: ignore[arg-type]
    estimates = {each.name: each for each in result.estimates}
    return result, judge(task.outputs, estimates, result.checks, result.r2, None)


def test_a_time_that_is_none_is_unphysical() -> None:
    result, judged = analysed(0.0)
    assert judged.verdict is Verdict.UNPHYSICAL
    assert "control_t1_average" in judged.message
    assert not result.estimates


def test_to_first_order_it_is_the_gate_time_over_the_coherence_times() -> None:
    """To first order each qubit loses 2 t / 5 T2 + t / 5 T1; all times alike, that makes 6 t / 5 T."""
    value, error = limit(30.0)
    assert 1 - value == pytest.approx(6 / 5 * 0.2 / 30.0, rel=0.01)
    assert error == 0.0


def test_its_error_is_that_of_the_coherence_times() -> None:
    _, error = limit(30.0, 3.0)
    parts = [0.1 * share * 0.2 / 30.0 for share in (1 / 5, 2 / 5, 1 / 5, 2 / 5)]
    assert error == pytest.approx(sum(part**2 for part in parts) ** 0.5, rel=0.02)


def test_the_catalogue_knows_that_it_drives_nothing() -> None:
    entry = Check2QGateCoherenceLimit.catalogue_entry()
    assert (entry.drives, entry.kind.value, entry.duration_s) == (False, "Coupling", 1.0)
    assert {(each.name, each.role) for each in entry.inputs if each.required} == {
        *((name, role) for name in ("t1_average", "t2_echo_average") for role in ("control", "target")),
        ("zx90_gate_time", ""),
    }
