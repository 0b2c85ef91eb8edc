"""``kubecal run``: sessions from their manifests to a table of parameters, watched from beginning to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from kubecal.api.catalogue import Catalogue
from kubecal.api.manifests import ManifestError, load_manifests
from kubecal.cli.closing import RunOutcome, print_outcome
from kubecal.cli.exit_codes import STOPPED, ExitCode
from kubecal.cli.live import LiveView
from kubecal.cli.output import Output, console_on
from kubecal.lab.lab import LabError, RefusedError, StandingSession
from kubecal.local.catalogue import installed_catalogue
from kubecal.local.figures import save_figures
from kubecal.local.installation import data_folder
from kubecal.local.lab import LocalLab
from kubecal.local.refusals import Asked, asked_for, refuse_unplannable
from kubecal.local.task_files import TaskFiles
from kubecal.local.workplace import disk_trouble
from kubecal.reading.records import RecordsError

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class RunOptions:
    """What the command line says besides the files."""

    mongo_uri: str = ""
    figures: Path | None = None
    jobs: int = 0
    all_values: bool = False
    task_files: tuple[Path, ...] = ()


def run_files(files: Sequence[Path], options: RunOptions) -> int:
    """Run the manifests' sessions; the exit code, as ``kubecal run --help`` lists them."""
    return asyncio.run(_Run(files, options).to_its_end())


class _Run:
    """One call of the verb."""

    def __init__(self, files: Sequence[Path], options: RunOptions) -> None:
        self._files, self._options = files, options
        self._errors = console_on(Output(sys.stderr))
        self._console = console_on(Output(sys.stdout, self._output_lost))
        self._live = LiveView(self._console)
        self._running: list[str] = []
        """Sessions that have begun and not ended."""
        self._lab: LocalLab | None = None
        self._stopped_by: signal.Signals | None = None
        self._acting: set[asyncio.Task[None]] = set()

    async def to_its_end(self) -> int:
        """The exit code."""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        with self._interruptible():
            try:
                files = TaskFiles.of(self._options.task_files)
                asked = asked_for(load_manifests(self._files))
                catalogue = await asyncio.to_thread(installed_catalogue, files)
                refuse_unplannable(asked, catalogue)
                outcomes = await self._outcomes(asked, catalogue)
            except (ManifestError, LabError, RecordsError) as error:
                self._errors.print(Text(str(error), style="red"))
                return ExitCode.NOT_DONE
            except asyncio.CancelledError:
                self._errors.print("stopped before any task was started")
                return STOPPED + (self._stopped_by or signal.SIGINT)
        for outcome in outcomes:
            print_outcome(self._console, outcome, catalogue, all_values=self._options.all_values)
        return self._exit_code(outcomes)

    async def _outcomes(self, asked: Sequence[Asked], catalogue: Catalogue) -> list[RunOutcome]:
        options = self._options
        if options.figures is not None:
            _made(options.figures)
        lab = LocalLab(
            mongo_uri=options.mongo_uri,
            jobs=options.jobs,
            task_files=options.task_files,
            catalogue=catalogue,
            notice=self._live.notice,
        )
        async with lab:
            self._lab = lab
            await lab.check(asked)
            with self._live:
                ended = await self._followed(lab, asked)
            return [await self._outcome(lab, session) for session in ended]

    async def _followed(self, lab: LocalLab, asked: Sequence[Asked]) -> list[StandingSession]:
        """Begin them all, and show what happens until all have ended."""
        following = []
        for session, chip in asked:
            name = (await lab.create(session, chip)).name
            self._running.append(name)
            following.append(asyncio.create_task(self._follow(lab, name)))
        try:
            return await asyncio.gather(*following)
        finally:
            for one in following:
                one.cancel()

    async def _follow(self, lab: LocalLab, name: str) -> StandingSession:
        last: StandingSession | None = None
        async for sight in lab.follow(name):
            self._live.update(sight)
            last = sight.session
        assert last is not None, "there is always a last sight"
        self._running.remove(name)
        return last

    async def _outcome(self, lab: LocalLab, ended: StandingSession) -> RunOutcome:
        execution = ended.status.execution_id
        if not execution:
            return RunOutcome(ended, (), None)
        project = (await lab.chip(ended.session.spec.chip)).chip.spec.project_id
        results = tuple(await lab.records.results(execution, project=project))
        folder = self._options.figures or data_folder() / "figures" / execution
        try:
            return RunOutcome(ended, results, await save_figures(lab.records, results, folder))
        except OSError as error:
            problem = (
                f"the figures cannot be written to {folder} ({error.strerror}): they are in the database; "
                "make room, or give --figures another folder"
            )
            return RunOutcome(ended, results, None, problem)

    def _exit_code(self, outcomes: Sequence[RunOutcome]) -> int:
        if all(outcome.session.status.phase == "Completed" for outcome in outcomes):
            return ExitCode.DONE
        return ExitCode.FAILED if self._stopped_by is None else STOPPED + self._stopped_by

    # ------------------------------------------------------------------ stopping

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal cancel and wait; a second one kills the tasks."""
        # Under nohup a closed terminal is to be ignored, and stays so.
        numbers = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in numbers:
            self._loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in numbers:
                self._loop.remove_signal_handler(number)

    def _stop(self, number: signal.Signals) -> None:
        again, self._stopped_by = self._stopped_by is not None, self._stopped_by or number
        if self._lab is None or not self._running:
            if self._task is not None:
                self._task.cancel()
            return
        self._live.notice(
            "killing the running tasks"
            if again
            else f"cancelling ({number.name}): waiting for the running tasks to stop; Ctrl-C again kills them"
        )
        for name in self._running:
            acting = asyncio.create_task(self._end(self._lab, name, number, kill=again))
            self._acting.add(acting)
            acting.add_done_callback(self._acting.discard)

    async def _end(self, lab: LocalLab, name: str, number: signal.Signals, *, kill: bool) -> None:
        """Cancel one session, or kill its tasks; one that has just ended needs neither."""
        with contextlib.suppress(RefusedError):
            if kill:
                await lab.kill(name)
            else:
                await lab.interrupt(name, number.name)

    def _output_lost(self, error: OSError) -> None:
        """Told by whichever thread wrote last."""
        if not isinstance(error, BrokenPipeError):
            self._errors.print(f"standard output cannot be written ({error.strerror}): going on without it")
        elif self._running:
            self._errors.print(
                "nobody reads the output any more: cancelling. To let a session run on, write to a file: "
                "kubecal run FILE > run.log"
            )
            self._loop.call_soon_threadsafe(self._stop, signal.SIGPIPE)


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_trouble(error, data_folder()) from error
