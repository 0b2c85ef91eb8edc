"""Calibrating from an asynchronous program; :class:`kubecal.CalibService` is the same for everybody else."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from kubecal.api.session_status import SessionStatus
from kubecal.service.beginning import begin
from kubecal.service.config import CalibConfig
from kubecal.service.defaults import Defaults
from kubecal.service.errors import ServiceError, SessionOverError, TaskFailed, is_cancellation
from kubecal.service.outcome import gathered
from kubecal.service.place import Place, chosen_place
from kubecal.service.results import FigureFiles, TaskResult
from kubecal.service.run_parameters import of_details
from kubecal.service.session import SteeredSession
from kubecal.service.steps import Course, Step, planned
from kubecal.service.targets import Target
from kubecal.service.values import Value


def tell(text: str) -> None:
    """Say a sentence beside the program's own output."""
    print(f"kubecal: {text}", file=sys.stderr, flush=True)


class AsyncCalibService:
    """One calibration session, steered call by call.

    >>> async with AsyncCalibService(CalibConfig("alice", "16Q", qids=["0"])) as cal:
    ...     rabi = await cal.execute_task("CheckRabi", "0")
    ...     print(rabi["rabi_frequency"])

    The session begins with :meth:`begin` (or ``async with``) and ends with one of finish, fail and cancel; leaving
    the context ends it as what happened in it says.
    """

    def __init__(self, config: CalibConfig, *, say: Callable[[str], None] = tell, place: Place | None = None) -> None:
        self.config = config
        self._say = say
        self._place = place
        self._stack = AsyncExitStack()
        self._session: SteeredSession | None = None
        self._defaults: Defaults | None = None
        self._stages: dict[str, Any] = {}
        self._ended: SessionStatus | None = None

    # ------------------------------------------------------------------ beginning

    async def begin(self) -> Self:
        """Begin the session and wait until it holds its chip; a second time does nothing.

        Raises
        ------
        ServiceError
            If it cannot be begun.
        LabError, RecordsError
            If the lab refuses it, or it or its records cannot be asked.
        """
        if self._ended is not None:
            raise SessionOverError("this session is over: make another one to begin anew")
        if self._session is None:
            await self._begin(_targets(self.config))
        return self

    async def _begin(self, targets: Mapping[str, Any]) -> None:
        config = self.config
        try:
            place = self._place
            if place is None:
                place = await asyncio.to_thread(chosen_place, config, self._say)
            self._defaults = Defaults.of(place.catalogue, config.default_run_parameters, config.task_run_parameters)
            await self._stack.enter_async_context(place.lab)
            self._session = await begin(place.lab, config, targets, self._say, makes_chips=place.makes_chips)
        except BaseException:
            await self._stack.aclose()
            raise

    @property
    def begun(self) -> bool:
        """Whether the session runs: it has begun and not ended."""
        return self._session is not None and self._ended is None

    @property
    def execution_id(self) -> str:
        """``YYYYMMDD-NNN``; before the session has begun what was asked for."""
        return self._session.execution_id if self._session is not None else self.config.execution_id

    @property
    def session_name(self) -> str:
        """Under which ``kubecal get`` and ``kubecal watch`` know the session; empty before it has begun."""
        return self._session.name if self._session is not None else ""

    @property
    def status(self) -> SessionStatus:
        """Where the session stands."""
        return self._ended or (self._session.status if self._session is not None else SessionStatus())

    # ------------------------------------------------------------------ tasks

    async def execute_task(
        self,
        task_name: str,
        qid: str,
        task_details: Mapping[str, Any] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        image: str = "",
        raise_on_failure: bool = True,
    ) -> TaskResult:
        """Run one task and wait for what comes of it, measuring again as the session's retry rules say.

        Parameters
        ----------
        task_name, qid
            Which task, and on which qubit or coupling; an empty ``qid`` is the chip.
        task_details
            Run parameters in the older form: ``{"CheckT1": {"run_parameters": {...}}}``.
        parameters
            Run parameters of this call, such as ``{"shots": 4096}``.
        image
            One of the chip's images by its short name, for a task that an author ships; empty: the built-in one.
        raise_on_failure
            False: what failed is returned all the same.

        Raises
        ------
        TaskFailed
            If it did not succeed; ``result`` has its data, figures included.
        ServiceError
            If it cannot be run.
        LabError, RecordsError
            If the lab refuses it, or it or its records cannot be asked.
        """
        session, defaults = self._running()
        own = {**of_details(task_name, task_details), **(parameters or {})}
        entry = defaults.entry(task_name, own) | ({"image": image} if image else {})
        result = await session.run_task(entry, str(qid))
        if raise_on_failure and not result.ok:
            raise TaskFailed(result)
        return result

    async def run(self, targets: Target, steps: Sequence[Step]) -> dict[str, Any]:
        """Run whole steps on many qubits, as far side by side as the wiring allows, and end the session.

        Returns
        -------
        dict
            Results by step, and which qubits came through; see :func:`kubecal.service.outcome.gathered`.

        Raises
        ------
        ServiceError
            If it cannot be run.
        LabError, RecordsError
            If the lab refuses it, or it or its records cannot be asked.
        """
        if self._session is None:
            await self._begin(targets.manifest())
        elif targets.manifest() != _targets(self.config):
            raise ServiceError("the session was begun for other targets: leave qids and muxes out, run() gives them")
        session, defaults = self._running()
        plan = planned(steps, Course(defaults, named=targets.couplings))
        names = iter(await session.run_steps([manifest for one in plan for manifest in one.manifests]))
        ran = [(one.step, [next(names) for _ in one.manifests]) for one in plan]
        results = await session.lab.records.results(session.execution_id, project=session.project)
        await self.finish_calibration()
        return gathered(ran, results)

    async def figures(self, result: TaskResult) -> tuple[FigureFiles, ...]:
        """The figures of a result; those of single tasks come with it, those of :meth:`run` are looked up here."""
        async with self._reading() as session:
            return await session.figures(result.record)

    # ------------------------------------------------------------------ parameters

    async def get_parameter(self, qid: str, param_name: str) -> Value | None:
        """The chip's current value of a parameter, what this session has published included; None: there is none."""
        async with self._reading() as session:
            return await session.parameter(str(qid), param_name)

    async def set_parameter(self, qid: str, param_name: str, value: float, error: float = 0.0) -> None:
        """Make a value the chip's current one, in the catalogue's unit; recorded as set by hand."""
        session, _ = self._running()
        await session.set_parameter(str(qid), param_name, float(value), float(error))

    async def record_stage_result(self, stage_name: str, result: Mapping[str, Any]) -> None:
        """Keep something with the execution, in its note: at most 8 KiB in all."""
        session, _ = self._running()
        stages = {**self._stages, stage_name: dict(result)}
        note = self.config.note if isinstance(self.config.note, Mapping) else {"note": self.config.note_text}
        await session.annotate(json.dumps({**note, "stages": stages}, ensure_ascii=False, default=_plain))
        self._stages = stages

    def get_stage_result(self, stage_name: str) -> dict[str, Any] | None:
        """What was kept under a name by this program; None: nothing."""
        found = self._stages.get(stage_name)
        return dict(found) if found is not None else None

    # ------------------------------------------------------------------ the end

    async def finish_calibration(self) -> SessionStatus:
        """End the session; how its tasks went decides how it is called."""
        return await self._end(SteeredSession.finish)

    async def fail_calibration(self, error_message: str = "") -> SessionStatus:
        """End the session as failed, and stop what runs."""
        message = error_message or "the program says so"
        return await self._end(lambda session: session.fail(message))

    async def cancel_calibration(self) -> SessionStatus:
        """Cancel the session, and stop what runs."""
        return await self._end(SteeredSession.cancel)

    async def leave(self, error: BaseException | None) -> SessionStatus:
        """End the session as what happened says: an error fails it, an interruption cancels it."""
        if error is None:
            return await self.finish_calibration()
        if is_cancellation(error):
            return await self.cancel_calibration()
        return await self.fail_calibration(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)

    async def _end(self, how: Callable[[SteeredSession], Any]) -> SessionStatus:
        if self._session is not None and self._ended is None:
            try:
                self._ended = await how(self._session)
            finally:
                await self._stack.aclose()
        return self.status

    async def __aenter__(self) -> Self:
        return await self.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave(error)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[SteeredSession]:
        """The session, to look at its records, also when it is over and its lab was left."""
        session, _ = self._running()
        if self._ended is None:
            yield session
        else:
            async with session.lab:
                yield session

    def _running(self) -> tuple[SteeredSession, Defaults]:
        if self._session is None or self._defaults is None:
            raise ServiceError("the session has not begun: call begin() or initialize() first, or use it in a with")
        return self._session, self._defaults


def _targets(config: CalibConfig) -> Mapping[str, Any]:
    """What the session is about, as a manifest writes it."""
    if config.qids and config.muxes:
        raise ServiceError("give either qids or muxes: which qubits are calibrated?")
    if config.muxes:
        return {"muxes": list(config.muxes)}
    if config.qids is None:
        raise ServiceError("give qids or muxes: which qubits are calibrated? (qids=[]: none, only tasks of the chip)")
    return {"qubits": [str(qid) for qid in config.qids]} if config.qids else {"chip": True}


def _plain(value: object) -> object:
    """What JSON does not know."""
    return dict(value) if isinstance(value, Mapping) else str(value)
