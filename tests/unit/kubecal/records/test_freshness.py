"""What the records say of what is published, and of what it was made with."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubecal.api.catalogue import Output
from kubecal.api.chip import ParameterCounts
from kubecal.engine.freshness import UsedValue
from kubecal.records.freshness import count_parameters, used_values
from kubecal.records.store import Document, RecordStore
from tests.unit.kubecal.records.builders import NOON, admitted, output, planned, result

OUTPUTS = {
    "t1": Output(name="t1", unit="us", max_age_s=3600.0),
    "hpi_amplitude": Output(name="hpi_amplitude", unit="a.u.", drift=0.01, drift_relative=True),
}
"""Every result of these tests was made with hpi_amplitude 0.2."""


async def counted(store: RecordStore, cooldown: str = "2026-11", after_s: float = 0.0) -> ParameterCounts:
    now = NOON + timedelta(seconds=after_s)
    return await count_parameters(store, "default", "fridge-a", outputs=OUTPUTS, cooldown=cooldown, now=now)


async def publish(store: RecordStore, **values: float) -> None:
    """By a task of its own, in the cool-down 2026-11."""
    lab = await admitted(store, planned("CheckT1"))
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(*(output(name, value) for name, value in values.items())))


async def test_nothing_is_published_at_first(store: RecordStore) -> None:
    assert await counted(store) == ParameterCounts()


@pytest.mark.parametrize(
    ("cooldown", "after_s", "counts"),
    [
        ("2026-11", 0.0, ParameterCounts(calibrated=2)),
        ("2026-11", 3601.0, ParameterCounts(calibrated=1, stale=1)),
        ("2026-12", 0.0, ParameterCounts(stale=2)),
        ("", 0.0, ParameterCounts(calibrated=2)),
    ],
)
async def test_values_grow_old_and_cool_downs_pass(
    store: RecordStore, cooldown: str, after_s: float, counts: ParameterCounts
) -> None:
    await publish(store, t1=30.0, t2_echo=20.0)
    assert await counted(store, cooldown, after_s) == counts


@pytest.mark.parametrize(("amplitude", "moved"), [(0.2001, 0), (0.3, 0), (3.0, 1)])
async def test_a_result_whose_input_was_measured_anew_and_differently_has_moved(
    store: RecordStore, amplitude: float, moved: int
) -> None:
    """The new value has an error of 0.5 (``output``), so that 0.3 may be noise."""
    await publish(store, t1=30.0)
    await publish(store, hpi_amplitude=amplitude)
    assert await counted(store) == ParameterCounts(calibrated=2 - moved, moved=moved)


async def test_what_others_wrote_without_a_time_is_left_out(store: RecordStore) -> None:
    await publish(store, t1=30.0)
    async with store.connected() as database:
        await database.qubit.update_one({"qid": "0"}, {"$set": {"data.note": {"value": "good", "error": None}}})
    assert await counted(store) == ParameterCounts(calibrated=1)


def test_the_inputs_of_a_coupling_task_belong_to_its_qubits_and_to_itself() -> None:
    def used(name: str, role: str) -> Document:
        return {"name": name, "value": 1.0, "error": 0.1, "role": role}

    inputs = {
        "control_t1": used("t1", "control"),
        "target_t1": used("t1", "target"),
        "cr_amplitude": used("cr_amplitude", ""),
    }
    places = [("0", "t1"), ("1", "t1"), ("0-1", "cr_amplitude")]
    assert used_values("0-1", inputs) == [UsedValue(place, 1.0, 0.1) for place in places]
