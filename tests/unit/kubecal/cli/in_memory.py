"""A lab that is kept in memory, and builders of what it answers."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, TypeVar

from kubecal.api.chip import Chip
from kubecal.api.explanation import SessionExplanation
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import SessionStatus
from kubecal.cli.answering import NotDoneError, Work, failed
from kubecal.cli.exit_codes import STOPPED
from kubecal.cli.form import Form
from kubecal.cli.screen import Screen
from kubecal.lab.lab import Change, LabError, NotFoundInLabError, RefusedError, Sight, StandingChip, StandingSession
from kubecal.reading.answers import Execution, ExecutionDetail, OutputValue, ParameterValue, Result, TaskState
from kubecal.reading.records import DEFAULT_PROJECT, FigureForm, NotRecordedError, RecordsError

_Named = TypeVar("_Named", StandingChip, StandingSession)
MORNING = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)

# Any: builders take whatever the models take.


def an_execution(number: int = 0, **changes: Any) -> ExecutionDetail:
    began = MORNING + timedelta(hours=number)
    body: dict[str, Any] = {
        "execution_id": f"20261125-{number:03}",
        "project_id": DEFAULT_PROJECT,
        "chip": "fridge-a",
        "session": "morning",
        "namespace": "",
        "session_uid": f"uid-{number}",
        "flow_name": "morning",
        "username": "alice",
        "status": "completed",
        "phase": "Completed",
        "counts": {"planned": 2, "succeeded": 2, "failed": 0, "skipped": 0, "cancelled": 0},
        "created_at": began,
        "started_at": began,
        "ended_at": began + timedelta(seconds=33),
        "chip_spec": CHIP["spec"],
        "session_spec": SESSION["spec"],
        "hardware_id": "fridge-a",
        "time_zone": "UTC",
        "image": "local",
        "catalogue_hash": "0" * 64,
    }
    return ExecutionDetail(**{**body, **changes})


def a_result(task: str = "CheckT1", qid: str = "0", *outputs: OutputValue, **changes: Any) -> Result:
    body: dict[str, Any] = {
        "task_id": f"{task}-{qid}-{changes.get('attempt', 1)}",
        "step": "check",
        "task": task,
        "target": qid,
        "qid": qid,
        "ordinal": 0,
        "attempt": 1,
        "status": "completed",
        "verdict": "ok",
        "execution_id": "20261125-000",
        "chip": "fridge-a",
        "outputs": outputs,
        "started_at": MORNING,
        "ended_at": MORNING + timedelta(seconds=11),
        "figure_ids": (f"abc-{task}-{qid}.svg", f"def-{task}-{qid}.png"),
    }
    return Result(**{**body, **changes})


def an_output(
    name: str = "t1", value: float = 22.19, error: float = 0.36, unit: str = "us", **more: Any
) -> OutputValue:
    return OutputValue(name=name, value=value, error=error, unit=unit, **more)


def a_value(
    target: str = "0", name: str = "t1", value: float = 22.19, error: float = 0.36, **more: Any
) -> ParameterValue:
    body = {"unit": "us", "measured_at": MORNING, "execution_id": "20261125-000", "task": "CheckT1", **more}
    return ParameterValue(target=target, name=name, value=value, error=error, **body)


CHIP: dict[str, Any] = {
    "apiVersion": "kubecal.io/v1alpha1",
    "kind": "Chip",
    "metadata": {"name": "fridge-a"},
    "spec": {
        "topology": {"squareLattice": {"rows": 2, "columns": 2, "muxSize": 4}},
        "backend": {"name": "fake", "config": {"seed": 7}},
    },
}
SESSION: dict[str, Any] = {
    "apiVersion": "kubecal.io/v1alpha1",
    "kind": "CalibrationSession",
    "metadata": {"name": "morning"},
    "spec": {
        "chip": "fridge-a",
        "targets": {"all": True},
        "steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}],
    },
}


def a_session(name: str = "morning", **status: Any) -> StandingSession:
    body = {"phase": "Completed", "progress": "2/2", "execution_id": "20261125-000", **status}
    return StandingSession(
        name=name,
        namespace="",
        uid=f"uid-{name}",
        created_at=MORNING,
        session=CalibrationSession.model_validate({**SESSION, "metadata": {"name": name}}),
        status=SessionStatus(**body),
    )


def a_chip(name: str = "fridge-a", **body: Any) -> StandingChip:
    spec = {**CHIP["spec"], **body.pop("spec", {})}
    return StandingChip(name, "", Chip.model_validate({**CHIP, "metadata": {"name": name}, "spec": spec, **body}))


@dataclass
class MemoryRecords:
    """Answers what it was given."""

    kept: Sequence[ExecutionDetail] = ()
    rows: Mapping[str, Sequence[Result]] = field(default_factory=dict)
    """By execution."""
    now: Sequence[ParameterValue] = ()
    past: Sequence[ParameterValue] = ()
    """Every value ever published, the newest first."""
    problem: RecordsError | None = None

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
        if self.problem:
            raise self.problem
        found = [
            one
            for one in self.kept
            if one.project_id == project
            and (not chip or one.chip == chip)
            and (not session or one.session == session)
            and (not tag or tag in one.tags)
            and (before is None or one.created_at < before)
        ]
        return sorted(found, key=lambda one: one.created_at, reverse=True)[:limit]

    async def execution(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> ExecutionDetail:
        for one in self.kept:
            if (one.execution_id, one.project_id) == (execution_id, project):
                return one
        raise NotRecordedError(f"there is no execution {execution_id}: the newest is 20261125-000")

    async def tasks(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[TaskState]:
        return self.rows.get(execution_id, ())

    async def results(self, execution_id: str, *, project: str = DEFAULT_PROJECT) -> Sequence[Result]:
        return self.rows.get(execution_id, ())

    async def result(self, task_id: str) -> Result:
        return next(row for rows in self.rows.values() for row in rows if row.task_id == task_id)

    async def parameters(self, chip: str, *, project: str = DEFAULT_PROJECT) -> Sequence[ParameterValue]:
        await self._known(chip, project)
        return self.now

    async def history(
        self, chip: str, target: str, name: str, *, project: str = DEFAULT_PROJECT, limit: int = 1_000
    ) -> Sequence[ParameterValue]:
        await self._known(chip, project)
        return [one for one in self.past if (one.target, one.name) == (target, name)][:limit]

    async def parameters_at(
        self, chip: str, moment: datetime, *, project: str = DEFAULT_PROJECT
    ) -> Sequence[ParameterValue]:
        await self._known(chip, project)
        newest: dict[tuple[str, str], ParameterValue] = {}
        for one in self.past:
            if one.measured_at <= moment:
                newest.setdefault((one.target, one.name), one)
        return list(newest.values())

    async def file(self, file_id: str) -> bytes:
        return f"content of {file_id}".encode()

    async def figures(
        self, execution_id: str, *, project: str = DEFAULT_PROJECT, form: FigureForm = "svg"
    ) -> AsyncIterator[tuple[str, bytes]]:
        for row in self.rows.get(execution_id, ()):
            for file_id in (*row.figure_ids, *row.json_figure_ids):
                if file_id.endswith(form):
                    yield file_id, await self.file(file_id)

    async def chips(self, *, project: str = DEFAULT_PROJECT) -> Mapping[str, int]:
        return {one.chip: 4 for one in self.kept if one.project_id == project}

    async def _known(self, chip: str, project: str) -> None:
        if chip not in await self.chips(project=project):
            raise NotRecordedError(f"there are no records of a chip {chip!r}")


@dataclass
class MemoryLab:
    """Shows what it was given."""

    records: MemoryRecords = field(default_factory=MemoryRecords)
    standing: Sequence[StandingSession] = ()
    known_chips: Sequence[StandingChip] = ()
    sights: Sequence[Sight] = ()
    explanation: SessionExplanation | None = None
    lines: Sequence[str] = ()
    problem: LabError | None = None
    where: str = "this computer"
    changes: list[tuple[str, Change]] = field(default_factory=list)

    async def chips(self) -> Sequence[StandingChip]:
        self._fail()
        return self.known_chips

    async def chip(self, name: str) -> StandingChip:
        return self._one(self.known_chips, name, "chip")

    async def sessions(self) -> Sequence[StandingSession]:
        self._fail()
        return self.standing

    async def session(self, name: str) -> StandingSession:
        return self._one(self.standing, name, "session")

    async def create(self, session: CalibrationSession, chip: Chip | None = None) -> StandingSession:
        raise RefusedError("nothing is created here")

    async def change(self, name: str, change: Change) -> StandingSession:
        self.changes.append((name, change))
        return await self.session(name)

    async def delete(self, name: str) -> None:
        raise RefusedError("nothing is deleted here")

    async def follow(self, name: str) -> AsyncIterator[Sight]:
        await self.session(name)
        for sight in self.sights:
            yield sight

    async def explain(self, name: str) -> SessionExplanation:
        await self.session(name)
        assert self.explanation is not None
        return self.explanation

    async def logs(self, name: str, *, task: str = "", target: str = "", follow: bool = False) -> AsyncIterator[str]:
        await self.session(name)
        for line in self.lines:
            yield line

    async def __aenter__(self) -> MemoryLab:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def _fail(self) -> None:
        if self.problem:
            raise self.problem

    def _one(self, there: Sequence[_Named], name: str, kind: str) -> _Named:
        self._fail()
        for one in there:
            if one.name == name:
                return one
        raise NotFoundInLabError(f"there is no {kind} {name!r} on this computer")


@dataclass(frozen=True)
class Answered:
    """What a verb said."""

    code: int
    out: str
    err: str


async def answer(lab: MemoryLab, work: Work, *, form: Form = Form.TABLE) -> Answered:
    """Carry a verb out in a lab, as ``carry_out`` does; widths as in a pipe."""
    out, err = StringIO(), StringIO()
    screen = Screen(out, err, form)
    try:
        code = await work(lab, screen)
    except (LabError, RecordsError, NotDoneError) as error:
        code = failed(screen, error)
    except asyncio.CancelledError:
        code = STOPPED + signal.SIGINT
    return Answered(code, _trimmed(out), _trimmed(err))


def _trimmed(text: StringIO) -> str:
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
