import asyncio
from dataclasses import asdict, replace
from datetime import timedelta

import bson
import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent

from kubecal.api.request import Verdict
from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.earlier import Disputed
from kubecal.engine.intents import SettleRow
from kubecal.engine.model import RowStatus
from kubecal.reading.answers import Check, InputValue, OutputValue, Suggestion
from kubecal.reading.stored import StoredRecords
from kubecal.records.results import CheckRecord, CrashReport, ShiftRecord, SuggestionRecord
from kubecal.records.store import RecordStore
from kubecal.records.task import AttemptRecords, LostClaim, NotClaimed
from tests.unit.kubecal.records.builders import NOON, Lab, admitted, output, planned, request, result

LATER = NOON + timedelta(minutes=5)
PUBLISHED = (
    "qubit",
    "qubit_history",
    "parameter_versions",
    "parameter_history",
    "provenance_activities",
    "calibration_note",
)


async def published(lab: Lab) -> list[str]:
    """The collections in which something was published."""
    return [name for name in PUBLISHED if await lab.all(name)]


async def snapshot(lab: Lab) -> dict[str, list[dict[str, object]]]:
    """Everything but when it was last touched."""
    names = (*PUBLISHED, "task_result_history", "fs.files", "fs.chunks")
    found = {name: sorted(await lab.all(name), key=lambda each: str(each["_id"])) for name in names}
    for documents in found.values():
        for document in documents:
            document.pop("system_info", None)
            document.pop("timestamp", None)
            document.pop("stored_at", None)
    return found


# ---------------------------------------------------------------- claim


async def test_a_claim_puts_the_pod_and_its_wires_into_the_row(store: RecordStore) -> None:
    lab = await admitted(store)
    wires = (Wire(WireMode.EXCLUSIVE, WireKind.MODULE, "C1"),)

    await lab.attempt(pod="pod-1").claim(NOON, wires)

    row = await lab.row()
    assert (row["claimed_by"], row["status"], row["start_at"]) == ("pod-1", "running", NOON)
    assert row["wires"] == [["X", "module", "C1"]]


async def test_claiming_again_is_harmless_for_the_same_pod_and_refused_for_another(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt(pod="pod-1").claim(NOON)
    await lab.attempt(pod="pod-1").claim(LATER)

    with pytest.raises(NotClaimed, match="claimed by pod pod-1, and this is pod pod-2"):
        await lab.attempt(pod="pod-2").claim(LATER)


async def test_of_many_pods_of_one_attempt_one_claims_it(store: RecordStore) -> None:
    lab = await admitted(store)

    outcomes = await asyncio.gather(
        *(lab.attempt(pod=f"pod-{n}").claim(NOON) for n in range(6)), return_exceptions=True
    )

    assert [isinstance(each, NotClaimed) for each in outcomes].count(False) == 1


async def test_a_superseded_attempt_cannot_be_claimed(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.control.next_attempts([lab.give_up()], NOON)

    with pytest.raises(NotClaimed, match="a later attempt opened"):
        await lab.attempt().claim(LATER)


async def test_a_settled_attempt_cannot_be_claimed(store: RecordStore) -> None:
    lab = await admitted(store)
    key = planned("CheckT1").key
    await lab.control.settle_rows(
        [SettleRow(lab.admission.ref, key, 1, RowStatus.CANCELLED, None, "Cancelled", "the session was deleted")], NOON
    )

    with pytest.raises(NotClaimed, match="already cancelled: the session was deleted"):
        await lab.attempt().claim(LATER)


async def test_an_attempt_that_was_never_planned_cannot_be_claimed(store: RecordStore) -> None:
    lab = await admitted(store)

    with pytest.raises(NotClaimed, match="never planned"):
        await lab.attempt(attempt=7).claim(LATER)


# ---------------------------------------------------------------- inputs


async def test_inputs_come_from_this_session_and_from_what_is_published(store: RecordStore) -> None:
    earlier = await admitted(store)
    await earlier.attempt().claim(NOON)
    await earlier.attempt().ends_with(result(output("t1", 20.0), output("t2_echo", 25.0)))
    lab = await admitted(store, planned("CheckT1"), planned("CheckRamsey"), publish="Never")
    first, second = lab.admission.plan.tasks
    await lab.attempt(first).claim(LATER)
    await lab.attempt(first).ends_with(result(output("t1", 30.0)))

    offers = (await lab.attempt(second).inputs())["0"]

    assert {name: offer.value for name, offer in offers.session.items()} == {"t1": 30.0}
    assert {name: offer.value for name, offer in offers.published.items()} == {"t1": 20.0, "t2_echo": 25.0}
    assert (
        offers.published["t1"].entity_id == (await earlier.one("parameter_versions", parameter_name="t1"))["entity_id"]
    )
    assert offers.published["t1"].calibrated_at == NOON


async def test_the_sessions_newest_ok_output_wins_and_others_do_not_count(store: RecordStore) -> None:
    tasks = [planned(name) for name in ("CheckT1", "CheckRabi", "CheckRamsey", "CheckT2Echo")]
    lab = await admitted(store, *tasks, planned("CheckHPIPulse"), publish="Never")
    outcomes = [
        result(output("t1", 1.0), measured_at=NOON),
        result(output("t1", 2.0), measured_at=LATER),
        result(output("t1", 3.0, accepted=False), measured_at=LATER + timedelta(minutes=1)),
        result(output("t1", 4.0), verdict=Verdict.IMPRECISE, measured_at=LATER + timedelta(minutes=2)),
    ]
    for task, outcome in zip(tasks, outcomes, strict=True):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(outcome)

    offers = (await lab.attempt(planned("CheckHPIPulse")).inputs())["0"]

    assert offers.session["t1"].value == 2.0


# ---------------------------------------------------------------- end


async def test_a_result_is_stored_with_everything_in_it(store: RecordStore) -> None:
    lab = await admitted(store)
    attempt = lab.attempt()
    await attempt.claim(NOON)
    outcome = replace(
        result(output(), files=True),
        checks=(CheckRecord("r2", 0.98, 0.7, True),),
        suggestion=SuggestionRecord({"shots": 4096}, "errors of 8 % are too large"),
        stack_trace="x" * 20_000,
    )

    digest = await attempt.ends_with(outcome)

    (row,) = await StoredRecords(store).results(lab.execution_id)
    assert (row.status, row.verdict, row.metrics) == ("completed", "ok", {"r2": 0.98, "chi2": 51.0})
    assert row.outputs == tuple(OutputValue(**asdict(each)) for each in outcome.outputs)
    assert row.inputs == tuple(InputValue(**asdict(each)) for each in outcome.inputs)
    assert row.checks == tuple(Check(**asdict(each)) for each in outcome.checks)
    assert row.suggestion == (Suggestion(**asdict(outcome.suggestion)) if outcome.suggestion else None)
    assert row.run_parameters == outcome.run_parameters
    assert len(row.stack_trace) == 10_000
    assert (await lab.row())["checksum"] == digest
    assert (await lab.row())["elapsed_time"] == 30.0


async def test_what_has_moved_is_published_and_says_by_how_much(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    shift = {"t1": ShiftRecord(30.0, 1.0, -13.4)}
    await lab.attempt().ends_with(replace(result(output("t1", 15.0)), moved={"t1": 7.5}, shift=shift))

    (row,) = await StoredRecords(store).results(lab.execution_id)
    (found,) = row.outputs
    assert (row.moved, found.previous, found.previous_error, found.sigmas) == ({"t1": 7.5}, 30.0, 1.0, -13.4)
    assert (await lab.row())["shift"] == {"t1": {"previous": 30.0, "previous_error": 1.0, "sigmas": -13.4}}
    assert (await lab.one("qubit", qid="0"))["data"]["t1"]["value"] == 15.0
    assert (await lab.row())["disputed"] is None


async def test_a_contradiction_is_not_published_and_its_values_are_kept_for_the_next_attempt(
    store: RecordStore,
) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    outputs = (output("t1", 15.0, accepted=False), output("t1_std", 1.0))
    outcome = replace(result(*outputs, verdict=Verdict.INCONSISTENT), disputed=("t1",))

    await lab.attempt().ends_with(outcome)
    uid = lab.admission.ref.uid
    (row,) = (await lab.control.read_rows([(lab.admission.ref, lab.admission.plan.tasks[0].key, 1)], LATER))[uid]

    assert (row.verdict, row.disputed) == (Verdict.INCONSISTENT, Disputed(NOON, {"t1": (15.0, 0.5)}))
    assert await published(lab) == []


async def test_a_worse_verdict_keeps_no_values_for_the_next_attempt(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(replace(result(output(), verdict=Verdict.WINDOW), disputed=("t1",)))

    assert (await lab.row())["disputed"] is None


async def test_figures_and_raw_data_come_back_as_they_were(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    outcome = result(output(), files=True)

    await lab.attempt().ends_with(outcome)

    reader = StoredRecords(store)
    (row,) = await reader.results(lab.execution_id)
    (figure,) = outcome.figures
    assert [await reader.file(each) for each in row.figure_ids] == [figure.svg.content, figure.png.content]
    assert [await reader.file(each) for each in row.json_figure_ids] == [figure.json.content]
    assert [await reader.file(each) for each in row.raw_data_ids] == [outcome.raw_data[0].content]


async def test_an_accepted_result_is_published_everywhere(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(result(output("t1", 30.0)))

    task_id = (await lab.row())["_id"]
    entity = f"t1:fridge-a:0:{lab.execution_id}:{task_id}"
    value = (await lab.one("qubit", qid="0"))["data"]["t1"]
    assert value == {
        "parameter_name": "t1",
        "qid_role": "",
        "value": 30.0,
        "value_type": "float",
        "error": 0.5,
        "unit": "us",
        "description": "Energy relaxation time",
        "calibrated_at": NOON,
        "cooldown_id": "2026-11",
        "execution_id": lab.execution_id,
        "task_id": task_id,
    }
    assert (await lab.one("qubit_history"))["data"] == {"t1": value}
    version = await lab.one("parameter_versions")
    assert (version["entity_id"], version["version"], version["valid_from"], version["valid_until"]) == (
        entity, 1, NOON, None,
    )  # fmt: skip
    assert (await lab.one("parameter_history"))["entity_id"] == entity
    activity = await lab.one("provenance_activities")
    assert (activity["used"], activity["generated"]) == (["hpi_amplitude:fridge-a:0:x:y"], [entity])
    assert (await lab.one("calibration_note"))["note"] == {"0": {"t1": 30.0}}


async def test_storing_the_same_result_again_changes_nothing(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    outcome = result(output("t1", 30.0), output("t2_echo", 20.0), files=True)
    digest = await lab.attempt().ends_with(outcome)
    before = await snapshot(lab)

    assert await lab.attempt().ends_with(outcome) == digest
    assert await snapshot(lab) == before


async def test_a_second_value_ends_the_first_version_and_keeps_the_days_others(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), planned("CheckT2Echo"), planned("CheckRamsey"))
    values = (output("t1", 30.0), output("t2_echo", 20.0), output("t1", 33.0))
    for n, (task, value) in enumerate(zip(lab.admission.plan.tasks, values, strict=True)):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(value, measured_at=NOON + timedelta(minutes=n)))

    versions = sorted(await lab.all("parameter_versions", parameter_name="t1"), key=lambda each: each["version"])
    assert [(each["version"], each["value"], each["valid_until"]) for each in versions] == [
        (1, 30.0, NOON + timedelta(minutes=2)),
        (2, 33.0, None),
    ]
    day = await lab.one("qubit_history", qid="0")
    assert {name: value["value"] for name, value in day["data"].items()} == {"t1": 33.0, "t2_echo": 20.0}
    assert len(await lab.all("parameter_history", parameter_name="t1")) == 2


async def test_the_daily_history_begins_a_new_day_with_the_whole_state(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), planned("CheckT2Echo"))
    for task, value, days in zip(lab.admission.plan.tasks, (output("t1"), output("t2_echo")), (0, 1), strict=True):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(value, measured_at=NOON + timedelta(days=days)))

    assert {day["recorded_date"]: sorted(day["data"]) for day in await lab.all("qubit_history")} == {
        "20261123": ["t1"],
        "20261124": ["t1", "t2_echo"],
    }


async def test_a_value_that_was_measured_earlier_does_not_replace_a_newer_one(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), planned("CheckT2Echo"))
    for task, value, at in zip(lab.admission.plan.tasks, (33.0, 30.0), (LATER, NOON), strict=True):
        await lab.attempt(task).claim(NOON)
        await lab.attempt(task).ends_with(result(output("t1", value), measured_at=at))

    assert (await lab.one("qubit"))["data"]["t1"]["value"] == 33.0
    assert [each["value"] for each in await lab.all("parameter_versions")] == [33.0]
    assert {row["status"] for row in await lab.all("task_result_history")} == {"completed"}


async def test_a_group_is_published_whole_or_not_at_all(store: RecordStore) -> None:
    lab = await admitted(store, planned("CheckT1"), planned("CheckRabi"))
    newer, older = lab.admission.plan.tasks
    await lab.attempt(newer).claim(NOON)
    await lab.attempt(newer).ends_with(result(output("rabi_frequency", 12.5), measured_at=LATER))
    await lab.attempt(older).claim(NOON)

    pair = (output("control_amplitude", 0.3, "rabi"), output("rabi_frequency", 12.0, "rabi"), output("rabi_phase", 0.1))
    await lab.attempt(older).ends_with(result(*pair, measured_at=NOON))

    assert {name: value["value"] for name, value in (await lab.one("qubit"))["data"].items()} == {
        "rabi_frequency": 12.5,
        "rabi_phase": 0.1,
    }


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.OK])
async def test_a_result_that_is_not_ok_is_kept_and_publishes_nothing(store: RecordStore, verdict: Verdict) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(result(output(), verdict=verdict))

    row = await lab.row()
    assert (row["status"], row["trouble"], row["verdict"]) == ("failed", "Verdict", verdict)
    assert row["output_parameters"]["t1"]["value"] == 31.5
    assert await published(lab) == []


async def test_an_output_that_was_not_accepted_is_not_published(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(result(output("qubit_frequency"), output("t2_star", accepted=False)))

    assert list((await lab.one("qubit"))["data"]) == ["qubit_frequency"]
    assert (await lab.row())["output_parameter_names"] == ["qubit_frequency"]


async def test_a_session_that_publishes_never_keeps_results_to_itself(store: RecordStore) -> None:
    lab = await admitted(store, publish="Never")
    await lab.attempt().claim(NOON)

    await lab.attempt().ends_with(result(output()))

    assert (await lab.row())["status"] == "completed"
    assert await published(lab) == []


async def test_two_tasks_that_publish_for_a_new_qubit_at_once_both_succeed(store: RecordStore) -> None:
    names = ("CheckT1", "CheckRabi", "CheckRamsey", "CheckT2Echo", "CheckHPIPulse")
    lab = await admitted(store, *(planned(name) for name in names))
    for task in lab.admission.plan.tasks:
        await lab.attempt(task).claim(NOON)

    await asyncio.gather(
        *(lab.attempt(task).ends_with(result(output(f"p_{task.key.task}"))) for task in lab.admission.plan.tasks)
    )

    assert sorted((await lab.one("qubit"))["data"]) == sorted(f"p_{name}" for name in names)
    assert sorted((await lab.one("qubit_history"))["data"]) == sorted(f"p_{name}" for name in names)


# ---------------------------------------------------------------- fencing


async def test_late_data_of_a_superseded_attempt_is_kept_and_publishes_nothing(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.control.next_attempts([lab.give_up()], NOON)

    with pytest.raises(LostClaim, match="counts for nothing"):
        await lab.attempt().ends_with(result(output("t1", 99.0), files=True))

    row = await lab.row()
    assert (row["status"], row["trouble"], row["reason"], row["checksum"]) == (
        "cancelled",
        "Disruption",
        "Evicted",
        None,
    )
    assert row["output_parameters"]["t1"]["value"] == 99.0
    assert len(row["raw_data_path"]) == 1
    assert await published(lab) == []


async def test_a_superseded_attempt_cannot_overwrite_what_its_successor_published(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.control.next_attempts([lab.give_up()], NOON)
    await lab.attempt(attempt=2, pod="pod-2").claim(NOON)
    await lab.attempt(attempt=2, pod="pod-2").ends_with(result(output("t1", 30.0)))
    before = (await lab.one("qubit"))["data"]

    with pytest.raises(LostClaim):
        await lab.attempt().ends_with(result(output("t1", 99.0), measured_at=LATER))

    assert (await lab.one("qubit"))["data"] == before


async def test_another_pod_cannot_end_an_attempt(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt(pod="pod-1").claim(NOON)
    before = await lab.row()

    with pytest.raises(LostClaim, match="claimed by pod pod-1"):
        await lab.attempt(pod="pod-2").ends_with(result(output()))

    assert await lab.row() == before
    assert await published(lab) == []


async def test_a_settled_attempt_stays_cancelled_when_its_result_comes(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    key = planned("CheckT1").key
    await lab.control.settle_rows(
        [SettleRow(lab.admission.ref, key, 1, RowStatus.CANCELLED, None, "Cancelled", "deleted")], NOON
    )

    with pytest.raises(LostClaim, match="already cancelled"):
        await lab.attempt().ends_with(result(output()))

    assert (await lab.row())["status"] == "cancelled"
    assert await published(lab) == []


async def test_superseding_and_ending_at_once_leaves_one_of_the_two(store: RecordStore) -> None:
    tasks = [planned("CheckT1", str(n)) for n in range(4)]
    lab = await admitted(store, *tasks)
    for task in tasks:
        await lab.attempt(task).claim(NOON)

    outcomes = await asyncio.gather(
        *(lab.attempt(task).ends_with(result(output())) for task in tasks),
        *(lab.control.next_attempts([lab.give_up(task)], LATER) for task in tasks),
        return_exceptions=True,
    )

    for task, ended in zip(tasks, outcomes, strict=False):
        row = await lab.row(task)
        opened = await lab.all("task_result_history", target=task.key.target, attempt=2)
        values = await lab.all("qubit", qid=task.key.target)
        if isinstance(ended, LostClaim):
            assert (row["status"], len(opened), values) == ("cancelled", 1, [])
        else:
            assert isinstance(ended, str)
            assert (row["status"], len(opened), len(values)) == ("completed", 0, 1)


@pytest.mark.parametrize("collection", PUBLISHED)
async def test_an_end_that_fails_in_the_middle_leaves_nothing_behind(store: RecordStore, collection: str) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    before = await lab.row()
    async with store.connected() as database:
        # A write of the transaction meets a rule that it breaks, as it would meet a lost connection.
        await database[collection].create_index("username", unique=True)
        await database[collection].insert_one({"username": "alice"})

    with pytest.raises(Exception, match="races for a key"):
        await lab.attempt().ends_with(result(output()))

    assert await lab.row() == before
    assert [name for name in await published(lab) if name != collection] == []


# ---------------------------------------------------------------- ends without a verdict


async def test_an_interruption_is_noted_and_settles_nothing(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)

    await lab.attempt().interrupted(LATER)

    row = await lab.row()
    assert (row["status"], row["interrupted_at"]) == ("running", LATER)


async def test_a_crash_keeps_what_was_measured_and_settles_nothing(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    report = CrashReport("TaskError", "division by zero", "Traceback ...", raw_data=result(files=True).raw_data)

    await lab.attempt().crashed(report, LATER)

    row = await lab.row()
    assert (row["status"], row["checksum"], row["verdict"]) == ("running", None, None)
    assert row["message"] == "TaskError: division by zero"
    assert await StoredRecords(store).file(row["raw_data_path"][0]) == report.raw_data[0].content


async def test_a_crash_after_the_attempt_was_given_up_leaves_the_reason_as_it_is(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.control.next_attempts([lab.give_up()], NOON)

    await lab.attempt().crashed(CrashReport("TaskError", "division by zero"), LATER)

    assert (await lab.row())["message"] == "the node was drained"


# ---------------------------------------------------------------- cost


class RoundTrips(CommandListener):
    """Counts what goes over the wire, files apart."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        spaces = str(event.command.get("nsInfo", ""))
        self.commands.append("file" if ".fs." in spaces else event.command_name)

    def succeeded(self, event: object) -> None:
        pass

    def failed(self, event: object) -> None:
        pass


async def test_an_attempt_takes_five_round_trips_besides_its_files(store: RecordStore, mongodb_uri: str) -> None:
    lab = await admitted(store)
    counter = RoundTrips()
    pod = RecordStore(mongodb_uri, listeners=[counter])
    attempt = AttemptRecords(pod, request(lab.admission, lab.execution_id, planned("CheckT1")), "pod-1")

    await attempt.claim(NOON)
    await attempt.inputs()
    await attempt.finish({"0": result(output("t1"), output("t2_echo"), files=True)})
    commands = list(counter.commands)
    await pod.close()

    assert commands == [
        "update", "aggregate", "file", "file", "file", "aggregate", "bulkWrite", "commitTransaction",
    ]  # fmt: skip


async def test_no_document_comes_near_one_mebibyte(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    outputs = [output(f"parameter_{n}") for n in range(64)]
    large = replace(
        result(*outputs, files=True), stack_trace="x" * 100_000, log_tail="y" * 1_000_000, message="z" * 50_000
    )

    await lab.attempt().ends_with(large)

    async with store.connected() as database:
        for name in await database.list_collection_names():
            for document in await database[name].find().to_list():
                assert len(bson.encode(document)) < 300_000, name
