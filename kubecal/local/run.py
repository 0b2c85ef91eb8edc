"""Sessions that run in this process, from their manifests to their ends.

A run lives in one event loop. It has a driver for every lock domain, keeps the embedded database alive meanwhile, and
answers whoever connects to its socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.session import CalibrationSession
from kubecal.engine.model import ChipView, SessionView
from kubecal.lab.lab import LabError
from kubecal.local.beside import Beside
from kubecal.local.driver import LocalDriver
from kubecal.local.embedded import revive
from kubecal.local.errors import LocalRunError
from kubecal.local.installation import Lifeline, driver_id, room_problem, said_of_left_behind, settle_left_behind
from kubecal.local.task_files import NO_FILES, TaskFiles
from kubecal.local.views import chip_view, hardware_of, session_view
from kubecal.local.watchers import Watchers
from kubecal.local.workplace import Workplace, checked, disk_trouble
from kubecal.records.control import ControlRecords
from kubecal.records.hardware import HEARTBEAT_S, HardwareClaims
from kubecal.records.store import RecordsUnavailable

_LOOK_S = 0.5
"""How often to look whether the embedded database lives."""
_REVIVALS = 3
"""A database that dies more often in one run has a reason that starting it again does not cure."""


@dataclass(frozen=True)
class Driven:
    """A session and who drives it."""

    driver: LocalDriver
    uid: str

    @property
    def view(self) -> SessionView:
        """The session as it stands."""
        return next(one for one in self.driver.sessions if one.ref.uid == self.uid)

    @property
    def chip(self) -> ChipView | None:
        """Its chip as it stands."""
        spec = self.view.spec
        return next((one for one in self.driver.chips if spec is not None and one.name == spec.chip), None)


class LocalRun:
    """Sessions that run in this process.

    Parameters
    ----------
    place
        Where it runs.
    catalogue
        The tasks that task processes know.
    task_files
        Files whose classes are among them.
    jobs
        Most tasks at a time; 0: one a core on a simulated chip.
    """

    def __init__(
        self, place: Workplace, catalogue: Catalogue, task_files: TaskFiles = NO_FILES, *, jobs: int = 0
    ) -> None:
        self._place, self._catalogue, self._task_files, self._jobs = place, catalogue, task_files, jobs
        self._installation = driver_id(place.folder)
        self._store = place.store()
        self._beside = Beside()
        self._drivers: list[LocalDriver] = []
        self._work: dict[LocalDriver, asyncio.Task[None]] = {}
        """Drivers that have not let go of their hardware yet."""
        self._adding = asyncio.Lock()
        self.watchers = Watchers()
        self.failure: LabError | None = None
        """Why it ended before its sessions did."""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take sessions until the context ends; those that run then are cancelled.

        Raises
        ------
        LocalRunError
            If the database cannot be used.
        """
        keeper = asyncio.create_task(self._keep_server())
        try:
            await checked(self._store)
            await self._make_indexes()
            yield
        finally:
            self.cancel("cancelled because the program that ran it ended")
            with contextlib.suppress(LabError):
                await self.over()
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await self._store.close()

    async def add(self, chip: Chip, session: CalibrationSession) -> SessionView:
        """Begin a session; it runs on by itself.

        Raises
        ------
        RefusedError
            If it cannot run beside what runs here.
        LabError
            If the run has failed.
        """
        view = session_view(session, chip)
        async with self._adding:
            if self.failure is not None:
                raise self.failure
            hardware = hardware_of(chip)
            driver = await self._driver_of(hardware) or self._new_driver(hardware)
            driver.add(chip_view(chip), view)
            if driver not in self._work:
                self._drivers.append(driver)
                task = self._work[driver] = asyncio.create_task(self._run_driver(driver))
                task.add_done_callback(lambda _: self._work.pop(driver))
        return view

    async def _driver_of(self, hardware_id: str) -> LocalDriver | None:
        """Who drives this hardware; one that takes no more sessions lets go of it first."""
        for driver, task in list(self._work.items()):
            if driver.hardware_id == hardware_id:
                if not driver.over:
                    return driver
                await asyncio.wait([task])
        return None

    @property
    def driven(self) -> list[Driven]:
        """All sessions that were added, the newest last, also those that have ended."""
        return [Driven(driver, view.ref.uid) for driver in self._drivers for view in driver.sessions]

    def called(self, name: str) -> Driven | None:
        """The newest session of a name."""
        found = [one for one in self.driven if one.view.ref.name == name]
        return max(found, key=lambda one: one.view.created_at, default=None)

    @property
    def chips(self) -> list[ChipView]:
        """The chips that are in use."""
        return [chip for driver in self._drivers if not driver.over for chip in driver.chips]

    def cancel(self, reason: str) -> None:
        """Have every session cancelled."""
        for driver in self._drivers:
            driver.cancel(reason)

    async def over(self) -> None:
        """Wait until every session has ended; raises LabError if the run failed."""
        while self._work:
            await asyncio.wait(self._work.values())
        if self.failure is not None:
            raise self.failure

    async def _make_indexes(self) -> None:
        try:
            await self._store.ensure_indexes()
        except RecordsUnavailable as error:
            raise LocalRunError(error.message) from error

    def _new_driver(self, hardware_id: str) -> LocalDriver:
        # An owner for each: who lets go of its hardware must not let go of another's.
        owner = f"{self._installation}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        records = ControlRecords(self._store, self._installation)

        async def settle() -> None:
            left = await settle_left_behind(self._place.folder, records, HardwareClaims(self._store, owner))
            if left:
                self.watchers.notice(said_of_left_behind(left))

        return LocalDriver(
            hardware_id=hardware_id,
            catalogue=self._catalogue,
            task_files=self._task_files,
            store=self._store,
            records=records,
            claims=HardwareClaims(self._store, owner),
            folder=self._place.scratch,
            uri_file=self._place.uri_file,
            jobs=self._capacity,
            lifeline=Lifeline(self._place.folder, owner),
            beside=self._beside,
            settle_dead=settle,
            listener=self.watchers.tell,
        )

    async def _run_driver(self, driver: LocalDriver) -> None:
        """Run one domain, and keep its hardware's hold fresh meanwhile; what fails here ends the whole run."""
        beat = asyncio.create_task(driver.keep_hardware(HEARTBEAT_S))
        try:
            await driver.run()
        except (RecordsUnavailable, PyMongoError, OSError, LabError) as error:
            self._fail(error)
        finally:
            beat.cancel()
            self.watchers.tell()

    def _fail(self, error: Exception) -> None:
        """Whatever fails first ends all, tasks included."""
        self.failure = self.failure or self._explained(error)
        for task in self._work.values():
            if task is not asyncio.current_task():
                task.cancel()
        self.watchers.tell()

    def _explained(self, error: Exception) -> LabError:
        """What happened, as a sentence; of a database of our own also where to look."""
        match error, self._place.server:
            case LabError(), _:
                return error
            case RecordsUnavailable(message=message), _:
                return LocalRunError(message)
            case PyMongoError(), server if server is not None:
                problem = room_problem(self._place.folder) or f"its log is {server.log}; run the session again"
                said = " ".join(str(error).split(", full error")[0].split())
                return LocalRunError(f"the embedded database in {server.folder} failed ({said}): {problem}")
            case OSError(), _:
                return disk_trouble(error, self._place.folder)
        return LocalRunError(f"the database failed: {' '.join(str(error).split())}")

    async def _keep_server(self) -> None:
        """Start the embedded database again when it dies; drivers and tasks read its new address from the file."""
        server, revived = self._place.server, 0
        while server is not None:
            await asyncio.sleep(_LOOK_S)
            if server.alive:
                continue
            try:
                if revived == _REVIVALS:
                    raise LocalRunError(
                        f"the embedded database in {server.folder} died {revived + 1} times: see {server.log}, "
                        "or give --mongo-uri"
                    )
                revived += 1
                self.watchers.notice(f"the embedded database died: starting it again (its log: {server.log})")
                server = await asyncio.to_thread(revive, server)
                self._place.moved_to(server.uri)
            except (LabError, OSError) as error:
                self._fail(error)
                return
            # Else whatever is under way goes on looking for the dead one until its time is over.
            await self._store.close()

    def _capacity(self, chips: Sequence[ChipView]) -> int:
        """Simulated tasks are work for this computer; real ones wait for instruments and need no cap."""
        backends = {chip.spec.backend.name for chip in chips if chip.spec is not None}
        simulated = all(
            name in self._catalogue.backend_by_name and self._catalogue.backend_by_name[name].simulated
            for name in backends
        )
        return self._jobs or ((os.cpu_count() or 2) if simulated else 0)
