import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent

from kubecal.records import retention
from kubecal.records.files import MissingFileError, read_file, store_files
from kubecal.records.results import AttemptResult, CrashReport, FileContent
from kubecal.records.retention import Pruned, prune, server_time
from kubecal.records.store import Document, RecordStore
from tests.unit.kubecal.records.builders import Attempt, Lab, admitted, on_mux, output, planned, request, result

NOW = datetime.now(UTC).replace(microsecond=0)
OLD = NOW - timedelta(days=40)
YOUNG = NOW - timedelta(days=20)
KEEP = timedelta(days=30)


def raw(text: str) -> FileContent:
    """Raw data of several chunks."""
    return FileContent("raw.npz", "application/octet-stream", text.encode() * (600_000 // len(text)))


def outcome(ended: datetime, *files: FileContent) -> AttemptResult:
    return replace(result(output(), files=True, measured_at=ended), raw_data=files)


async def measured(store: RecordStore, ended: datetime, *files: FileContent) -> Lab:
    """A session of one attempt that left these raw data."""
    lab = await admitted(store)
    await lab.attempt().claim(ended)
    await lab.attempt().ends_with(outcome(ended, *files))
    return lab


async def days_pass(store: RecordStore) -> None:
    """All files that are there were stored two days ago."""
    async with store.connected() as database:
        await database["fs.files"].update_many({}, {"$set": {"stored_at": NOW - timedelta(days=2)}})


async def prune_now(store: RecordStore) -> Pruned:
    return await prune(store, KEEP, await server_time(store))


async def is_there(store: RecordStore, file: FileContent) -> bool:
    try:
        return await read_file(store, file.file_id) == file.content
    except MissingFileError:
        return False


async def documents(store: RecordStore, collection: str, **key: object) -> list[Document]:
    async with store.connected() as database:
        return await database[collection].find(key).to_list()


# ---------------------------------------------------------------- what goes, what stays


async def test_old_raw_data_goes_and_everything_else_stays(store: RecordStore) -> None:
    old, young = await measured(store, OLD, raw("old")), await measured(store, YOUNG, raw("young"))
    await days_pass(store)
    before = await old.row()

    pruned = await prune_now(store)

    assert (pruned.files, pruned.size_bytes) == (1, 600_000)
    assert not await is_there(store, raw("old"))
    assert await documents(store, "fs.chunks", files_id=raw("old").file_id) == []
    assert await is_there(store, raw("young"))
    after = await old.row()
    assert after.pop("raw_data_pruned_at") >= NOW
    assert after == before, "a row keeps all that it said"
    assert "raw_data_pruned_at" not in await young.row()
    for figure in (*after["figure_path"], *after["json_figure_path"]):
        assert await read_file(store, figure)
    assert after["output_parameters"]["t1"]["value"] == output().value


async def test_a_run_that_finds_nothing_old_changes_nothing(store: RecordStore) -> None:
    await measured(store, OLD, raw("old"))
    await days_pass(store)
    await prune_now(store)
    rows = await documents(store, "task_result_history")

    assert (await prune_now(store)).files == 0
    assert await documents(store, "task_result_history") == rows


async def test_raw_data_that_was_pruned_is_told_from_what_never_was(store: RecordStore) -> None:
    lab = await measured(store, OLD, raw("old"))
    await days_pass(store)
    await prune_now(store)

    day = f"{(await lab.row())['raw_data_pruned_at']:%Y-%m-%d}"
    with pytest.raises(MissingFileError) as pruned:
        await read_file(store, raw("old").file_id)
    assert str(pruned.value) == (
        f"raw data raw.npz of CheckT1 on 0 in execution {lab.execution_id} was pruned on {day}: results and figures "
        "are kept, raw data for as many days as the chart's records.rawRetentionDays says"
    )
    with pytest.raises(MissingFileError, match=r"file .*-raw\.npz is not stored: take its id from"):
        await read_file(store, raw("never").file_id)


async def test_what_a_younger_attempt_refers_to_goes_with_that_attempt(store: RecordStore) -> None:
    shared, own = raw("shared"), raw("own")
    old, young = await measured(store, OLD, shared, own), await measured(store, YOUNG, shared)
    await days_pass(store)

    assert (await prune_now(store)).files == 1
    assert await is_there(store, shared)
    assert not await is_there(store, own)
    assert "raw_data_pruned_at" not in await old.row(), "some of it is there"

    assert (await prune(store, KEEP, NOW + timedelta(days=20))).files == 1
    assert not await is_there(store, shared)
    assert {"raw_data_pruned_at"} <= set(await old.row()) & set(await young.row())


async def test_what_several_rows_of_an_old_attempt_share_is_removed_once(store: RecordStore) -> None:
    task = on_mux()
    lab = await admitted(store, task)
    await lab.attempt().claim(OLD)
    await lab.attempt().ends_with(outcome(OLD, raw("of the mux")))
    await days_pass(store)

    assert (await prune_now(store)).files == 1
    assert all("raw_data_pruned_at" in row for row in (await lab.rows(task)).values())


async def test_what_an_attempt_left_that_has_not_ended_stays(store: RecordStore) -> None:
    lab = await admitted(store)
    await lab.attempt().claim(OLD)
    await lab.attempt().crashed(CrashReport("TaskError", "division by zero", raw_data=(raw("crash"),)), OLD)
    await measured(store, OLD, raw("crash"))
    await days_pass(store)

    assert (await prune_now(store)).files == 0
    assert await is_there(store, raw("crash"))


async def test_a_file_that_somebody_stored_within_the_last_day_stays(store: RecordStore) -> None:
    lab = await measured(store, OLD, raw("again"))
    await days_pass(store)
    # Its row comes later than this run: nobody knows of it yet but the file's mark.
    await store_files(store, [raw("again")], {}, NOW)

    assert (await prune_now(store)).files == 0
    assert await is_there(store, raw("again"))
    assert "raw_data_pruned_at" not in await lab.row()

    await days_pass(store)
    assert (await prune_now(store)).files == 1


async def test_rows_that_came_from_elsewhere_are_left_alone(store: RecordStore) -> None:
    foreign = {"_id": "elsewhere", "raw_data_path": ["/data/raw.csv"], "end_at": OLD}
    async with store.connected() as database:
        await database.task_result_history.insert_one(dict(foreign))

    await prune_now(store)

    assert await documents(store, "task_result_history") == [foreign]


async def test_many_rows_and_files_go_in_bounded_portions(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_ROWS", 2)
    monkeypatch.setattr(retention, "_FILES", 2)
    monkeypatch.setattr(retention, "_BYTES", 1_000_000)
    # Of one moment, so that only their ids tell where a page ended; the last is held and stays in every page's way.
    contents = [[raw(f"{session}, {part}") for part in range(3)] for session in range(5)]
    labs = [await measured(store, OLD, *files) for files in contents]
    await measured(store, YOUNG, contents[0][0])
    await days_pass(store)

    pruned = await prune_now(store)

    assert pruned.files == 14
    assert [("raw_data_pruned_at" in await lab.row()) for lab in labs] == [False, True, True, True, True]
    assert await documents(store, "fs.files", filename="raw.npz", _id={"$ne": contents[0][0].file_id}) == []


async def test_raw_data_is_kept_for_at_least_a_day(store: RecordStore) -> None:
    with pytest.raises(ValueError, match="at least a day, not for 1:00:00"):
        await prune(store, timedelta(hours=1), NOW)


@pytest.mark.parametrize(
    ("files", "size_bytes", "words"),
    [
        (120, 34 * 2**20, "removed 120 files, 34 MiB, of attempts that ended before 2026-10-26"),
        (1, 5_000, "removed 1 file, 5 KiB, of attempts that ended before 2026-10-26"),
        (0, 0, "removed 0 files, 0 KiB, of attempts that ended before 2026-10-26"),
    ],
)
def test_it_says_what_it_did(files: int, size_bytes: int, words: str) -> None:
    assert str(Pruned(files, size_bytes, datetime(2026, 10, 26, 3, 17, tzinfo=UTC))) == words


# ---------------------------------------------------------------- beside writers


class At(CommandListener):
    """Does something immediately before a connection's n-th command is sent."""

    def __init__(self, number: int, action: Callable[[], None]) -> None:
        self._left = number
        self._action = action
        self.happened = False

    def started(self, event: CommandStartedEvent) -> None:
        if self._left == 0:
            self.happened = True
            self._action()
        self._left -= 1

    def succeeded(self, event: object) -> None:
        pass

    def failed(self, event: object) -> None:
        pass


async def same_content_again(store: RecordStore, file: FileContent) -> Lab:
    """An old attempt left this file, and another attempt is about to store the same."""
    await measured(store, OLD, file)
    await days_pass(store)
    lab = await admitted(store)
    await lab.attempt().claim(NOW)
    return lab


async def finish(uri: str, lab: Lab, file: FileContent, *listeners: CommandListener) -> None:
    """End the other attempt, over a connection of its own."""
    store = RecordStore(uri, listeners=listeners)
    wanted = request(lab.admission, lab.execution_id, lab.admission.plan.tasks[0])
    await Attempt(store, wanted, "pod-1").ends_with(outcome(NOW, file))
    await store.close()


async def prune_over(uri: str, *listeners: CommandListener) -> Pruned:
    """Prune over a connection of its own."""
    clock, store = RecordStore(uri), RecordStore(uri, listeners=listeners)
    pruned = await prune(store, KEEP, await server_time(clock))
    await clock.close()
    await store.close()
    return pruned


async def test_a_whole_run_at_any_moment_of_a_writer_takes_nothing_from_it(
    store: RecordStore, mongodb_uri: str
) -> None:
    removed: list[int] = []

    def run() -> None:
        removed.append(asyncio.run(prune_over(mongodb_uri)).files)

    def elsewhere() -> None:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    for number in range(100):
        file, at = raw(f"moment {number}"), At(number, elsewhere)
        lab = await same_content_again(store, file)
        await finish(mongodb_uri, lab, file, at)
        if not at.happened:
            break
        assert await is_there(store, file), f"removed before the writer's command {number}"
        assert (await lab.row())["raw_data_path"] == [file.file_id]
    # Before its first command nobody can know of the writer; from its mark on nothing was removed.
    assert removed == [1, *[0] * (number - 1)]
    assert number >= 6, "the mark, chunks, entries, what is there, the end, the commit"


async def test_a_whole_writer_at_any_moment_of_a_run_loses_nothing(store: RecordStore, mongodb_uri: str) -> None:
    for number in range(100):
        file = raw(f"moment {number}")
        lab = await same_content_again(store, file)
        writer = threading.Thread(target=lambda lab=lab, file=file: asyncio.run(finish(mongodb_uri, lab, file)))

        def write(writer: threading.Thread = writer) -> None:
            writer.start()
            # While the removal's transaction is open, the writer waits for it.
            writer.join(0.5)

        at = At(number, write)
        await prune_over(mongodb_uri, at)
        if not at.happened:
            break
        await asyncio.to_thread(writer.join)
        assert await is_there(store, file), f"a writer came before command {number}, and its file is gone"
        assert (await lab.row())["status"] == "completed"
    assert number >= 9, "rows, younger ones, files; in a transaction files, two deletions, commit; what is left, notes"


_DIES = """
import asyncio, os, sys
from datetime import datetime, timedelta
from pymongo.monitoring import CommandListener
from kubecal.records.retention import prune
from kubecal.records.store import RecordStore

uri, number, now = sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])

class Die(CommandListener):
    left = number
    def started(self, event):
        if self.left == 0:
            os._exit(9)
        self.left -= 1
    def succeeded(self, event): ...
    def failed(self, event): ...

asyncio.run(prune(RecordStore(uri, listeners=[Die()]), timedelta(days=30), now))
"""


async def end_transactions(store: RecordStore) -> None:
    """What a server does within a minute with those whose client was killed."""
    async with store.connected() as database:
        await database.client.admin.command("killAllSessions", [])


async def test_a_run_that_is_killed_at_any_moment_is_made_up_for_by_the_next(
    store: RecordStore, mongodb_uri: str
) -> None:
    for number in range(100):
        files = [raw(f"{part} of {number}") for part in range(2)]
        lab = await measured(store, OLD, *files)
        await days_pass(store)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _DIES, mongodb_uri, str(number), NOW.isoformat()
        )
        if await process.wait() == 0:
            break
        assert process.returncode == 9
        await end_transactions(store)
        there = {each["_id"] for each in await documents(store, "fs.files")}
        assert {each["files_id"] for each in await documents(store, "fs.chunks")} == there
        for file in files:
            assert await is_there(store, file) == (file.file_id in there)
        assert "raw_data_pruned_at" not in await lab.row() or not there & {file.file_id for file in files}

        await prune_now(store)
        assert [await is_there(store, file) for file in files] == [False, False]
        assert "raw_data_pruned_at" in await lab.row()
    assert number >= 9


async def test_two_runs_at_once_remove_the_same(store: RecordStore, mongodb_uri: str) -> None:
    labs = [await measured(store, OLD, raw(f"of {number}")) for number in range(4)]
    await days_pass(store)

    runs = await asyncio.gather(prune_over(mongodb_uri), prune_over(mongodb_uri))

    assert sum(run.files for run in runs) == 4
    assert all([("raw_data_pruned_at" in await lab.row()) for lab in labs])


async def test_another_attempt_of_the_same_session_is_judged_by_itself(store: RecordStore) -> None:
    tasks = (planned("CheckT1"), planned("CheckT2Echo"))
    lab = await admitted(store, *tasks)
    for task, ended in zip(tasks, (OLD, YOUNG), strict=True):
        await lab.attempt(task).claim(ended)
        await lab.attempt(task).ends_with(outcome(ended, raw(task.key.task)))
    await days_pass(store)

    assert (await prune_now(store)).files == 1
    assert [("raw_data_pruned_at" in await lab.row(task)) for task in tasks] == [True, False]
