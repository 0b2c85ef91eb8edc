"""A session by the words of older engines: configure, initialize, run tasks, complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from kubecal.api.session_status import SessionStatus
from kubecal.service.calib_service import WaitingService
from kubecal.service.calibration import tell
from kubecal.service.config import CalibConfig
from kubecal.service.place import Place
from kubecal.service.results import TaskResult
from kubecal.service.unsupported import no_attribute, refuse


class CalibOrchestrator:
    """One calibration session.

    >>> orchestrator = CalibOrchestrator(CalibConfig(username="alice", chip_id="64Qv3", qids=["0"]))
    >>> orchestrator.initialize()
    >>> rabi = orchestrator.run_task("CheckRabi", qid="0")
    >>> orchestrator.complete()
    """

    def __init__(self, config: CalibConfig, *, say: Callable[[str], None] = tell, place: Place | None = None) -> None:
        self.config = config
        self._service = WaitingService(config, say, place)

    def initialize(self) -> None:
        """Begin the session and wait until it holds its chip; a second time does nothing.

        Raises
        ------
        ServiceError
            If it cannot be begun.
        LabError, RecordsError
            If the lab refuses it, or it or its records cannot be asked.
        """
        self._service.begin()

    @property
    def is_initialized(self) -> bool:
        """Whether the session has begun and not ended."""
        return self._service.core.begun

    @property
    def execution_id(self) -> str:
        """``YYYYMMDD-NNN``; before the session has begun what was asked for."""
        return self._service.core.execution_id

    @property
    def session_name(self) -> str:
        """Under which ``kubecal get`` and ``kubecal watch`` know the session; empty before it has begun."""
        return self._service.core.session_name

    @property
    def status(self) -> SessionStatus:
        """Where the session stands."""
        return self._service.core.status

    def __getattr__(self, name: str) -> NoReturn:
        no_attribute(self, name)

    def run_task(
        self,
        task_name: str,
        qid: str,
        task_details: Mapping[str, Any] | None = None,
        upstream_id: str | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        image: str = "",
    ) -> TaskResult:
        """Run one task and wait for what comes of it.

        Raises
        ------
        TaskFailed
            If it did not succeed; ``result`` has its data, figures included.
        ServiceError
            If it cannot be run.
        LabError, RecordsError
            If the lab refuses it, or it or its records cannot be asked.
        """
        refuse(upstream_id=upstream_id is not None)
        core = self._service.core
        return self._service.call(core.execute_task(task_name, qid, task_details, parameters=parameters, image=image))

    def complete(self, update_chip_history: bool = True, export_note_to_file: bool = False) -> None:
        """End the session; how its tasks went decides how it is called. The options only as they are."""
        refuse(update_chip_history=not update_chip_history, export_note_to_file=export_note_to_file)
        self._service.end(self._service.core.finish_calibration())

    def fail(self, message: str = "") -> None:
        """End the session as failed, and stop what runs."""
        self._service.end(self._service.core.fail_calibration(message))

    def cancel(self) -> None:
        """Cancel the session, and stop what runs."""
        self._service.end(self._service.core.cancel_calibration())
