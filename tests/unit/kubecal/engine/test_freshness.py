"""What published parameters are still worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kubecal.api.catalogue import Catalogue, CatalogueTask, Output, TargetKind
from kubecal.api.chip import ParameterCounts
from kubecal.engine.freshness import KnownValue, Place, UsedValue, ageing, count, has_moved, is_stale
from tests.unit.kubecal.engine.builders import NOON

DAY_S = 86_400.0
T1 = Output(name="t1", unit="us", drift=0.2, drift_relative=True, max_age_s=DAY_S)
FREQUENCY = Output(name="qubit_frequency", unit="GHz", drift=50e-6, max_age_s=DAY_S)
LENGTH = Output(name="hpi_length", unit="ns")


def known(value: float = 30.0, error: float = 0.0, age_s: float = 0.0, cooldown: str = "2026-11") -> KnownValue:
    return KnownValue(value, error, NOON - timedelta(seconds=age_s), cooldown, "row-1")


@pytest.mark.parametrize(
    ("value", "output", "cooldown", "stale"),
    [
        (known(), T1, "2026-11", False),
        (known(age_s=DAY_S), T1, "2026-11", False),
        (known(age_s=DAY_S + 1), T1, "2026-11", True),
        (known(age_s=1e9), LENGTH, "2026-11", False),
        (known(age_s=1e9), None, "2026-11", False),
        (known(), T1, "2026-12", True),
        (known(), None, "2026-12", True),
        (known(cooldown=""), T1, "2026-11", True),
        (known(), T1, "", False),
        # Its clock was turned back: what is to come is not old.
        (known(age_s=-2 * DAY_S), T1, "2026-11", False),
    ],
)
def test_a_value_is_stale_by_its_age_or_by_its_cool_down(
    value: KnownValue, output: Output | None, cooldown: str, stale: bool
) -> None:
    assert is_stale(value, output, cooldown, NOON) is stale


@pytest.mark.parametrize(
    ("used", "now", "output", "moved"),
    [
        (5.0, known(5.0), FREQUENCY, False),
        (5.0, known(5.0 + 49e-6), FREQUENCY, False),
        (5.0, known(5.0 + 51e-6), FREQUENCY, True),
        (5.0, known(5.0 - 51e-6), FREQUENCY, True),
        # Five sigmas of 20 kHz are more than the drift allows: this may be noise.
        (5.0, known(5.0 + 90e-6, error=20e-6), FREQUENCY, False),
        (5.0, known(5.0 + 110e-6, error=20e-6), FREQUENCY, True),
        (30.0, known(35.9), T1, False),
        (30.0, known(36.1), T1, True),
        (32.0, known(16.0), LENGTH, False),
        (32.0, known(16.0), None, False),
        (30.0, None, T1, False),
    ],
)
def test_an_input_has_moved_by_more_than_its_drift_and_more_than_noise(
    used: float, now: KnownValue | None, output: Output | None, moved: bool
) -> None:
    name = output.name if output is not None else "unheard_of"
    assert has_moved(UsedValue(("0", name), used, 0.0), now, output, "row-2") is moved


def test_an_input_that_a_result_replaced_itself_has_not_moved_since() -> None:
    used = UsedValue(("0", "qubit_frequency"), 5.0, 0.0)
    assert not has_moved(used, known(5.001), FREQUENCY, "row-1")


def test_every_value_counts_once_and_what_is_stale_has_not_moved_besides() -> None:
    outputs = {"t1": T1, "hpi_length": LENGTH}
    values: dict[Place, KnownValue] = {
        ("0", "t1"): known(),
        ("0", "hpi_length"): replace(known(), row="row-2"),
        ("1", "t1"): replace(known(age_s=2 * DAY_S), row="row-2"),
        ("0-1", "zx90_gate_time"): known(),
    }
    assert count(values, frozenset({"row-2"}), outputs, "2026-11", NOON) == ParameterCounts(
        calibrated=2, stale=1, moved=1
    )


def test_nothing_published_counts_nothing() -> None:
    assert count({}, frozenset(), {}, "", NOON) == ParameterCounts()


def test_a_parameter_ages_as_the_first_task_says_that_says_so() -> None:
    def task(name: str, *outputs: Output) -> CatalogueTask:
        return CatalogueTask(name=name, kind=TargetKind.QUBIT, description="", outputs=outputs)

    silent, spoken = Output(name="t1", unit="us"), replace_output(T1, max_age_s=60.0)
    built_in = Catalogue(tasks=(task("A", silent), task("B", T1)), backends=())
    author = Catalogue(tasks=(task("C", spoken, LENGTH),), backends=())
    assert ageing((built_in, author)) == {"t1": T1, "hpi_length": LENGTH}


def replace_output(output: Output, **changes: float) -> Output:
    return output.model_copy(update=changes)
