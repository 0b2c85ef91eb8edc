"""The records as the database has them. Every question finds what it asks for by an index."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from difflib import get_close_matches

from pymongo.asynchronous.database import AsyncDatabase

from kubecal.reading import rows
from kubecal.reading.answers import Execution, ExecutionDetail, ParameterValue, Result, TaskState
from kubecal.reading.order import by_end, by_target, in_plan_order
from kubecal.reading.pages import Page, gathered
from kubecal.reading.records import DEFAULT_PROJECT, FigureForm, NotRecordedError, RecordsError
from kubecal.records.documents import Document, entity_id
from kubecal.records.files import MissingFileError, read_file, read_files
from kubecal.records.store import RecordStore, RecordsUnavailable

TASKS_A_PAGE = 1_000
RESULTS_A_PAGE = 200
ROWS_AT_ONCE = 4_000
"""Of an answer that nobody has to hold in one piece: the embedded server sorts what is left for each."""
TARGETS_A_PAGE = 50
"""Qubits or couplings, each of which has some tens of parameters."""
MAX_EXECUTIONS = 500
MAX_HISTORY = 10_000
_FILES_OF = {"svg": "figure_path", "png": "figure_path", "json": "json_figure_path"}
_OURS = {"session_uid": {"$exists": True}}
"""What came from elsewhere says less than our answers do."""
_KINDS = ("qubit", "coupling")
"""Collections of current values, in the order in which they are gone through."""


class StoredRecords:
    """:class:`kubecal.reading.records.Records` and :class:`kubecal.reading.pages.Pages` over a connection."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    # ---------------------------------------------------------------- executions

    async def executions(
        self,
        *,
        project: str = DEFAULT_PROJECT,
        chip: str = "",
        session: str = "",
        tag: str = "",
        before: datetime | None = None,
        limit: int = 50,
    ) -> Sequence[Execution]:
        """The newest first, at most ``MAX_EXECUTIONS``."""
        wanted = {"chip_id": chip, "name": session, "tags": tag, "system_info.created_at": before and {"$lt": before}}
        query = {"project_id": project, **{name: value for name, value in wanted.items() if value}, **_OURS}
        newest = [("system_info.created_at", -1), ("execution_id", -1)]
        async with self._connected() as database:
            cursor = database.execution_history.find(query, rows.WITHOUT_SPECS)
            found = await cursor.sort(newest).limit(max(1, min(limit, MAX_EXECUTIONS))).to_list()
        return [rows.execution(document) for document in found]

    async def execution(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> ExecutionDetail:
        """One execution."""
        async with self._connected() as database:
            found = await database.execution_history.find_one(_execution(project, execution_id), {"facts": 0})
            if found is None or not _is_ours(found):
                raise NotRecordedError(await _no_execution(database, project, execution_id))
        return rows.execution_detail(found)

    async def tasks(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[TaskState]:
        """Every attempt of an execution in brief, in the plan's order."""
        spec = (await self.execution(execution_id, project=project)).session_spec
        found = await gathered(lambda after: self._tasks(execution_id, project, after, ROWS_AT_ONCE))
        return in_plan_order(found, spec)

    async def results(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[Result]:
        """Every attempt of an execution whole, in the order in which they ended."""
        return by_end(await gathered(lambda after: self._results(execution_id, project, after, ROWS_AT_ONCE)))

    async def task_page(self, execution_id: str, project: str, after: str) -> Page[TaskState]:
        """Attempts in brief, by what they judge."""
        return await self._tasks(execution_id, project, after, TASKS_A_PAGE)

    async def result_page(self, execution_id: str, project: str, after: str) -> Page[Result]:
        """Attempts whole, by what they judge."""
        return await self._results(execution_id, project, after, RESULTS_A_PAGE)

    async def _tasks(self, execution_id: str, project: str, after: str, size: int) -> Page[TaskState]:
        found, mark = await self._row_page(execution_id, project, after, size, rows.BRIEF)
        return Page(tuple(rows.task_state(row) for row in found), mark)

    async def _results(self, execution_id: str, project: str, after: str, size: int) -> Page[Result]:
        found, mark = await self._row_page(execution_id, project, after, size, None)
        return Page(tuple(rows.result(row) for row in found), mark)

    async def _row_page(
        self, execution_id: str, project: str, after: str, size: int, fields: Mapping[str, int] | None
    ) -> tuple[Sequence[Document], str]:
        """Rows of an execution in the order of their index, and the mark of the last."""
        key = _execution(project, execution_id)
        qid, _, identity = after.rpartition("/")
        # What is left of the mark's qubit, then what is behind it: each by the same index.
        parts: list[Document] = [{"qid": qid, "_id": {"$gt": identity}}, {"qid": {"$gt": qid}}] if after else [{}]
        found: list[Document] = []
        async with self._connected() as database:
            for part in parts:
                if len(found) < size:
                    cursor = database.task_result_history.find(key | part, fields).sort([("qid", 1), ("_id", 1)])
                    found += await cursor.limit(size - len(found)).to_list()
            if not found and not after and not await _is_recorded(database, project, execution_id):
                raise NotRecordedError(await _no_execution(database, project, execution_id))
        return found, f"{found[-1]['qid']}/{found[-1]['_id']}" if len(found) == size else ""

    async def result(self, task_id: str) -> Result:
        """One attempt by its id."""
        async with self._connected() as database:
            found = await database.task_result_history.find_one({"_id": task_id})
        if found is None or not _is_ours(found):
            raise NotRecordedError(f"there is no result {task_id!r}: the results of an execution tell their ids")
        return rows.result(found)

    # ---------------------------------------------------------------- parameters

    async def parameters(self, chip: str, *, project: str = DEFAULT_PROJECT) -> Sequence[ParameterValue]:
        """What is the chip's now."""
        return by_target(await gathered(lambda after: self.parameter_page(chip, project, after, None)))

    async def parameters_at(
        self, chip: str, moment: datetime, *, project: str = DEFAULT_PROJECT
    ) -> Sequence[ParameterValue]:
        """What was the chip's at a moment."""
        return by_target(await gathered(lambda after: self.parameter_page(chip, project, after, moment)))

    async def parameter_page(
        self, chip: str, project: str, after: str, moment: datetime | None
    ) -> Page[ParameterValue]:
        """Values of some qubits, or of some couplings."""
        kind, _, last = after.partition("/") if after else (_KINDS[0], "", "")
        if kind not in _KINDS:
            raise NotRecordedError(f"no page of parameters begins behind {after!r}: take the mark from the page before")
        place = {"project_id": project, "chip_id": chip}
        async with self._connected() as database:
            if not after:
                await _check_chip(database, project, chip)
            query = place | ({"qid": {"$gt": last}} if last else {})
            cursor = database[kind].find(query, {"qid": 1, "data": 1} if moment is None else {"qid": 1})
            found = await cursor.sort("qid", 1).limit(TARGETS_A_PAGE).to_list()
            values = await (_now(database, place, found) if moment is None else _at(database, place, found, moment))
        if len(found) == TARGETS_A_PAGE:
            return Page(values, f"{kind}/{found[-1]['qid']}")
        return Page(values, "" if kind == _KINDS[-1] else f"{_KINDS[-1]}/")

    async def history(
        self, chip: str, target: str, name: str, *, project: str = DEFAULT_PROJECT, limit: int = 1_000
    ) -> Sequence[ParameterValue]:
        """Every value of one parameter, the newest first, at most ``MAX_HISTORY``."""
        key = {"project_id": project, "chip_id": chip, "qid": target, "parameter_name": name}
        async with self._connected() as database:
            cursor = database.parameter_history.find(key).sort("calibrated_at", -1)
            found = await cursor.limit(max(1, min(limit, MAX_HISTORY))).to_list()
            if not found:
                await _check_chip(database, project, chip)
            versions = await _versions(database, [value["_id"] for value in found])
        return [rows.parameter_value(target, value, value["_id"], versions.get(value["_id"], {})) for value in found]

    async def chips(self, *, project: str = DEFAULT_PROJECT) -> Mapping[str, int]:
        """Names of chips, with how many qubits they have."""
        async with self._connected() as database:
            found = await database.chip.find({"project_id": project}, {"chip_id": 1, "size": 1}).to_list()
        return {chip["chip_id"]: chip["size"] for chip in sorted(found, key=lambda chip: str(chip["chip_id"]))}

    # ---------------------------------------------------------------- files

    async def file(self, file_id: str) -> bytes:
        """A figure or raw data."""
        async with self._connected():
            try:
                return await read_file(self._store, file_id)
            except MissingFileError as missing:
                raise NotRecordedError(str(missing)) from missing

    async def figures(
        self, execution_id: str, *, project: str = DEFAULT_PROJECT, form: FigureForm = "svg"
    ) -> AsyncIterator[tuple[str, bytes]]:
        """All figures of an execution in one form; one that several attempts share only once."""
        field = _FILES_OF[form]
        found: dict[str, None] = {}
        after = ""
        while True:
            page, after = await self._row_page(execution_id, project, after, TASKS_A_PAGE, {"qid": 1, field: 1})
            found.update(dict.fromkeys(one for row in page for one in row[field] if one.endswith(f".{form}")))
            if not after:
                break
        async with self._connected():
            async for file_id, content in read_files(self._store, [*found]):
                yield file_id, content

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncDatabase[Document]]:
        try:
            async with self._store.connected() as database:
                yield database
        except RecordsUnavailable as unavailable:
            raise RecordsError(unavailable.message) from unavailable


def _execution(project: str, execution_id: str) -> Document:
    return {"project_id": project, "execution_id": execution_id}


def _is_ours(document: Document) -> bool:
    return "session_uid" in document


async def _is_recorded(database: AsyncDatabase[Document], project: str, execution_id: str) -> bool:
    return await database.execution_history.find_one(_execution(project, execution_id), {"_id": 1}) is not None


async def _no_execution(database: AsyncDatabase[Document], project: str, execution_id: str) -> str:
    """What there is instead."""
    cursor = database.execution_history.find({"project_id": project, **_OURS}, {"execution_id": 1})
    newest = await cursor.sort([("system_info.created_at", -1), ("execution_id", -1)]).limit(MAX_EXECUTIONS).to_list()
    ids = [document["execution_id"] for document in newest]
    return f"there is no execution {execution_id!r} {_in(project)}" + _instead(execution_id, ids, "the newest are")


async def _check_chip(database: AsyncDatabase[Document], project: str, chip: str) -> None:
    """Raise NotRecordedError where no chip of this name was ever used."""
    if await database.chip.find_one({"project_id": project, "chip_id": chip}, {"_id": 1}) is not None:
        return
    known = await database.chip.find({"project_id": project}, {"chip_id": 1}).to_list()
    names = sorted(document["chip_id"] for document in known)
    raise NotRecordedError(
        f"nothing is recorded of a chip {chip!r} {_in(project)}" + _instead(chip, names, "there are")
    )


def _in(project: str) -> str:
    return "here" if project == DEFAULT_PROJECT else f"in project {project!r}"


def _instead(name: str, known: Sequence[str], several: str) -> str:
    if not known:
        return ": there is none yet"
    close = get_close_matches(name, known, n=3, cutoff=0.7)
    if close:
        return f": did you mean {' or '.join(close)}?"
    return f": {several if len(known) > 1 else 'there is'} {', '.join(known[:5])}" + (" ..." if len(known) > 5 else "")


async def _versions(database: AsyncDatabase[Document], entities: Sequence[str]) -> Mapping[str, Document]:
    if not entities:
        return {}
    query = {"entity_id": {"$in": list(entities)}}
    fields = {"_id": 0, "entity_id": 1, "task_name": 1, "reverted_at": 1}
    found = await database.parameter_versions.find(query, fields).to_list()
    return {version["entity_id"]: version for version in found}


async def _now(
    database: AsyncDatabase[Document], place: Document, targets: Sequence[Document]
) -> tuple[ParameterValue, ...]:
    """Current values, with which task they are of."""
    values = {
        entity_id(name, place["chip_id"], each["qid"], value["execution_id"], value["task_id"]): (each["qid"], value)
        for each in targets
        for name, value in each["data"].items()
    }
    versions = await _versions(database, [*values])
    return tuple(
        rows.parameter_value(qid, value, entity, versions.get(entity, {})) for entity, (qid, value) in values.items()
    )


async def _at(
    database: AsyncDatabase[Document], place: Document, targets: Sequence[Document], moment: datetime
) -> tuple[ParameterValue, ...]:
    """Values that were current at a moment. One that was current again after another was taken back has two
    versions that say so: the higher number was."""
    if not targets:
        return ()
    among = {**place, "qid": {"$in": [each["qid"] for each in targets]}, "valid_from": {"$lte": moment}}
    newest: dict[tuple[str, str], Document] = {}
    for until in (None, {"$gt": moment}):
        async for version in database.parameter_versions.find({**among, "valid_until": until}):
            key = (version["qid"], version["parameter_name"])
            if key not in newest or version["version"] > newest[key]["version"]:
                newest[key] = version
    return tuple(
        rows.parameter_value(qid, version, version["entity_id"], version) for (qid, _), version in newest.items()
    )
