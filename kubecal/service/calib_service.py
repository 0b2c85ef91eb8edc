"""Calibrating from a plain program or a notebook."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from kubecal.api.session_status import SessionStatus
from kubecal.service import interrupts
from kubecal.service.background import Background
from kubecal.service.calibration import AsyncCalibService, tell
from kubecal.service.config import CalibConfig
from kubecal.service.errors import ServiceError, is_cancellation
from kubecal.service.place import Place
from kubecal.service.results import FigureFiles, TaskResult
from kubecal.service.steps import Step
from kubecal.service.targets import Target
from kubecal.service.unsupported import no_attribute, refuse
from kubecal.service.values import Value

T = TypeVar("T")
LEAVING_S = 60.0
"""How long a program that ends waits for its session to end: about as long as a task may take to stop."""


class WaitingService:
    """One session from a program that waits: every call runs in a thread beside it, so a running loop is no matter.

    Whatever interrupts a call cancels the session; a program that ends without a word ends its session as what
    happened says.
    """

    def __init__(self, config: CalibConfig, say: Callable[[str], None], place: Place | None = None) -> None:
        self.config = config
        self.core = AsyncCalibService(config, say=say, place=place)
        self._say = say
        self._background: Background | None = None

    def begin(self) -> None:
        """Begin the session, unless it has begun."""
        if not self.core.begun:
            self._starting(self.core.begin())

    def run(self, targets: Target, steps: Sequence[Step]) -> dict[str, Any]:
        """Run whole steps; they begin the session if need be, and end it."""
        work = self.core.run(targets, steps)
        result = self.call(work) if self.core.begun else self._starting(work)
        self._over()
        return result

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something; an interruption cancels the session before it goes on."""
        if self._background is None:
            self._background = Background()
        try:
            return self._background.call(work)
        except BaseException as error:
            if is_cancellation(error):
                self.leave(error)
            raise

    def end(self, work: Coroutine[Any, Any, SessionStatus]) -> SessionStatus:
        """Wait for the session's end."""
        status = self.call(work)
        self._over()
        return status

    def leave(self, error: BaseException | None) -> None:
        """End the session as what happened says, without raising anything but another interruption."""
        if self._background is None:
            return
        try:
            if self.core.begun:
                status = self._background.call(self.core.leave(error), LEAVING_S)
                if error is not None and is_cancellation(error):
                    self._say(f"session {self.core.session_name} was cancelled: {status.phase}")
        except TimeoutError:
            name = self.core.session_name
            self._say(f"session {name} has not ended within {LEAVING_S:g} s: see `kubecal get {name}`")
        except Exception as problem:
            self._say(f"session {self.core.session_name} could not be ended, and ends when it idles: {problem}")
        finally:
            self._over()

    def forgotten(self) -> None:
        """The program ends, and has not ended its session."""
        self._say(
            f"session {self.core.session_name} was left open, and ends when somebody finds out, or when it has idled: "
            "end it by finish_calibration() or complete(), or use it in a with"
        )

    def _starting(self, work: Coroutine[Any, Any, T]) -> T:
        interrupts.begun(self)
        try:
            return self.call(work)
        except BaseException:
            # What was begun and then failed on the way stays open for the program to end.
            if not self.core.begun:
                self._over()
            raise

    def _over(self) -> None:
        """The session has ended; whoever asks something later has a thread anew."""
        interrupts.ended(self)
        if self._background is not None:
            self._background.close()
            self._background = None


class CalibService:
    """One calibration session: tasks one by one, or whole steps on many qubits.

    >>> with CalibService("alice", "16Q", qids=["0", "1"]) as cal:
    ...     rabi = cal.execute_task("CheckRabi", "0")
    ...     print(rabi["rabi_frequency"])

    With ``qids`` (or ``muxes``) the session begins at once and holds its chip; without, with :meth:`run`. As a context
    manager it ends the session in any case: an exception fails it, Ctrl-C and SIGTERM cancel it. Without, call one of
    finish_calibration, fail_calibration and cancel_calibration.
    """

    def __init__(
        self,
        username: str,
        chip_id: str,
        qids: Sequence[str] | None = None,
        execution_id: str | None = None,
        backend_name: str | None = None,
        name: str | None = None,
        flow_name: str | None = None,
        tags: Sequence[str] | None = None,
        use_lock: bool = True,
        note: Mapping[str, Any] | str | None = None,
        enable_github_pull: bool = False,
        enable_github: bool = False,
        github_push_config: object = None,
        muxes: Sequence[int] | None = None,
        project_id: str | None = None,
        skip_execution: bool = False,
        default_run_parameters: Mapping[str, Any] | None = None,
        source_execution_id: str | None = None,
        *,
        task_run_parameters: Mapping[str, Mapping[str, Any]] | None = None,
        say: Callable[[str], None] = tell,
        place: Place | None = None,
        **config: Any,
    ) -> None:
        """Take up the session that is wanted; begin it where qubits are named.

        Parameters
        ----------
        username, chip_id, qids, execution_id, backend_name, flow_name, tags, note, muxes, project_id
            As in :class:`kubecal.CalibConfig`; ``name`` is an older word for ``flow_name``.
        skip_execution
            True: nothing is begun before :meth:`run`, even where qubits are named.
        default_run_parameters, task_run_parameters, source_execution_id, config
            As in :class:`kubecal.CalibConfig`; Any: its other fields.
        use_lock, enable_github_pull, enable_github, github_push_config
            Only as they are: what they would ask for there is not.
        say
            Told in a sentence what happens besides.
        place
            The lab, where it was opened already; for tests.

        Raises
        ------
        ServiceError
            If the session cannot be begun.
        LabError, RecordsError
            If the lab refuses it, or it or its records cannot be asked.
        """
        refuse(
            use_lock=not use_lock,
            enable_github_pull=enable_github_pull,
            enable_github=enable_github,
            github_push_config=github_push_config is not None,
        )
        wanted = CalibConfig(
            username=username,
            chip_id=chip_id,
            qids=qids,
            execution_id=execution_id or "",
            backend_name=backend_name,
            flow_name=flow_name or name,
            tags=tags,
            note=note,
            muxes=muxes,
            project_id=project_id,
            default_run_parameters=default_run_parameters or {},
            task_run_parameters=task_run_parameters or {},
            source_execution_id=source_execution_id,
            **config,
        )
        self._service = WaitingService(wanted, say, place)
        if (qids is not None or muxes is not None) and not skip_execution:
            self._service.begin()

    # ------------------------------------------------------------------ what it is about

    @property
    def config(self) -> CalibConfig:
        """What was wanted."""
        return self._service.config

    @property
    def username(self) -> str:
        """Whose session it is."""
        return self.config.username

    @property
    def chip_id(self) -> str:
        """The chip."""
        return self.config.chip_id

    @property
    def qids(self) -> Sequence[str] | None:
        """The qubits."""
        return self.config.qids

    @property
    def flow_name(self) -> str | None:
        """The label."""
        return self.config.flow_name

    @property
    def project_id(self) -> str | None:
        """The project."""
        return self.config.project_id

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

    def __repr__(self) -> str:
        phase = self.status.phase or "not begun"
        return f"<CalibService {self.execution_id or '(no execution yet)'} on {self.chip_id}: {phase}>"

    # ------------------------------------------------------------------ tasks

    def execute_task(
        self,
        task_name: str,
        qid: str,
        task_details: Mapping[str, Any] | None = None,
        upstream_id: str | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        image: str = "",
        raise_on_failure: bool = True,
    ) -> TaskResult:
        """Run one task on one qubit or coupling (an empty ``qid``: on the chip) and wait for what comes of it.

        ``parameters`` are run parameters of this call, ``task_details`` the older form of them. A task that fails
        raises :class:`kubecal.TaskFailed`, whose ``result`` has data and figures; with ``raise_on_failure=False`` that
        result is returned. See :meth:`AsyncCalibService.execute_task`.
        """
        refuse(upstream_id=upstream_id is not None)
        core = self._service.core
        return self._service.call(
            core.execute_task(
                task_name, qid, task_details, parameters=parameters, image=image, raise_on_failure=raise_on_failure
            )
        )

    def run(self, targets: Target, steps: Sequence[Step]) -> dict[str, Any]:
        """Run whole steps on many qubits and end the session; see :meth:`AsyncCalibService.run`."""
        return self._service.run(targets, steps)

    def figures(self, result: TaskResult) -> tuple[FigureFiles, ...]:
        """The figures of a result; those of single tasks come with it, those of :meth:`run` are looked up here."""
        return self._service.call(self._service.core.figures(result))

    # ------------------------------------------------------------------ parameters

    def get_parameter(self, qid: str, param_name: str) -> Value | None:
        """The chip's current value of a parameter, what this session has published included; None: there is none."""
        return self._service.call(self._service.core.get_parameter(qid, param_name))

    def set_parameter(self, qid: str, param_name: str, value: float, error: float = 0.0) -> None:
        """Make a value the chip's current one, in the catalogue's unit; recorded as set by hand."""
        self._service.call(self._service.core.set_parameter(qid, param_name, value, error))

    def record_stage_result(self, stage_name: str, result: Mapping[str, Any]) -> None:
        """Keep something with the execution, in its note: at most 8 KiB in all."""
        self._service.call(self._service.core.record_stage_result(stage_name, result))

    def get_stage_result(self, stage_name: str) -> dict[str, Any] | None:
        """What was kept under a name by this program; None: nothing."""
        return self._service.core.get_stage_result(stage_name)

    # ------------------------------------------------------------------ the end

    def finish_calibration(
        self, update_chip_history: bool = True, push_to_github: bool | None = None, export_note_to_file: bool = False
    ) -> None:
        """End the session; how its tasks went decides how it is called. The options only as they are."""
        refuse(
            update_chip_history=not update_chip_history,
            push_to_github=bool(push_to_github),
            export_note_to_file=export_note_to_file,
        )
        self._service.end(self._service.core.finish_calibration())

    def fail_calibration(self, error_message: str = "") -> None:
        """End the session as failed, and stop what runs."""
        self._service.end(self._service.core.fail_calibration(error_message))

    def cancel_calibration(self) -> None:
        """Cancel the session, and stop what runs."""
        self._service.end(self._service.core.cancel_calibration())

    def __enter__(self) -> Self:
        if self.config.qids is None and self.config.muxes is None:
            raise ServiceError("give qids or muxes: which qubits is the session about?")
        self._service.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and self._service.core.begun:
            self.finish_calibration()
        else:
            self._service.leave(error)
