"""What people ask of the records, answered by a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from kubecal.api.actions import RevertExecution
from kubecal.api.session import SessionSpec
from kubecal.engine.model import Trouble
from kubecal.reading import stored as module
from kubecal.reading.answers import OutputValue
from kubecal.reading.records import FigureForm, NotRecordedError, RecordsError
from kubecal.reading.stored import StoredRecords
from kubecal.records.control import ControlRecords
from kubecal.records.indexes import COLLECTIONS
from kubecal.records.store import RecordStore
from tests.unit.kubecal.records.builders import (
    CATALOGUE,
    IMAGE,
    NOON,
    Lab,
    admission,
    admitted,
    figure,
    on_coupling,
    on_mux,
    output,
    planned,
    result,
)
from tests.unit.kubecal.records.changes.changed import LATER, LATEST, SET, carried_out, measured

FORMS: tuple[FigureForm, ...] = get_args(FigureForm)


async def measured_at(store: RecordStore, t1: float, at: datetime = NOON) -> Lab:
    """A session that measured t1 of qubit 0 at a moment."""
    lab = await admitted(store, now=at)
    await lab.attempt().claim(at)
    await lab.attempt().ends_with(result(output("t1", t1), measured_at=at))
    return lab


# ---------------------------------------------------------------- executions


async def test_executions_come_newest_first_and_by_what_is_asked(store: RecordStore) -> None:
    early, late = await admitted(store, now=NOON), await admitted(store, now=LATER)
    records = StoredRecords(store)

    both = [late.execution_id, early.execution_id]
    assert [one.execution_id for one in await records.executions()] == both
    for asked in ({"chip": "fridge-a"}, {"session": "morning"}, {"tag": "nightly"}):
        assert [one.execution_id for one in await records.executions(**asked)] == both  # type: ignore[arg-type]
    for asked in ({"chip": "fridge-b"}, {"session": "evening"}, {"tag": "daily"}, {"project": "other"}):
        assert not await records.executions(**asked)  # type: ignore[arg-type]
    assert [one.execution_id for one in await records.executions(before=LATER)] == [early.execution_id]
    assert [one.execution_id for one in await records.executions(limit=1)] == [late.execution_id]


async def test_sessions_that_were_admitted_at_once_keep_an_order(store: RecordStore) -> None:
    control = ControlRecords(store, "lab-cluster/all")
    both = [admission(name="a"), admission(name="b")]
    await control.admit(both, catalogue=CATALOGUE, image=IMAGE, now=NOON)
    ids = [one.execution_id for one in await StoredRecords(store).executions()]
    assert ids == sorted(ids, reverse=True)


async def test_an_execution_says_all_that_is_needed_to_run_it_again(store: RecordStore) -> None:
    lab = await admitted(store)
    found = await StoredRecords(store).execution(lab.execution_id)

    assert (found.session, found.namespace, found.chip) == ("morning", "lab", "fridge-a")
    assert (found.username, found.note, found.tags) == ("alice", "after the warm-up", ("nightly",))
    assert SessionSpec.model_validate(found.session_spec) == lab.admission.spec
    assert found.chip_spec["backend"] == {"config": {"seed": 7}, "name": "fake"}
    assert found.created_at == NOON


async def test_what_is_not_there_is_named_with_what_is_close(store: RecordStore) -> None:
    records = StoredRecords(store)
    with pytest.raises(NotRecordedError, match=r"there is no execution '20261123-000' here: there is none yet"):
        await records.execution("20261123-000")
    lab = await admitted(store)
    near = lab.execution_id[:-1] + "7"
    for question in (records.execution, records.tasks, records.results):
        with pytest.raises(NotRecordedError, match=f"no execution '{near}' here: did you mean {lab.execution_id}"):
            await question(near)
    with pytest.raises(NotRecordedError, match=r"no execution '.*' in project 'other': there is none yet"):
        await records.results(lab.execution_id, project="other")
    with pytest.raises(NotRecordedError, match=r"nothing is recorded of a chip 'fridge-b' here: did you mean fridge-a"):
        await records.parameters("fridge-b")
    with pytest.raises(NotRecordedError, match="no result 'abc'"):
        await records.result("abc")


async def test_a_database_that_is_away_is_said(store: RecordStore) -> None:
    away = StoredRecords(RecordStore("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"))
    with pytest.raises(RecordsError, match=r"MongoDB at 127\.0\.0\.1:1 does not answer"):
        await away.executions()


# ---------------------------------------------------------------- attempts


async def test_tasks_come_in_the_plans_order_with_those_that_have_not_begun(store: RecordStore) -> None:
    tasks = [planned("CheckT1", target) for target in ("10", "2", "0")]
    lab = await admitted(store, *tasks, on_coupling())
    await lab.attempt(tasks[1]).claim(NOON)

    found = await StoredRecords(store).tasks(lab.execution_id)

    assert [one.target for one in found] == ["0", "2", "10", "0-1"]
    assert [one.status for one in found] == ["scheduled", "running", "scheduled", "scheduled"]


async def test_results_come_in_the_order_in_which_they_ended(store: RecordStore) -> None:
    tasks = [planned("CheckT1", target) for target in ("0", "1", "2")]
    lab = await admitted(store, *tasks)
    for task, at in ((tasks[2], NOON), (tasks[0], LATER)):
        await lab.attempt(task).claim(at)
        await lab.attempt(task).ends_with(result(output(), measured_at=at))

    found = await StoredRecords(store).results(lab.execution_id)

    assert [(one.qid, one.status) for one in found] == [("2", "completed"), ("0", "completed"), ("1", "scheduled")]
    assert found[0].outputs == (
        OutputValue(name="t1", value=31.5, error=0.5, unit="us", description="Energy relaxation time"),
    )
    assert await StoredRecords(store).result(found[0].task_id) == found[0]


async def test_a_long_answer_is_whole_however_many_pages_it_takes(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 2)
    tasks = [planned(name, target) for name in ("CheckT1", "CheckRabi") for target in ("0", "1", "10")]
    lab = await admitted(store, *tasks, on_mux())
    records = StoredRecords(store)

    expected = {(task.key.task, judged) for task in lab.admission.plan.tasks for judged in task.judged}
    for rows in (await records.tasks(lab.execution_id), await records.results(lab.execution_id)):
        assert len(rows) == len(expected) == 9
        assert {(row.task, row.qid) for row in rows} == expected


async def test_a_superseded_attempt_stays_beside_the_one_that_came_after(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.control.next_attempts([lab.give_up(trouble=Trouble.DISRUPTION)], LATER)
    found = await StoredRecords(store).tasks(lab.execution_id)
    assert [(one.attempt, one.superseded) for one in found] == [(1, True), (2, False)]


async def test_numbers_that_are_none_survive_json(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(NOON)
    await lab.attempt().ends_with(replace(result(output()), metrics={"r2": float("nan"), "chi2": float("inf")}))
    (row,) = await StoredRecords(store).results(lab.execution_id)
    again = type(row).model_validate_json(row.model_dump_json(by_alias=True))
    assert str(again.metrics) == str(row.metrics) == "{'r2': nan, 'chi2': inf}"


# ---------------------------------------------------------------- parameters


async def test_current_values_say_where_they_come_from(store: RecordStore) -> None:
    lab = await measured_at(store, 31.5)
    await carried_out(store, SET, LATER)

    found = {(one.target, one.name): one for one in await StoredRecords(store).parameters("fridge-a")}

    assert list(found) == [("0", "t1"), ("0-1", "zx90_gate_time")]
    t1 = found["0", "t1"]
    assert (t1.value, t1.unit, t1.by_hand, t1.task, t1.measured_at) == (20.0, "us", True, "Change", LATER)
    assert t1.execution_id != lab.execution_id


async def test_a_history_keeps_what_was_taken_back(store: RecordStore) -> None:
    first = await measured_at(store, 31.5)
    second = await measured_at(store, 33.0, LATER)
    await carried_out(store, RevertExecution(execution_id=second.execution_id), LATEST)
    records = StoredRecords(store)

    history = await records.history("fridge-a", "0", "t1")

    assert [(one.value, one.execution_id, one.task, one.reverted) for one in history] == [
        (33.0, second.execution_id, "CheckT1", True),
        (31.5, first.execution_id, "CheckT1", False),
    ]
    assert [one.value for one in await records.history("fridge-a", "0", "t1", limit=1)] == [33.0]
    assert [one.value for one in await records.parameters("fridge-a")] == [31.5]
    assert not await records.history("fridge-a", "0", "t2_echo")


@pytest.mark.parametrize(
    ("moment", "value"),
    [(-1, []), (0, [31.5]), (4, [31.5]), (5, [33.0]), (9, [33.0]), (11, [31.5])],
)
async def test_what_was_current_at_a_moment_is_told_also_after_a_revert(
    store: RecordStore, moment: int, value: list[float]
) -> None:
    await measured_at(store, 31.5, NOON)
    second = await measured_at(store, 33.0, LATER)
    await carried_out(store, RevertExecution(execution_id=second.execution_id), LATEST)
    found = await StoredRecords(store).parameters_at("fridge-a", NOON + timedelta(minutes=moment))
    assert [one.value for one in found] == value


async def test_many_targets_take_several_pages_and_come_in_order(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TARGETS_A_PAGE", 2)
    targets = ["0", "1", "2", "3", "10"]
    await measured(store, *(planned("CheckT1", target) for target in targets), t1=30.0)
    await carried_out(store, SET, LATER)
    records = StoredRecords(store)
    for found in (
        await records.parameters("fridge-a"),
        await records.parameters_at("fridge-a", LATEST),
    ):
        assert [one.target for one in found] == [*targets, "0-1"]


async def test_chips_that_were_ever_used_are_known_with_their_size(store: RecordStore) -> None:
    assert await StoredRecords(store).chips() == {}
    await admitted(store)
    assert await StoredRecords(store).chips() == {"fridge-a": 4}


# ---------------------------------------------------------------- files


async def test_figures_of_an_execution_come_in_the_form_that_is_asked_for(store: RecordStore) -> None:
    tasks = [planned("CheckT1", target) for target in ("0", "1")]
    lab = await admitted(store, *tasks)
    for task in tasks:
        await lab.attempt(task).claim(NOON)
        drawn = replace(result(output()), figures=(figure(task.key.target),))
        await lab.attempt(task).ends_with(drawn)
    records = StoredRecords(store)

    found = {form: [content async for _, content in records.figures(lab.execution_id, form=form)] for form in FORMS}

    assert found["svg"] == [b"<svg>0</svg>", b"<svg>1</svg>"]
    assert [content[:4] for content in found["png"]] == [b"\x89PNG"] * 2
    assert found["json"] == [b'{"title": "0"}', b'{"title": "1"}']
    (row, _) = await records.results(lab.execution_id)
    assert await records.file(row.figure_ids[0]) == b"<svg>0</svg>"


async def test_a_file_that_is_not_there_is_said(store: RecordStore) -> None:
    with pytest.raises(NotRecordedError, match=r"file abc-t1\.svg is not stored"):
        await StoredRecords(store).file("abc-t1.svg")


# ---------------------------------------------------------------- indexes


def served(command: dict[str, Any]) -> bool:
    """Whether an index finds what is asked for, in the order that is asked for; Any: a command."""
    equal = {name for name, value in command["filter"].items() if not isinstance(value, dict) or "$in" in value}
    order = [(name, direction) for name, direction in command.get("sort", {}).items() if name not in equal]
    for keys in ([("_id", 1)], *(list(index.document["key"].items()) for index in COLLECTIONS[command["find"]])):
        first, then = keys[: len(equal)], keys[len(equal) : len(equal) + len(order)]
        turned = {one * other for (_, one), (_, other) in zip(order, then, strict=False)}
        same = [name for name, _ in order] == [name for name, _ in then]
        if {name for name, _ in first} == equal and same and len(turned) <= 1:
            return True
    return False


async def test_every_question_is_served_by_an_index(mongodb_uri: str) -> None:
    seen = Finds()
    store = RecordStore(mongodb_uri, listeners=[seen])
    await store.ensure_indexes()
    lab = await measured_at(store, 31.5)
    records = StoredRecords(store)
    seen.commands.clear()

    for asked in ({}, {"chip": "fridge-a"}, {"session": "morning"}, {"tag": "nightly"}):
        await records.executions(**asked, before=LATEST)  # type: ignore[arg-type]
    await records.tasks(lab.execution_id)
    (row,) = await records.results(lab.execution_id)
    await records.result_page(lab.execution_id, "default", f"0/{row.task_id}")
    await records.result(row.task_id)
    await records.parameters("fridge-a")
    await records.parameters_at("fridge-a", LATER)
    await records.history("fridge-a", "0", "t1")
    await records.chips()
    [one async for one in records.figures(lab.execution_id)]
    for question in (records.execution("20200101-000"), records.file("abc-t1.svg"), records.history("b", "0", "t1")):
        with pytest.raises(NotRecordedError):
            await question
    await store.close()

    assert len(seen.commands) > 15
    assert [command for command in seen.commands if not served(command)] == []


@pytest.mark.parametrize(
    ("command", "is_served"),
    [
        ({"find": "qubit", "filter": {"project_id": "a", "chip_id": "b"}, "sort": {"qid": 1}}, True),
        ({"find": "qubit", "filter": {"chip_id": "b"}}, False),
        ({"find": "qubit", "filter": {"project_id": "a"}, "sort": {"qid": 1}}, False),
        ({"find": "fs.files", "filter": {"length": 3}}, False),
    ],
)
def test_what_no_index_serves_is_seen(command: dict[str, Any], is_served: bool) -> None:
    assert served(command) is is_served


class Finds(CommandListener):
    """Remembers what was looked for."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []  # Any: a command

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "find":
            session = ("lsid", "$db", "$clusterTime", "readConcern", "$readPreference", "maxTimeMS", "txnNumber")
            self.commands.append({name: value for name, value in event.command.items() if name not in session})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to do."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to do."""
