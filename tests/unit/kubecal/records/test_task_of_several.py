"""Attempts that judge several qubits, a coupling or the chip, and what they read and publish."""

import asyncio
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from kubecal.api.request import Verdict
from kubecal.engine.intents import SettleRow
from kubecal.engine.model import RowStatus
from kubecal.reading.answers import InputValue
from kubecal.reading.stored import StoredRecords
from kubecal.records.ended import attempt_checksum
from kubecal.records.results import CrashReport, InputRecord
from kubecal.records.store import RecordStore
from kubecal.records.task import LostClaim, NotClaimed
from tests.unit.kubecal.records.builders import (
    NOON,
    Attempt,
    Lab,
    admitted,
    on_chip,
    on_coupling,
    on_mux,
    output,
    planned,
    request,
    result,
)
from tests.unit.kubecal.records.test_task import RoundTrips

LATER = NOON + timedelta(minutes=5)
OTHER = "NoLongerIn"


def ended_one(lab: Lab, member: str) -> SettleRow:
    key = lab.admission.plan.tasks[0].key
    why = "the qubit left the session"
    return SettleRow(lab.admission.ref, key, 1, RowStatus.CANCELLED, None, OTHER, why, members=(member,))


# ---------------------------------------------------------------- claim


async def test_a_claim_takes_every_row(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())

    await lab.attempt().claim(NOON)
    await lab.attempt().claim(LATER)

    rows = await lab.rows()
    assert {one: (row["claimed_by"], row["status"]) for one, row in rows.items()} == dict.fromkeys(
        ("0", "1", "3"), ("pod-1", "running")
    )


async def test_one_row_that_is_not_free_refuses_all(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.control.settle_rows([ended_one(lab, "1")], NOON)
    before = await lab.rows()

    with pytest.raises(NotClaimed, match="on mux-0 for qubit 1 is already cancelled: the qubit left the session"):
        await lab.attempt().claim(LATER)

    assert await lab.rows() == before


async def test_members_that_are_not_measured_now_are_left_alone(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.control.settle_rows([ended_one(lab, "1")], NOON)
    fewer = on_mux(members=("0", "3"))

    await lab.attempt(fewer).claim(LATER)
    await lab.attempt(fewer).ends_with(result(output()))

    assert {one: row["status"] for one, row in (await lab.rows()).items()} == {
        "0": "completed", "1": "cancelled", "3": "completed",
    }  # fmt: skip


async def test_of_many_pods_one_has_all_rows(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())

    outcomes = await asyncio.gather(
        *(lab.attempt(pod=f"pod-{n}").claim(NOON) for n in range(4)), return_exceptions=True
    )

    refused = [isinstance(each, NotClaimed) for each in outcomes]
    assert refused.count(False) == 1, outcomes
    assert {row["claimed_by"] for row in (await lab.rows()).values()} == {f"pod-{refused.index(False)}"}


# ---------------------------------------------------------------- inputs


async def test_each_member_is_offered_its_own_values(store: RecordStore) -> None:
    rabis = [planned("CheckRabi", qubit) for qubit in ("0", "1")]
    lab = await admitted(store, *rabis, on_mux(members=("0", "1")))
    for task, value in zip(rabis, (10.0, 11.0), strict=True):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(output("rabi_frequency", value)))

    attempt = lab.attempt(on_mux(members=("0", "1")))
    offers = await attempt.inputs()

    assert {one: offer.session["rabi_frequency"].value for one, offer in offers.items()} == {"0": 10.0, "1": 11.0}
    assert {one: offer.published["rabi_frequency"].value for one, offer in offers.items()} == {"0": 10.0, "1": 11.0}
    await attempt.claim(NOON)
    await attempt.ends_with(result())
    built_on = {one: row["upstream_id"] for one, row in (await lab.rows(on_mux(members=("0", "1")))).items()}
    assert built_on == {task.key.target: (await lab.row(task))["_id"] for task in rabis}


async def test_a_coupling_task_is_offered_what_both_qubits_and_the_coupling_have(store: RecordStore) -> None:
    rabis = [planned("CheckRabi", qubit) for qubit in ("0", "1", "2")]
    cr, zx = on_coupling(), on_coupling(ordinal=1)
    lab = await admitted(store, *rabis, cr, zx)
    for n, task in enumerate((*rabis, cr)):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(output("cr_amplitude" if task is cr else "rabi_frequency", n)))

    offers = await lab.attempt(zx).inputs()

    assert {one: {n: o.value for n, o in offer.session.items()} for one, offer in offers.items()} == {
        "0": {"rabi_frequency": 0}, "1": {"rabi_frequency": 1}, "0-1": {"cr_amplitude": 3},
    }  # fmt: skip
    assert offers["0-1"].published["cr_amplitude"].value == 3


async def test_a_chip_task_is_offered_nothing(store: RecordStore) -> None:
    lab = await admitted(store, on_chip())

    assert await lab.attempt().inputs() == {}


async def test_a_value_says_in_which_cool_down_it_was_measured(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), planned("CheckRabi"), publish="OnSuccess")
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output("t1")))

    offers = await lab.attempt(planned("CheckRabi")).inputs()

    assert (offers["0"].published["t1"].cooldown_id, (await lab.row())["cooldown_id"]) == ("2026-11", "2026-11")


# ---------------------------------------------------------------- repeating an earlier execution


def used(name: str, value: float, role: str = "") -> InputRecord:
    return InputRecord(name, value, 0.001, "GHz", "published", f"{name}:v", role)


def repeated(lab: Lab, earlier: Lab) -> Attempt:
    wanted = request(lab.admission, lab.execution_id, lab.admission.plan.tasks[0])
    return Attempt(lab.store, wanted.model_copy(update={"snapshot": earlier.execution_id}), "pod-1")


async def test_the_inputs_of_the_same_task_are_offered_again_and_else_the_last_ones(store: RecordStore) -> None:
    t1, rabi = planned("CheckT1"), planned("CheckRabi")
    earlier = await admitted(store, t1, rabi)
    inputs = ((used("qubit_frequency", 5.0),), (used("qubit_frequency", 4.0), used("t1", 30.0)))
    for n, (task, its) in enumerate(zip((t1, rabi), inputs, strict=True)):
        await earlier.attempt(task).claim(NOON)
        outcome = replace(result(measured_at=NOON + timedelta(minutes=n)), inputs=its)
        await earlier.attempt(task).ends_with(outcome)
    lab = await admitted(store, t1)

    offers = (await repeated(lab, earlier).inputs())["0"]

    assert {name: offer.value for name, offer in offers.snapshot.items()} == {"qubit_frequency": 5.0, "t1": 30.0}
    assert offers.snapshot["qubit_frequency"].entity_id == "qubit_frequency:v"
    assert (await lab.attempt().inputs())["0"].snapshot == {}


async def test_a_couplings_inputs_are_offered_again_to_whom_they_belonged(store: RecordStore) -> None:
    earlier = await admitted(store, on_coupling())
    await earlier.attempt().claim(NOON)
    mine = (used("qubit_frequency", 5.0, "control"), used("qubit_frequency", 4.9, "target"), used("cr_amplitude", 0.3))
    await earlier.attempt().ends_with(replace(result(), inputs=mine))
    lab = await admitted(store, on_coupling())

    offers = await repeated(lab, earlier).inputs()

    assert {one: {n: o.value for n, o in offer.snapshot.items()} for one, offer in offers.items()} == {
        "0": {"qubit_frequency": 5.0}, "1": {"qubit_frequency": 4.9}, "0-1": {"cr_amplitude": 0.3},
    }  # fmt: skip
    (row,) = await StoredRecords(store).results(earlier.execution_id)
    assert row.inputs == tuple(InputValue(**asdict(each)) for each in mine)


# ---------------------------------------------------------------- end


async def test_every_member_is_judged_and_published_by_itself(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)
    results = {
        "0": result(output("t1", 30.0), files=True),
        "1": result(output("t1", 10.0), verdict=Verdict.POOR_FIT, files=True),
        "3": result(output("t1", 33.0), files=True),
    }

    digest = await lab.attempt().finish(results)

    rows = await lab.rows()
    assert {one: (row["status"], row["verdict"]) for one, row in rows.items()} == {
        "0": ("completed", "ok"), "1": ("failed", "poor_fit"), "3": ("completed", "ok"),
    }  # fmt: skip
    published = {each["qid"]: each["data"]["t1"] for each in await lab.all("qubit")}
    assert {one: (value["value"], value["task_id"]) for one, value in published.items()} == {
        "0": (30.0, rows["0"]["_id"]), "3": (33.0, rows["3"]["_id"]),
    }  # fmt: skip
    assert {each["qid"] for each in await lab.all("parameter_versions")} == {"0", "3"}
    assert {each["task_id"] for each in await lab.all("provenance_activities")} == {rows["0"]["_id"], rows["3"]["_id"]}
    assert len({tuple(row["raw_data_path"]) for row in rows.values()}) == 1
    assert digest == attempt_checksum(results)
    assert digest not in {row["checksum"] for row in rows.values()}


async def test_versions_are_counted_for_each_member(store: RecordStore) -> None:
    first, second = planned("CheckT1", "0"), on_mux(members=("0", "1"))
    lab = await admitted(store, first, second)
    for task, at in ((first, NOON), (second, LATER)):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(output("t1"), measured_at=at))

    versions = await lab.all("parameter_versions", valid_until=None)
    assert {each["qid"]: each["version"] for each in versions} == {"0": 2, "1": 1}


async def test_storing_the_results_of_several_again_changes_nothing(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)
    digest = await lab.attempt().ends_with(result(output(), files=True))
    rows, versions = await lab.rows(), await lab.all("parameter_versions")

    assert await lab.attempt().ends_with(result(output(), files=True)) == digest
    assert (await lab.rows(), await lab.all("parameter_versions")) == (rows, versions)


async def test_a_result_for_each_member_is_asked_for(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)

    with pytest.raises(ValueError, match="judges 0, 1, 3, and its results are about 0: hand over one for each"):
        await lab.attempt().finish({"0": result(output())})


async def test_one_row_that_was_given_up_takes_all_along_and_their_data_is_kept(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)
    await lab.control.settle_rows([ended_one(lab, "3")], NOON)

    with pytest.raises(LostClaim, match="for qubit 3 is already cancelled"):
        await lab.attempt().ends_with(result(output("t1", 99.0), files=True))

    rows = await lab.rows()
    assert {one: (row["status"], row["checksum"]) for one, row in rows.items()} == {
        "0": ("running", None), "1": ("running", None), "3": ("cancelled", None),
    }  # fmt: skip
    assert {row["output_parameters"]["t1"]["value"] for row in rows.values()} == {99.0}
    assert await lab.all("qubit") == []


async def test_a_superseded_attempt_of_several_publishes_nothing(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)
    await lab.control.next_attempts([lab.give_up()], NOON)

    with pytest.raises(LostClaim, match="counts for nothing"):
        await lab.attempt().ends_with(result(output()))

    assert {row["status"] for row in (await lab.rows()).values()} == {"cancelled"}
    assert await lab.all("qubit") == []


async def test_a_coupling_task_publishes_on_the_coupling(store: RecordStore) -> None:
    lab = await admitted(store, on_coupling())
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(result(output("cr_amplitude", 0.3)))

    value = (await lab.one("coupling", qid="0-1"))["data"]["cr_amplitude"]
    assert (value["value"], value["qid_role"], value["cooldown_id"]) == (0.3, "coupling", "2026-11")
    assert (await lab.one("coupling_history", qid="0-1"))["data"] == {"cr_amplitude": value}
    assert (await lab.one("parameter_versions"))["qid"] == "0-1"
    assert (await lab.all("qubit"), await lab.all("qubit_history")) == ([], [])
    (told,) = await StoredRecords(store).parameters("fridge-a")
    assert (told.target, told.name, told.value) == ("0-1", "cr_amplitude", value["value"])


async def test_what_a_chip_task_finds_stays_in_its_row(store: RecordStore) -> None:
    lab = await admitted(store, on_chip())
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(result(output("modules")))

    row = await lab.row()
    assert (row["qid"], row["status"], row["output_parameter_names"]) == ("", "completed", ["modules"])
    assert (await lab.all("qubit"), await lab.all("coupling"), await lab.all("parameter_versions")) == ([], [], [])


async def test_several_rows_take_one_round_trip_more_and_an_earlier_executions_inputs_none(
    store: RecordStore, mongodb_uri: str
) -> None:
    earlier, lab = await admitted(store, on_mux()), await admitted(store, on_mux())
    counter = RoundTrips()
    pod = RecordStore(mongodb_uri, listeners=[counter])
    wanted = request(lab.admission, lab.execution_id, on_mux())
    attempt = Attempt(pod, wanted.model_copy(update={"snapshot": earlier.execution_id}), "pod-1")

    await attempt.claim(NOON)
    await attempt.inputs()
    await attempt.ends_with(result(output("t1")))
    commands = list(counter.commands)
    await pod.close()

    assert commands == [
        "update", "commitTransaction", "aggregate", "aggregate", "bulkWrite", "commitTransaction",
    ]  # fmt: skip


# ---------------------------------------------------------------- ends without a verdict


async def test_an_interruption_and_a_crash_are_noted_in_every_row(store: RecordStore) -> None:
    lab = await admitted(store, on_mux())
    await lab.attempt().claim(NOON)
    inputs = {"0": (used("qubit_frequency", 5.0),), "1": (used("qubit_frequency", 4.0),)}

    await lab.attempt().crashed(CrashReport("TaskError", "division by zero", inputs=inputs), LATER)
    await lab.attempt().interrupted(LATER)

    rows = await lab.rows()
    assert {(row["status"], row["message"], row["interrupted_at"]) for row in rows.values()} == {
        ("running", "TaskError: division by zero", LATER)
    }
    assert [len(row["input_parameters"]) for row in rows.values()] == [1, 1, 0]
    assert rows["1"]["input_parameters"]["qubit_frequency"]["value"] == 4.0
