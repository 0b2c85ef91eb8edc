"""A session that a program steers: it stays open, every call appends a step and waits for what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kubecal.api.actions import GivenValue
from kubecal.api.chip import Chip
from kubecal.api.conditions import ConditionStatus, ConditionType
from kubecal.api.model import Metadata
from kubecal.api.session import MAX_STEPS, CalibrationSession, SessionSpec
from kubecal.api.session_status import Phase, SessionStatus
from kubecal.lab.lab import Change, Lab, LabError, RefusedError, Sight, StandingSession
from kubecal.reading.answers import Result, TaskState
from kubecal.reading.attempts import last_attempts
from kubecal.service.errors import ServiceError, SessionOverError
from kubecal.service.names import free_name, session_name, step_name
from kubecal.service.patience import Patience
from kubecal.service.results import FigureFiles, TaskResult
from kubecal.service.values import Value
from kubecal.service.watch import Watch

CHIP = "chip"
"""The target of a task on the chip as a whole; so is the empty text."""
_MAX_MESSAGE = 1024
_CUT = 2_000
"""Characters from which on a condition's message may have lost what comes last."""
Step = Mapping[str, Any]
"""As a manifest writes it; Any: manifest values."""
Say = Callable[[str], None]


class SteeredSession:
    """One session of one lab, from its beginning (or from joining it) to its end."""

    def __init__(self, lab: Lab, standing: StandingSession, project: str, say: Say) -> None:
        self.lab, self.project, self._say = lab, project, say
        self.name = standing.name
        self.chip = standing.session.spec.chip
        self._spec = standing.session.spec
        self._names = {step.name for step in standing.session.spec.steps}
        self._watch = Watch(lab, standing.name, say)

    @classmethod
    async def begun(cls, lab: Lab, spec: SessionSpec, chip: Chip | None, project: str, say: Say) -> SteeredSession:
        """Create a session and wait until it holds its chip.

        Raises
        ------
        ServiceError
            If it never does: the message is the lab's.
        LabError
            If the lab refuses it, or cannot be asked.
        """
        name = session_name(spec.flow_name or spec.username)
        session = CalibrationSession(metadata=Metadata(name=name), spec=spec)
        self = cls(lab, await lab.create(session, chip), project, say)
        try:
            await self.take_up()
        except BaseException:
            # Nobody knows of it, so nobody else would end it.
            with suppress(LabError):
                await lab.change(name, Change(cancel=True))
            raise
        return self

    async def take_up(self) -> None:
        """Begin to follow it, and wait until it runs; what it waits for is said once."""
        self._watch.begin()
        waits = Patience(lambda message: self._say(f"session {self.name}: {message}"))

        def running(sight: Sight) -> bool | None:
            status = sight.session.status
            waits.hear(status.message if status.phase in (Phase.PENDING, Phase.QUEUED) else "")
            holds = status.phase in (Phase.RUNNING, Phase.SUSPENDED) and bool(status.execution_id)
            return True if holds or (status.phase is not None and status.phase.final) else None

        try:
            await self._watch.until(running)
        except BaseException:
            await self._watch.end()
            raise
        finally:
            waits.hear("")
        status = self.status
        if status.phase is not None and status.phase.final and not status.execution_id:
            await self._watch.end()
            raise ServiceError(f"session {self.name} was not begun: {status.message}")

    @property
    def status(self) -> SessionStatus:
        """Where it stands, as it was seen last."""
        return self._watch.sight.session.status if self._watch.sight is not None else SessionStatus()

    @property
    def execution_id(self) -> str:
        """``YYYYMMDD-NNN``."""
        return self.status.execution_id

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status.phase is not None and self.status.phase.final

    # ------------------------------------------------------------------ steps

    async def run_task(self, entry: Mapping[str, Any], target: str) -> TaskResult:
        """One task, as a step lists it, on one target, with its figures; raises what :meth:`run_steps` raises."""
        task = str(entry["task"])
        step = {"name": step_name(task), "tasks": [dict(entry)], "targets": step_targets(target)}
        (name,) = await self.run_steps([step])
        qid = "" if target in ("", CHIP) else target
        states = await self._last_attempts(name)
        state = next((one for one in states if one.qid == qid), None)
        if state is None:
            raise ServiceError(f"{task} on {target} left no result: see `kubecal explain {self.name}`")
        if self.over and state.status not in ("completed", "failed"):
            raise self._over_error()
        return await self.result(state, figures=True)

    async def run_steps(self, steps: Sequence[Step]) -> list[str]:
        """Append steps and wait until all of their tasks have ended, well or not.

        Returns
        -------
        list
            Their names, which are made unique.

        Raises
        ------
        SessionOverError
            If the session ended before them.
        ServiceError
            If a step cannot be planned.
        LabError
            If the lab refuses them, or cannot be asked.
        """
        if self.over:
            raise self._over_error()
        has = len(self._names)
        if has + len(steps) > MAX_STEPS:
            raise ServiceError(
                f"session {self.name} has {has} steps, and there are at most {MAX_STEPS}: finish it and begin another, "
                "or give many tasks at once with run(targets, steps)"
            )
        generation = self.status.observed_generation
        try:
            names = await self._append(steps)
        except RefusedError:
            # Whoever has joined the session may have appended steps of these names.
            known = {step.name for step in (await self.lab.session(self.name)).session.spec.steps}
            if known == self._names:
                raise
            self._names = known
            names = await self._append(steps)
        await self._wait_for(names, generation)
        return names

    async def _append(self, steps: Sequence[Step]) -> list[str]:
        names: list[str] = []
        for step in steps:
            names.append(free_name(step["name"], {*self._names, *names}))
        named = tuple({**step, "name": name} for step, name in zip(steps, names, strict=True))
        standing = await self.lab.change(self.name, Change(append_steps=named))
        self._names = {step.name for step in standing.session.spec.steps}
        return names

    async def wait_for_all(self) -> None:
        """Wait until the session has ended by itself."""
        await self._watch.until(lambda sight: None)

    async def _wait_for(self, names: Sequence[str], generation: int) -> None:
        """Until steps are done that were appended to a spec of this generation."""

        def settled(sight: Sight) -> str | bool | None:
            status = sight.session.status
            problem = next(filter(None, (_left_out(status, name, generation) for name in names)), "")
            if problem:
                return problem
            finished = {one.name for one in status.steps if one.phase == "Finished"}
            return True if finished.issuperset(names) else None

        found = await self._watch.until(settled)
        if isinstance(found, str):
            raise ServiceError(found)
        if found is None and not {one.name for one in self.status.steps}.issuperset(names):
            raise self._over_error()

    async def _last_attempts(self, step: str) -> list[TaskState]:
        """How each task of a step ended on each target, by its last attempt, in the plan's order.

        Asked anew: what is seen of a session's tasks may be older than what is seen of its steps.
        """
        tasks = await self.lab.records.tasks(self.execution_id, project=self.project)
        return last_attempts(one for one in tasks if one.step == step)

    def _over_error(self) -> SessionOverError:
        status = self.status
        how = f"{status.phase}: {status.message}" if status.message else str(status.phase)
        return SessionOverError(f"session {self.name} is over ({how}): begin another")

    # ------------------------------------------------------------------ records

    async def result(self, state: TaskState, *, figures: bool) -> TaskResult:
        """All there is of an attempt."""
        record = await self.lab.records.result(state.task_id)
        return TaskResult(record, await self.figures(record) if figures else ())

    async def figures(self, record: Result) -> tuple[FigureFiles, ...]:
        """What an attempt has drawn."""
        ids = record.figure_ids
        pairs = zip(ids[::2], ids[1::2], strict=False)
        return tuple(
            [FigureFiles(await self.lab.records.file(svg), await self.lab.records.file(png)) for svg, png in pairs]
        )

    async def parameter(self, target: str, name: str) -> Value | None:
        """The chip's current value; None: it has none."""
        values = await self.lab.records.parameters(self.chip, project=self.project)
        found = next((one for one in values if (one.target, one.name) == (target, name)), None)
        return Value.of(found) if found is not None else None

    async def set_parameter(self, target: str, name: str, value: float, error: float) -> None:
        """Make a value the chip's current one, recorded as set by hand; raises what :meth:`run_steps` raises."""
        given = GivenValue(value=value, error=error).model_dump()
        kind = "couplings" if "-" in target else "qubits"
        await self.run_steps([{"name": step_name("set"), "set": {kind: {target: {name: given}}}}])

    # ------------------------------------------------------------------ the end

    async def finish(self) -> SessionStatus:
        """Close it and wait for its end; its tasks decide how it ended."""
        return await self._end(Change(open=False))

    async def fail(self, message: str) -> SessionStatus:
        """End it as failed, and wait until what runs has stopped."""
        outcome: dict[str, str] = {"result": "Failed", "message": message[:_MAX_MESSAGE]}
        return await self._end(Change(outcome=outcome))

    async def cancel(self) -> SessionStatus:
        """Cancel it, and wait until what runs has stopped."""
        return await self._end(Change(cancel=True))

    async def annotate(self, note: str) -> None:
        """Replace its note."""
        await self.lab.change(self.name, Change(note=note))

    async def _end(self, change: Change) -> SessionStatus:
        """Change it so that it ends; one that has ended already stays as it is."""
        try:
            if not self.over:
                await self.lab.change(self.name, change)
                await self._watch.until(lambda sight: None)
        finally:
            await self._watch.end()
        return self.status


def step_targets(target: str) -> dict[str, Any]:
    """A target as a manifest writes it: a qubit, a coupling, or the chip."""
    if target in ("", CHIP):
        return {"chip": True}
    if "-" in target:
        return {"couplings": {"ids": [target]}}
    return {"qubits": [target]}


def _left_out(status: SessionStatus, name: str, generation: int) -> str:
    """Why a step was not planned; empty: it was, or nothing is known yet."""
    valid = next((one for one in status.conditions if one.type == ConditionType.VALID), None)
    if valid is None or valid.status == ConditionStatus.TRUE:
        return ""
    _, found, said = valid.message.partition(f"step {name!r} is left out: ")
    if found:
        # Where it would stand in the manifest does not help who wrote no manifest.
        return re.sub(r"spec\.steps\[\d+\][.\w\[\]]*[:,]? *", "", said.partition("; step '")[0])
    unsaid = len(valid.message) >= _CUT and all(one.name != name for one in status.steps)
    if unsaid and status.observed_generation > generation:
        return "it cannot be planned, and too many steps before it could not, either: begin another session"
    return ""
