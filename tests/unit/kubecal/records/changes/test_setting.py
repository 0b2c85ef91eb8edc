"""Parameters by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kubecal.api.actions import SetParameters
from kubecal.engine.model import RowStatus
from kubecal.records.actions import ActionRecords
from kubecal.records.changes.desk import MAX_VALUES
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    CATALOGUE,
    NOON,
)
from tests.unit.kubecal.records.changes.changed import (
    KNOWN,
    SET,
    carried_out,
    changes,
    measured,
    valid_versions,
    value_of,
    with_clock,
)


async def test_values_by_hand_become_current_of_qubits_and_couplings(store: RecordStore) -> None:
    await measured(store, t1=30.0)
    lab, row = await carried_out(store, SET)

    assert (row.status, row.message) == (RowStatus.COMPLETED, "set 2 parameters of 2 targets")
    assert await value_of(lab) == 20.0
    assert await value_of(lab, "zx90_gate_time", "0-1") == 240.0
    assert (await lab.one("qubit", qid="0"))["data"]["t1"]["by_hand"], "no measurement has to agree with it"
    (version,) = await valid_versions(lab)
    assert (version["version"], version["value"], version["execution_id"]) == (2, 20.0, lab.execution_id)
    assert (version["unit"], version["task_id"]) == ("us", (await lab.row())["_id"])
    assert len(await lab.all("parameter_history", qid="0", parameter_name="t1")) == 2
    (day,) = await lab.all("qubit_history", qid="0")
    assert day["data"]["t1"]["value"] == 20.0
    written = await lab.row()
    assert written["run_parameters"]["qubits"] == {"0": {"t1": {"value": 20.0, "error": 0.5}}}
    assert written["output_parameters"]["zx90_gate_time:0-1"]["value"] == 240.0


async def test_one_activity_and_one_note_tell_of_all_that_was_set(store: RecordStore) -> None:
    lab, _ = await carried_out(store, SET)

    row = (await lab.row())["_id"]
    activity = await lab.one("provenance_activities", activity_id=f"{lab.execution_id}:{row}")
    versions = await lab.all("parameter_versions", task_id=row)
    assert len(versions) == 2
    assert sorted(activity["generated"]) == sorted(version["entity_id"] for version in versions)
    assert activity["task_name"] == "Change"
    note = await lab.one("calibration_note", task_id=row)
    assert note["note"] == {"0": {"t1": 20.0}, "0-1": {"zx90_gate_time": 240.0}}


@pytest.mark.parametrize(
    ("name", "target", "unit"),
    [
        pytest.param("t1", "qubits", "us", id="given by a task"),
        pytest.param("readout_amplitude", "qubits", "a.u.", id="only read"),
        pytest.param("zx90_gate_time", "couplings", "ns", id="known to an author's image only"),
    ],
)
async def test_the_unit_is_the_catalogues(store: RecordStore, name: str, target: str, unit: str) -> None:
    qid = "0" if target == "qubits" else "0-1"
    lab, _ = await carried_out(store, SetParameters.model_validate({target: {qid: {name: {"value": 0.1}}}}))
    assert (await lab.one(target[:-1], qid=qid))["data"][name]["unit"] == unit


async def test_a_parameter_whose_unit_nobody_knows_is_not_set(store: RecordStore) -> None:
    unknown = {"qubits": {"0": {"t1": {"value": 1.0}, "charm": {"value": 2.0}}}}

    lab, row = await carried_out(store, SetParameters.model_validate(unknown))

    assert (row.status, row.message) == (
        RowStatus.FAILED,
        "no task that is installed gives or reads charm, so that the unit is not known: correct set",
    )
    assert not await lab.all("qubit")


async def test_more_than_a_row_can_tell_of_is_not_set(store: RecordStore) -> None:
    names = sorted(output.name for task in CATALOGUE.tasks for output in task.outputs)[:10]
    values = {name: {"value": 1.0} for name in names}
    too_many = {"qubits": {str(qubit): values for qubit in range(MAX_VALUES // len(values) + 1)}}

    _, row = await carried_out(store, SetParameters.model_validate(too_many))

    assert row.status is RowStatus.FAILED
    assert row.message.endswith(f"more than {MAX_VALUES}: split it into several steps")


async def test_on_a_simulated_chip_values_by_hand_are_of_its_clock(store: RecordStore) -> None:
    lab, intent = await changes(store, SET)
    fixed = "2026-11-23T12:00:00Z"
    simulated = replace(lab.admission.chip, spec=with_clock(lab.admission.chip.spec, {"mode": "Fixed", "at": fixed}))

    await ActionRecords(store).execute([replace(intent, chip=simulated)], KNOWN, NOON + timedelta(days=90))
    again = await measured(store, t1=33.0)

    # Measured at the same time, but later: a value by hand does not stand in the way of all that is measured.
    assert await value_of(again) == 33.0


async def test_a_value_by_hand_counts_where_a_clock_was_turned_back(store: RecordStore) -> None:
    first = await measured(store, t1=30.0)

    await carried_out(store, SET, NOON - timedelta(days=1))

    assert await value_of(first) == 20.0
    (version,) = await valid_versions(first)
    assert version["calibrated_at"] == NOON
