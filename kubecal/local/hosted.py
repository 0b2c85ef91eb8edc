"""A run in a thread of its own, so that nothing its program does keeps it from looking after its sessions."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.session import CalibrationSession
from kubecal.engine.model import SessionView
from kubecal.local.control.desk import answering
from kubecal.local.run import LocalRun
from kubecal.local.task_files import TaskFiles
from kubecal.local.workplace import Workplace


class HostedRun:
    """A :class:`LocalRun` and its thread; use it from one event loop."""

    def __init__(self, place: Workplace, catalogue: Catalogue, task_files: TaskFiles, jobs: int) -> None:
        self._place, self._catalogue, self._task_files, self._jobs = place, catalogue, task_files, jobs
        self._ready: Future[tuple[LocalRun, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._over: Future[None] = Future()
        # When the program ends without a word, the sessions end with it, and are settled by whoever looks next.
        self._thread = threading.Thread(target=self._work, name="kubecal run", daemon=True)

    async def start(self) -> None:
        """Begin to take sessions.

        Raises
        ------
        LabError
            If the database cannot be used.
        """
        self._thread.start()
        await asyncio.wrap_future(self._ready)

    async def add(self, chip: Chip, session: CalibrationSession) -> SessionView:
        """Begin a session; raises LabError as :meth:`LocalRun.add`."""
        run, loop, _ = self._ready.result()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run.add(chip, session), loop))

    async def close(self) -> None:
        """Cancel what still runs, and wait until it has ended and is on record."""
        _, loop, stop = self._ready.result()
        if not self._over.done():
            loop.call_soon_threadsafe(stop.set)
        await asyncio.wrap_future(self._over)
        self._thread.join()

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            # Whoever waits for it has to be told, of a mistake of ours too.
            for waited in (self._ready, self._over):
                if not waited.done():
                    waited.set_exception(error)
        else:
            self._over.set_result(None)

    async def _serve(self) -> None:
        stop = asyncio.Event()
        run = LocalRun(self._place, self._catalogue, self._task_files, jobs=self._jobs)
        # Those who follow are told of the end before nobody answers any more.
        async with answering(run, self._place.folder), run.open():
            self._ready.set_result((run, asyncio.get_running_loop(), stop))
            await stop.wait()
