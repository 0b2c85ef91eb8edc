"""A lab in memory: it plans nothing and measures nothing, but a session comes and goes in it as in any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.chip import Chip
from kubecal.api.conditions import Condition, ConditionStatus, ConditionType
from kubecal.api.naming import task_id
from kubecal.api.session import CalibrationSession, SessionSpec
from kubecal.api.session_status import Phase, SessionStatus, StepStatus
from kubecal.api.steps import Step
from kubecal.lab.lab import Change, NotFoundInLabError, RefusedError, Sight, StandingChip, StandingSession
from kubecal.reading.answers import Execution, OutputValue, ParameterValue, Result, TaskState
from kubecal.reading.records import NotRecordedError
from kubecal.service.place import Place
from tests.unit.kubecal.service.script import OK, Answer

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Standing:
    """One session and what came of it."""

    session: CalibrationSession
    execution_id: str
    chip: Chip
    phase: Phase = Phase.RUNNING
    message: str = ""
    results: list[Result] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    generation: int = 1

    @property
    def spec(self) -> SessionSpec:
        return self.session.spec


class MemoryLab:
    """Every task ends at once, as the script says; one that hangs runs until its session is cancelled or fails."""

    where = "a lab in memory"

    def __init__(
        self,
        *chips: Chip,
        script: Mapping[str, Answer | Sequence[Answer]] | None = None,
        queued: bool = False,
    ) -> None:
        self._chips = {chip.metadata.name: chip for chip in chips}
        self._script = {name: list(_sequence(answers)) for name, answers in (script or {}).items()}
        self._queued = queued
        self._changed = asyncio.Event()
        self.standing: dict[str, Standing] = {}
        self.parameters_set: dict[tuple[str, str], ParameterValue] = {}
        self.opened = 0
        self.changes: list[Change] = []

    # ------------------------------------------------------------------ protocol Lab

    async def __aenter__(self) -> Self:
        self.opened += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self.opened -= 1

    @property
    def records(self) -> Self:
        assert self.opened, "nobody looks into the records of a lab that is closed"
        return self

    async def chip(self, name: str) -> StandingChip:
        if name not in self._chips:
            raise NotFoundInLabError(f"there is no chip {name!r} in {self.where}: there is {', '.join(self._chips)}")
        return StandingChip(name, "", self._chips[name])

    async def chips(self) -> Sequence[StandingChip]:
        return [StandingChip(name, "", chip) for name, chip in self._chips.items()]

    async def sessions(self) -> Sequence[StandingSession]:
        return [self._shown(name) for name in self.standing]

    async def session(self, name: str) -> StandingSession:
        if name not in self.standing:
            raise NotFoundInLabError(f"there is no session {name!r}")
        return self._shown(name)

    async def create(self, session: CalibrationSession, chip: Chip | None = None) -> StandingSession:
        name = session.metadata.name
        if chip is not None:
            self._chips[chip.metadata.name] = chip
        execution_id = session.spec.execution_id or f"20261123-{len(self.standing):03d}"
        phase = Phase.QUEUED if self._queued else Phase.RUNNING
        self.standing[name] = Standing(session, execution_id, self._chips[session.spec.chip], phase)
        if self._queued:
            self.standing[name].message = "waits for session evening"
        self._tell()
        return self._shown(name)

    async def change(self, name: str, change: Change) -> StandingSession:
        standing = self.standing[name]
        self.changes.append(change)
        if standing.phase.final:
            raise RefusedError(f"session {name!r} has ended ({standing.phase})")
        spec = standing.spec.model_dump(by_alias=True, exclude_none=True, mode="json")
        spec["steps"] = [*spec["steps"], *change.append_steps]
        names = [step["name"] for step in spec["steps"]]
        if len(set(names)) < len(names):
            raise RefusedError("spec.steps: two steps have the same name")
        if change.note is not None:
            spec["note"] = change.note
        standing.session = standing.session.model_copy(update={"spec": SessionSpec.model_validate(spec)})
        standing.generation += 1
        for step in standing.spec.steps[len(standing.spec.steps) - len(change.append_steps) :]:
            self._run(standing, step)
        self._end(standing, change)
        self._tell()
        return self._shown(name)

    async def follow(self, name: str) -> AsyncIterator[Sight]:
        while True:
            changed, standing = self._changed, self.standing[name]
            yield Sight(self._shown(name), standing.chip, tuple(standing.results), NOW)
            if standing.phase.final:
                return
            await changed.wait()

    # ------------------------------------------------------------------ protocol Records

    async def execution(self, execution_id: str, *, project: str = "default") -> Execution:
        for name, standing in self.standing.items():
            if standing.execution_id == execution_id:
                return Execution(
                    execution_id=execution_id,
                    project_id=project,
                    chip=standing.spec.chip,
                    session=name,
                    namespace="",
                    session_uid=name,
                    flow_name=standing.spec.flow_name,
                    username=standing.spec.username,
                    status="completed" if standing.phase.final else "running",
                    phase=standing.phase,
                    created_at=NOW,
                )
        raise NotRecordedError(f"there is no execution {execution_id}")

    async def result(self, task_id: str) -> Result:
        return next(one for each in self.standing.values() for one in each.results if one.task_id == task_id)

    async def tasks(self, execution_id: str, *, project: str = "default") -> Sequence[TaskState]:
        return await self.results(execution_id)

    async def results(self, execution_id: str, *, project: str = "default") -> Sequence[Result]:
        return next(one.results for one in self.standing.values() if one.execution_id == execution_id)

    async def parameters(self, chip: str, *, project: str = "default") -> Sequence[ParameterValue]:
        return list(self.parameters_set.values())

    async def file(self, file_id: str) -> bytes:
        return f"<svg>{file_id}</svg>".encode()

    # ------------------------------------------------------------------ what happens

    async def until(self, met: Callable[[], object]) -> None:
        """Wait for something to be so."""
        while not met():
            await self._changed.wait()

    def let_run(self, name: str) -> None:
        """The chip is free for it."""
        self.standing[name].phase, self.standing[name].message = Phase.RUNNING, ""
        self._tell()

    def end(self, name: str, phase: Phase, message: str) -> None:
        """Somebody else ends it."""
        self.standing[name].phase, self.standing[name].message = phase, message
        self._tell()

    def _run(self, standing: Standing, step: Step) -> None:
        known = built_in_catalogue().task_by_name
        unknown = [entry.task for entry in step.tasks if entry.task not in known]
        if unknown:
            why = f"spec.steps[{len(standing.spec.steps) - 1}].tasks[0].task: there is no task {unknown[0]!r}"
            standing.left_out[step.name] = why
            return
        for target, values in (step.set.by_id if step.set is not None else {}).items():
            for name, given in values.items():
                self.parameters_set[target, name] = _parameter(target, name, given.value, given.error)
            standing.results.append(_result(standing, step.name, "set", target, 1, OK))
        for target in _ids(standing.spec, step) if step.tasks else ():
            for ordinal, entry in enumerate(step.tasks):
                self._attempts(standing, step.name, entry.task, target, ordinal)

    def _attempts(self, standing: Standing, step: str, task: str, target: str, ordinal: int) -> None:
        answers = self._script.get(f"{task}/{target}") or self._script.get(task) or [OK]
        for attempt, answer in enumerate(answers, 1):
            result = _result(standing, step, task, target, attempt, answer)
            standing.results.append(result.model_copy(update={"ordinal": ordinal}))
            for output in result.outputs if answer.status == "completed" else ():
                value = _parameter(target, output.name, output.value, output.error)
                self.parameters_set[target, output.name] = value

    def _end(self, standing: Standing, change: Change) -> None:
        failed = any(one.status == "failed" for one in standing.results)
        if change.cancel:
            standing.phase, standing.message = Phase.CANCELLED, "the session was cancelled"
        elif change.outcome is not None:
            standing.phase, standing.message = Phase.FAILED, change.outcome["message"]
        elif change.open is False:
            standing.phase = Phase.PARTIALLY_FAILED if failed else Phase.COMPLETED
        if standing.phase.final:
            hang = ("running", "scheduled")
            ended = {"status": "cancelled", "message": "the session was cancelled"}
            standing.results = [one.model_copy(update=ended) if one.status in hang else one for one in standing.results]

    def _shown(self, name: str) -> StandingSession:
        standing = self.standing[name]
        steps = [
            StepStatus(name=step.name, phase="Running" if self._runs(standing, step.name) else "Finished")
            for step in standing.spec.steps
            if step.name not in standing.left_out
        ]
        problem = "; ".join(f"step {step!r} is left out: {why}" for step, why in standing.left_out.items())
        valid = Condition(
            type=ConditionType.VALID,
            status=ConditionStatus.FALSE if problem else ConditionStatus.TRUE,
            reason="Invalid" if problem else "Valid",
            message=problem,
            last_transition_time=NOW,
        )
        status = SessionStatus(
            observed_generation=standing.generation,
            execution_id="" if standing.phase is Phase.QUEUED else standing.execution_id,
            phase=standing.phase,
            message=standing.message,
            steps=tuple(steps),
            conditions=(valid,),
        )
        return StandingSession(name, "", name, NOW, standing.session, status)

    @staticmethod
    def _runs(standing: Standing, step: str) -> bool:
        return any(one.step == step and one.status == "running" for one in standing.results)

    def _tell(self) -> None:
        told, self._changed = self._changed, asyncio.Event()
        told.set()


def place(lab: MemoryLab, *, makes_chips: bool = True) -> Place:
    """The lab as a program finds it."""
    return Place(lab, built_in_catalogue(), makes_chips=makes_chips)  # type: ignore[arg-type]


def _sequence(answers: Answer | Sequence[Answer]) -> Sequence[Answer]:
    return (answers,) if isinstance(answers, Answer) else answers


def _ids(spec: SessionSpec, step: Step) -> Sequence[str]:
    targets = step.targets or spec.targets
    if targets.chip:
        return ("chip",)
    return targets.couplings.ids if targets.couplings is not None else targets.qubits


def _result(standing: Standing, step: str, task: str, target: str, attempt: int, answer: Answer) -> Result:
    qid = "" if target == "chip" else target
    return Result(
        task_id=task_id(standing.session.metadata.name, step, task, target, 0, attempt, qid),
        step=step,
        task=task,
        target=target,
        qid=qid,
        ordinal=0,
        attempt=attempt,
        status=answer.status,
        verdict=answer.verdict,
        message=answer.message,
        execution_id=standing.execution_id,
        chip=standing.spec.chip,
        outputs=tuple(
            OutputValue(name=name, value=value, error=value / 100, unit="us") for name, value in answer.values.items()
        ),
        metrics={"r2": 0.99},
        figure_ids=("picture-svg", "picture-png"),
    )


def _parameter(target: str, name: str, value: float, error: float) -> ParameterValue:
    return ParameterValue(target=target, name=name, value=value, error=error, unit="us", measured_at=NOW)
