import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubecal.api.catalogue import Catalogue
from kubecal.api.request import Verdict
from kubecal.engine.intents import CancelIntent, Replan, SettleExecution, SettleRow
from kubecal.engine.model import PinnedImage, Plan, RowStatus, Trouble
from kubecal.records.control import ControlRecords
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    CATALOGUE,
    IMAGE,
    NOON,
    Lab,
    a_chip,
    admission,
    admitted,
    output,
    planned,
    result,
)

LATER = NOON + timedelta(minutes=5)


MINE = Catalogue(tasks=(CATALOGUE.task_by_name["CheckT1"],), backends=CATALOGUE.backends)
"""The catalogue of an author's image."""


def control(store: RecordStore, driver_id: str = "lab-cluster/all") -> ControlRecords:
    return ControlRecords(store, driver_id)


# ---------------------------------------------------------------- admission


async def test_an_admitted_session_has_an_execution_and_a_row_for_every_planned_task(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckRabi"), planned("CheckT1"), planned("CheckRabi", "1"))

    record = (await lab.control.load([lab.admission.ref.uid], LATER))[lab.admission.ref.uid]

    assert record.execution_id == "20261123-000"
    assert record.status == "scheduled"
    assert record.ours
    assert record.chip_spec == lab.admission.chip.spec
    assert {(row.key.task, row.key.target) for row in record.rows} == {
        ("CheckRabi", "0"),
        ("CheckT1", "0"),
        ("CheckRabi", "1"),
    }
    assert all(row.status is RowStatus.SCHEDULED and row.attempt == 1 for row in record.rows)
    assert {row.wires for row in record.rows if row.key.target == "1"} == {tuple(sorted(planned("x", "1").wires))}
    assert {row.grace_s for row in record.rows} == {60}


async def test_admitting_again_changes_nothing_and_takes_no_number(store: RecordStore) -> None:
    wanted = admission()
    first = (await control(store).admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=NOON)).records
    lab = Lab(store, control(store), wanted, first[wanted.ref.uid].execution_id)
    await lab.attempt().claim(NOON)

    again = (await control(store).admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=LATER)).records
    other = admission()
    third = (await control(store).admit([other], catalogue=CATALOGUE, image=IMAGE, now=LATER)).records

    assert again[wanted.ref.uid].execution_id == first[wanted.ref.uid].execution_id
    assert again[wanted.ref.uid].rows[0].claimed_by == "pod-1"
    assert third[other.ref.uid].execution_id == "20261123-001"


class Killed(Exception):  # noqa: N818 - an end, not an error
    """The process ends here."""


async def test_what_a_session_mentions_is_registered_before_it_counts_as_planned(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(ControlRecords, "_insert", killed)
    with pytest.raises(Killed):
        await control(store).admit([admission()], catalogue=CATALOGUE, image=IMAGE, now=NOON)

    # Whoever comes next finds a planned execution only together with these.
    async with store.connected() as database:
        assert [await database[name].count_documents({}) > 0 for name in ("chip", "task", "backend")] == [True] * 3


async def test_many_sessions_admitted_at_once_get_different_numbers_without_gaps(store: RecordStore) -> None:
    wanted = [admission(name=f"session-{n}") for n in range(8)]

    records = await asyncio.gather(
        *(control(store).admit([each], catalogue=CATALOGUE, image=IMAGE, now=NOON) for each in wanted)
    )

    ids = sorted(record.execution_id for each in records for record in each.records.values())
    assert ids == [f"20261123-{n:03d}" for n in range(8)]


async def test_one_session_admitted_by_two_drivers_at_once_has_one_execution(store: RecordStore) -> None:
    wanted = admission()

    both = await asyncio.gather(
        *(control(store).admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=NOON) for _ in range(4))
    )

    assert {each.records[wanted.ref.uid].execution_id for each in both} == {"20261123-000"}


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("UTC", "2026-11-23T23:59:59+00:00", "20261123-000"),
        ("UTC", "2026-11-24T00:00:00+00:00", "20261124-000"),
        ("Asia/Tokyo", "2026-11-23T14:59:59+00:00", "20261123-000"),
        ("Asia/Tokyo", "2026-11-23T15:00:00+00:00", "20261124-000"),
        ("America/New_York", "2026-11-24T04:59:59+00:00", "20261123-000"),
    ],
)
async def test_execution_ids_roll_over_at_the_chips_midnight(
    store: RecordStore, zone: str, at: str, expected: str
) -> None:
    wanted = admission(chip=a_chip(zone))

    now = datetime.fromisoformat(at).astimezone(UTC)
    records = (await control(store).admit([wanted], catalogue=CATALOGUE, image=IMAGE, now=now)).records

    assert records[wanted.ref.uid].execution_id == expected


async def test_an_execution_id_that_is_free_is_taken_and_one_that_is_not_is_refused(store: RecordStore) -> None:
    wanted, late, next_one = (admission(name=name) for name in ("wanted", "late", "next"))
    first, second = (
        replace(each, spec=each.spec.model_copy(update={"execution_id": "20261123-000"})) for each in (wanted, late)
    )

    admitted = await control(store).admit([first, second, next_one], catalogue=CATALOGUE, image=IMAGE, now=NOON)

    assert admitted.records[wanted.ref.uid].execution_id == "20261123-000"
    assert late.ref.uid not in admitted.records
    assert "20261123-000 belongs to another execution" in admitted.refused[late.ref.uid]
    # The day's own numbers go on around it.
    assert admitted.records[next_one.ref.uid].execution_id == "20261123-001"


async def test_projects_count_their_executions_apart(store: RecordStore) -> None:
    wanted = [admission(chip=a_chip(project_id=project)) for project in ("alpha", "beta")]

    records = (await control(store).admit(wanted, catalogue=CATALOGUE, image=IMAGE, now=NOON)).records

    assert {record.execution_id for record in records.values()} == {"20261123-000"}


async def test_a_session_whose_rows_are_not_all_there_counts_as_not_admitted(store: RecordStore) -> None:
    lab = await admitted(store)
    async with store.connected() as database:
        await database.execution_history.update_one({}, {"$set": {"planned": False}})

    assert await lab.control.load([lab.admission.ref.uid], NOON) == {}


async def test_dashboards_find_the_chip_the_tags_and_the_tasks(store: RecordStore) -> None:
    lab = await admitted(store)

    assert (await lab.one("chip"))["size"] == 4
    assert [each["name"] for each in await lab.all("tag")] == ["nightly"]
    assert (await lab.one("task"))["name"] == "CheckT1"
    assert (await lab.one("execution_history"))["note"]["session"] == {"namespace": "lab", "name": "morning"}


async def test_tasks_of_each_image_are_registered_with_its_name_and_hash(store: RecordStore) -> None:
    of = admission(planned("CheckT1"), replace(planned("CheckT1", "1"), image="mylab"), planned("CheckRabi"))
    pinned = PinnedImage("registry.example.org/mylab:1", MINE.hash)
    of = replace(of, images={"mylab": pinned}, catalogues={"mylab": MINE})

    record = (await control(store).admit([of], catalogue=CATALOGUE, image=IMAGE, now=NOON)).records[of.ref.uid]

    assert record.images == {"mylab": pinned}
    async with store.connected() as database:
        tasks = await database["task"].find({}).to_list()
    assert {(each["name"], each["image"], each["catalogue_hash"]) for each in tasks} == {
        ("CheckT1", IMAGE, CATALOGUE.hash),
        ("CheckRabi", IMAGE, CATALOGUE.hash),
        ("CheckT1", pinned.image, MINE.hash),
    }


async def test_a_session_that_is_planned_anew_runs_in_the_images_of_then(store: RecordStore) -> None:
    lab = await admitted(store)
    of, newer = lab.admission, PinnedImage("tasks@sha256:2", "b" * 64)
    mine = {"mylab": PinnedImage("mylab:2", MINE.hash)}

    appended = Replan(of.ref, lab.execution_id, of.plan, of.chip, (), mine)
    record = (await lab.control.replan([appended], LATER))[of.ref.uid]
    assert (record.image, record.catalogue_hash, record.images) == (IMAGE, CATALOGUE.hash, mine)

    anew = Replan(of.ref, lab.execution_id, of.plan, of.chip, (), {}, newer)
    record = (await lab.control.replan([anew], LATER))[of.ref.uid]
    assert (record.image, record.catalogue_hash, record.images) == (newer.image, newer.catalogue_hash, {})


async def test_a_session_of_another_installation_is_read_but_not_settled(store: RecordStore) -> None:
    lab = await admitted(store)
    stranger = control(store, "other-cluster/all")
    uid = lab.admission.ref.uid

    assert not (await stranger.load([uid], NOON))[uid].ours
    await stranger.settle_executions([SettleExecution(lab.admission.ref, "failed", "Failed", "", {})], LATER)
    await stranger.abandon([uid], "gone", LATER)
    more = replace(lab.admission, plan=Plan((planned("CheckRabi"),), {}))
    await stranger.admit([more], catalogue=CATALOGUE, image=IMAGE, now=LATER)

    record = (await lab.control.load([uid], NOON))[uid]
    assert (record.status, len(record.rows)) == ("scheduled", 1)
    assert uid not in await stranger.unfinished()
    assert (await lab.control.unfinished())[uid] == lab.admission.ref


async def test_a_changed_chip_is_copied_and_planned_anew(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1", "0"), planned("CheckT1", "1"))
    changed = admission(planned("CheckT1", "1"), planned("CheckT1", "2"), chip=a_chip("Asia/Tokyo", generation=2))
    dropped = planned("CheckT1", "0").key

    replan = Replan(lab.admission.ref, lab.execution_id, changed.plan, changed.chip, ((dropped, 1, ()),))
    record = (await lab.control.replan([replan], LATER))[lab.admission.ref.uid]

    assert record.chip_generation == 2
    assert record.chip_spec.time_zone == "Asia/Tokyo"
    assert {row.key.target: row.status for row in record.rows} == {
        "0": RowStatus.CANCELLED,
        "1": RowStatus.SCHEDULED,
        "2": RowStatus.SCHEDULED,
    }


async def test_a_later_attempt_that_is_no_longer_planned_is_not_left_open(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1", "0"), planned("CheckT1", "1"))
    await lab.control.next_attempts([lab.give_up(planned("CheckT1", "0"))], NOON)
    changed = admission(planned("CheckT1", "1"), chip=a_chip(generation=2))
    dropped = ((planned("CheckT1", "0").key, 2, ()),)

    replan = Replan(lab.admission.ref, lab.execution_id, changed.plan, changed.chip, dropped)
    record = (await lab.control.replan([replan], LATER))[lab.admission.ref.uid]

    assert {(row.key.target, row.attempt): row.status for row in record.rows} == {
        ("0", 1): RowStatus.CANCELLED,
        ("0", 2): RowStatus.CANCELLED,
        ("1", 1): RowStatus.SCHEDULED,
    }


async def test_the_first_reason_to_cancel_stays(store: RecordStore) -> None:
    lab = await admitted(store)

    for reason in ("deleted", "spec.cancel"):
        await lab.control.request_cancel([CancelIntent(lab.admission.ref, reason)], LATER)

    record = (await lab.control.load([lab.admission.ref.uid], LATER))[lab.admission.ref.uid]
    assert record.cancel_requested
    assert record.cancel_reason == "deleted"


# ---------------------------------------------------------------- attempts


@pytest.mark.parametrize(
    ("trouble", "status"), [(Trouble.DISRUPTION, RowStatus.CANCELLED), (Trouble.CRASH, RowStatus.FAILED)]
)
async def test_the_next_attempt_supersedes_the_one_before(
    store: RecordStore, trouble: Trouble, status: RowStatus
) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    rows = (await lab.control.next_attempts([lab.give_up(trouble=trouble)], LATER))[lab.admission.ref.uid]

    first, second = sorted(rows, key=lambda row: row.attempt)
    assert (first.superseded, first.status, first.trouble, first.reason) == (True, status, trouble, "Evicted")
    assert first.superseded_at == LATER
    assert (second.attempt, second.status, second.claimed_by) == (2, RowStatus.SCHEDULED, None)
    assert second.wires == first.wires
    assert second.grace_s == first.grace_s


async def test_opening_the_next_attempt_again_does_not_touch_what_became_of_it(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.control.next_attempts([lab.give_up()], NOON)
    await lab.attempt(attempt=2, pod="pod-2").claim(NOON)

    rows = (await lab.control.next_attempts([lab.give_up()], LATER))[lab.admission.ref.uid]

    assert {row.attempt: row.claimed_by for row in rows} == {1: None, 2: "pod-2"}
    assert len(await lab.all("task_result_history")) == 2


async def test_an_attempt_with_a_result_is_not_superseded(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output()))

    rows = (await lab.control.next_attempts([lab.give_up()], LATER))[lab.admission.ref.uid]

    assert [(row.attempt, row.status, row.superseded) for row in rows] == [(1, RowStatus.COMPLETED, False)]


async def test_after_a_verdict_the_next_attempt_is_opened_beside_the_result(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output(), verdict=Verdict.WINDOW))
    again = replace(lab.give_up(trouble=Trouble.VERDICT), parameters={"shots": 4096})

    rows = (await lab.control.next_attempts([again], LATER))[lab.admission.ref.uid]
    repeated = (await lab.control.next_attempts([again], LATER))[lab.admission.ref.uid]

    first, second = sorted(rows, key=lambda row: row.attempt)
    assert (first.status, first.verdict, first.superseded) == (RowStatus.FAILED, Verdict.WINDOW, False)
    assert (second.attempt, second.status, second.opened_at) == (2, RowStatus.SCHEDULED, LATER)
    assert len(repeated) == 2
    stored = await lab.row(attempt=2)
    assert stored["adapted"] == {"shots": 4096}
    assert stored["run_parameters"]["shots"] == 4096


async def test_nothing_is_opened_after_a_result_that_was_good(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output()))

    rows = (await lab.control.next_attempts([lab.give_up(trouble=Trouble.VERDICT)], LATER))[lab.admission.ref.uid]

    assert [row.attempt for row in rows] == [1]


async def test_many_attempts_are_opened_together(store: RecordStore) -> None:
    tasks = [planned("CheckT1", str(n)) for n in range(4)]
    lab = await admitted(store, *tasks)
    await lab.attempt(tasks[2]).claim(NOON)
    await lab.attempt(tasks[2]).ends_with(result(output()))

    rows = (await lab.control.next_attempts([lab.give_up(task) for task in tasks], LATER))[lab.admission.ref.uid]

    assert sorted((row.key.target, row.attempt) for row in rows) == [
        ("0", 1), ("0", 2), ("1", 1), ("1", 2), ("2", 1), ("3", 1), ("3", 2),
    ]  # fmt: skip


async def test_a_lost_pods_last_lines_are_in_its_row(store: RecordStore) -> None:
    lab = await admitted(store)
    intent = SettleRow(
        lab.admission.ref, planned("CheckT1").key, 1, RowStatus.FAILED, Trouble.CRASH, "Error", "exit code 1", "pod-a"
    )

    await lab.control.settle_rows([intent], LATER, {"pod-a": "Traceback\n"})

    row = await lab.row()
    assert (row["status"], row["trouble"], row["reason"], row["log_tail"]) == (
        "failed",
        "Crash",
        "Error",
        "Traceback\n",
    )


async def test_settling_a_row_with_a_result_returns_the_result(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output(), verdict=Verdict.POOR_FIT))
    intent = SettleRow(lab.admission.ref, planned("CheckT1").key, 1, RowStatus.CANCELLED, None, "Cancelled", "")

    (row,) = (await lab.control.settle_rows([intent], LATER))[lab.admission.ref.uid]

    assert (row.status, row.verdict) == (RowStatus.FAILED, Verdict.POOR_FIT)


async def test_reading_rows_finds_only_what_was_asked_for(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1", "0"), planned("CheckT1", "1"))

    found = await lab.control.read_rows([(lab.admission.ref, planned("CheckT1", "1").key, 1)], LATER)

    (row,) = found[lab.admission.ref.uid]
    assert (row.key.target, row.read_at) == ("1", LATER)
    assert await lab.control.read_rows([(lab.admission.ref, planned("CheckT1", "1").key, 9)], LATER) == {}


# ---------------------------------------------------------------- the end


async def test_an_execution_ends_once_and_for_all(store: RecordStore) -> None:
    lab = await admitted(store)
    ref = lab.admission.ref
    counts = {"planned": 1, "succeeded": 1}
    await lab.control.settle_executions([SettleExecution(ref, "running", "Running", "", {}, NOON)], NOON)
    await lab.control.settle_executions(
        [SettleExecution(ref, "completed", "Completed", "1 of 1", counts, None, LATER)], LATER
    )
    await lab.control.settle_executions([SettleExecution(ref, "cancelled", "Cancelled", "deleted", {})], LATER)

    execution = await lab.one("execution_history")
    assert (execution["status"], execution["phase"], execution["counts"]) == ("completed", "Completed", counts)
    assert (execution["start_at"], execution["end_at"], execution["elapsed_time"]) == (NOON, LATER, 300.0)
    assert await lab.control.unfinished() == {}


async def test_the_chips_day_is_written_when_a_session_ends(store: RecordStore) -> None:
    lab = await admitted(store)
    ref = lab.admission.ref
    await lab.control.settle_executions([SettleExecution(ref, "running", "Running", "", {}, NOON)], NOON)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(result(output(value=30.0)))
    assert await lab.all("chip_history") == []

    await lab.control.settle_executions([SettleExecution(ref, "completed", "Completed", "", {}, NOON, LATER)], LATER)

    day = await lab.one("chip_history")
    assert day["recorded_date"] == "20261123"
    assert day["counts"] == {"qubits": 4, "calibrated": 1}
    assert day["summary"] == {"t1": {"count": 1, "median": 30.0, "unit": "us"}}


async def test_an_abandoned_execution_leaves_no_row_open(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckRabi"), planned("CheckT1"), planned("CheckT1", "1"))
    done, running, _ = lab.admission.plan.tasks
    await lab.attempt(done).claim(NOON)
    await lab.attempt(done).ends_with(result())
    await lab.attempt(running).claim(NOON)

    await lab.control.abandon([lab.admission.ref.uid], "the run was killed", LATER)

    record = (await lab.control.load([lab.admission.ref.uid], LATER))[lab.admission.ref.uid]
    assert record.status == "cancelled"
    assert sorted(row.status for row in record.rows) == ["cancelled", "cancelled", "completed"]
