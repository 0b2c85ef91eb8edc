"""Running manifests on this computer, from files to final phases."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pymongo.errors import PyMongoError

from kubecal.api.catalogue import Catalogue
from kubecal.api.manifests import Manifests
from kubecal.engine.model import ChipView, SessionView
from kubecal.local.beside import Beside
from kubecal.local.domains import Domain, domains_of
from kubecal.local.driver import LocalDriver, Progress
from kubecal.local.embedded import EmbeddedServer, embedded_server, revive
from kubecal.local.errors import LocalRunError
from kubecal.local.figures import save_figures
from kubecal.local.installation import Lifeline, data_folder, driver_id, room_problem, settle_left_behind
from kubecal.reading.answers import Result
from kubecal.reading.records import Records, RecordsError
from kubecal.reading.stored import StoredRecords
from kubecal.records.control import ControlRecords
from kubecal.records.hardware import HEARTBEAT_S, HardwareClaims
from kubecal.records.store import RecordStore, RecordsUnavailable

_LOOK_S = 0.5
"""How often to look whether the embedded database lives."""
_REVIVALS = 3
"""A database that dies more often in one run has a reason that starting it again does not cure."""
_INTERRUPTED = "interrupted by {}"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class RunOutcome:
    """What came out of one session."""

    session: SessionView
    results: tuple[Result, ...]
    figures: Path | None
    """Folder of the figures; None when there are none."""
    figures_problem: str = ""
    """Why they could not be written as files, in a sentence."""


@dataclass
class LocalRun:
    """Sessions that are being run; hand it to whoever shows progress."""

    manifests: Manifests
    catalogue: Catalogue
    mongo_uri: str = ""
    """Empty: the embedded server."""
    figures: Path | None = None
    jobs: int = 0
    listener: Callable[[Progress], None] = lambda _: None
    notice: Callable[[str], None] = lambda _: None
    """Told in a sentence what happens besides the sessions."""
    drivers: list[LocalDriver] = field(default_factory=list)
    stopped_by: signal.Signals | None = None
    """The first signal that asked to stop."""
    ended: bool = False
    """Whether the sessions are over, so that stopping means nothing any more."""
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)

    def run(self) -> tuple[RunOutcome, ...]:
        """Run everything to its end.

        Raises
        ------
        LocalRunError
            If a session cannot be planned, there is no usable database, or it or the disk fails on the way.
        """
        domains = domains_of(self.manifests, self.catalogue)
        folder = data_folder()
        try:
            if self.figures is not None:
                self.figures.mkdir(parents=True, exist_ok=True)
            if self.mongo_uri:
                return asyncio.run(self._run(domains, folder, None))
            if problem := room_problem(folder):
                raise LocalRunError(problem)
            with embedded_server(folder / "mongodb") as server:
                return self._explaining(domains, folder, server)
        except OSError as error:
            problem = room_problem(folder) or "check that you may write there"
            raise LocalRunError(f"{error.filename or folder}: {error.strerror or error}: {problem}") from error

    def stop(self, number: signal.Signals) -> None:
        """Cancel and wait; the second time kill the tasks. May be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop, number)

    def _stop(self, number: signal.Signals) -> None:
        if self.ended:
            return
        again, self.stopped_by = self.stopped_by is not None, self.stopped_by or number
        for driver in self.drivers:
            driver.processes.kill_all() if again else driver.cancel(_INTERRUPTED.format(number.name))
        self.notice(
            "killing the running tasks"
            if again
            else f"cancelling ({number.name}): waiting for the running tasks to stop; Ctrl-C again kills them"
        )

    def _explaining(self, domains: Sequence[Domain], folder: Path, server: EmbeddedServer) -> tuple[RunOutcome, ...]:
        """Run, and say of a database of our own that fails where to look."""
        try:
            return asyncio.run(self._run(domains, folder, server))
        except PyMongoError as error:
            problem = room_problem(folder) or f"its log is {server.log}; run the session again"
            said = " ".join(str(error).split(", full error")[0].split())
            raise LocalRunError(f"the embedded database in {server.folder} failed ({said}): {problem}") from error

    async def _run(
        self, domains: Sequence[Domain], folder: Path, server: EmbeddedServer | None
    ) -> tuple[RunOutcome, ...]:
        self._loop = asyncio.get_running_loop()
        with (
            self._interruptible(),
            tempfile.TemporaryDirectory(prefix="kubecal-", ignore_cleanup_errors=True) as scratch,
        ):
            uri_file = Path(scratch) / "mongodb-uri"
            _write_secret(uri_file, server.uri if server is not None else self.mongo_uri)
            store = RecordStore.from_file(uri_file)
            try:
                await self._check(store)
                await self._drive(domains, store, folder, Path(scratch), uri_file, server)
                self.ended = True
                stored = StoredRecords(store)
                return tuple([await self._outcome(view, stored) for each in self.drivers for view in each.sessions])
            except (RecordsUnavailable, RecordsError) as error:
                raise LocalRunError(str(error)) from error
            finally:
                await store.close()

    async def _check(self, store: RecordStore) -> None:
        health = await store.check()
        if not health.available:
            hint = ": start it, or correct --mongo-uri" if "does not answer" in health.message else ""
            raise LocalRunError(health.message.partition(" (configured timeouts")[0] + hint)
        await store.ensure_indexes()

    async def _drive(
        self,
        domains: Sequence[Domain],
        store: RecordStore,
        folder: Path,
        scratch: Path,
        uri_file: Path,
        server: EmbeddedServer | None,
    ) -> None:
        """Run every domain, and keep the database alive meanwhile."""
        installation = driver_id(folder)
        records = ControlRecords(store, installation)
        # One each: who lets go of its hardware must not let go of another's.
        owners = [f"{installation}:{os.getpid()}:{uuid.uuid4().hex[:8]}" for _ in domains]
        lifeline = Lifeline(folder, [*owners, *(view.ref.uid for domain in domains for view in domain.sessions)])

        async def settle() -> None:
            left = await settle_left_behind(folder, records, HardwareClaims(store, owners[0]))
            if left:
                self.notice(f"an earlier run ended in mid-session, settled as cancelled: {', '.join(left)}")

        beside = Beside()
        try:
            await settle()
            for domain, owner in zip(domains, owners, strict=True):
                driver = LocalDriver(
                    hardware_id=domain.hardware_id,
                    chips=domain.chips,
                    sessions=domain.sessions,
                    catalogue=self.catalogue,
                    store=store,
                    records=records,
                    claims=HardwareClaims(store, owner),
                    folder=scratch,
                    uri_file=uri_file,
                    jobs=self._capacity(domain.chips),
                    inherited=lifeline.descriptors,
                    beside=beside,
                    settle_dead=settle,
                    listener=self.listener,
                )
                self.drivers.append(driver)
                if self.stopped_by is not None:
                    driver.cancel(_INTERRUPTED.format(self.stopped_by.name))
            await self._attend(store, uri_file, server)
        finally:
            lifeline.let_go()

    async def _attend(self, store: RecordStore, uri_file: Path, server: EmbeddedServer | None) -> None:
        """Run all drivers to their end; whatever fails first ends all, tasks included."""
        work = [asyncio.create_task(self._run_driver(driver)) for driver in self.drivers]
        beside = [asyncio.create_task(self._keep_server(server, store, uri_file))] if server is not None else []
        try:
            pending = set(work)
            while pending:
                done, _ = await asyncio.wait([*pending, *beside], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                pending -= done
        finally:
            for task in (*work, *beside):
                task.cancel()
            await asyncio.gather(*work, *beside, return_exceptions=True)

    async def _run_driver(self, driver: LocalDriver) -> None:
        """Run one domain, and keep its hardware's hold fresh meanwhile."""
        beat = asyncio.create_task(driver.keep_hardware(HEARTBEAT_S))
        try:
            await driver.run()
        finally:
            beat.cancel()

    async def _keep_server(self, server: EmbeddedServer, store: RecordStore, uri_file: Path) -> None:
        """Start the embedded database again when it dies; drivers and tasks read its new address from the file."""
        revived = 0
        while True:
            await asyncio.sleep(_LOOK_S)
            if server.alive:
                continue
            if revived == _REVIVALS:
                raise LocalRunError(
                    f"the embedded database in {server.folder} died {revived + 1} times: see {server.log}, "
                    "or give --mongo-uri"
                )
            revived += 1
            self.notice(f"the embedded database died: starting it again (its log: {server.log})")
            server = await asyncio.to_thread(revive, server)
            _write_secret(uri_file, server.uri)
            # Else whatever is under way goes on looking for the dead one until its time is over.
            await store.close()

    def _capacity(self, chips: Sequence[ChipView]) -> int:
        """Simulated tasks are work for this computer; real ones wait for instruments and need no cap."""
        backends = {chip.spec.backend.name for chip in chips if chip.spec is not None}
        simulated = all(
            name in self.catalogue.backend_by_name and self.catalogue.backend_by_name[name].simulated
            for name in backends
        )
        return self.jobs or ((os.cpu_count() or 2) if simulated else 0)

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal cancel and wait; a second one kills the tasks."""
        loop = asyncio.get_running_loop()
        # Under nohup a closed terminal is to be ignored, and stays so.
        numbers = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in numbers:
            loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def _outcome(self, view: SessionView, stored: Records) -> RunOutcome:
        if view.record is None:
            return RunOutcome(view, (), None)
        execution = view.record.execution_id
        results = tuple(await stored.results(execution, project=view.record.chip_spec.project_id))
        folder = self.figures or data_folder() / "figures" / execution
        try:
            return RunOutcome(view, results, await save_figures(stored, results, folder))
        except OSError as error:
            problem = (
                f"the figures cannot be written to {folder} ({error.strerror}): they are in the database; "
                "make room, or give --figures another folder"
            )
            return RunOutcome(view, results, None, problem)


def _write_secret(path: Path, text: str) -> None:
    """The URI may hold a password: nobody else may read the file. A reader never sees half of it."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)
