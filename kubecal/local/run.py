"""Running manifests on this computer, from files to final phases."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kubecal.api.catalogue import Catalogue
from kubecal.api.manifests import Manifests
from kubecal.api.session import SessionStatus
from kubecal.engine.model import ChipView, SessionRef, SessionView
from kubecal.local.driver import LocalDriver, Progress
from kubecal.local.embedded import embedded_server
from kubecal.local.figures import save_figures
from kubecal.local.installation import alive, data_folder, driver_id, settle_left_behind
from kubecal.records.control import ControlRecords
from kubecal.records.hardware import HEARTBEAT_S, HardwareClaims
from kubecal.records.reading import ResultReader, ResultRow
from kubecal.records.store import RecordStore, RecordsUnavailable

_NAMESPACE = "local"


class LocalRunError(Exception):
    """The sessions could not be run at all; the message says why and what to do."""


@dataclass(frozen=True)
class RunOutcome:
    """What came out of one session."""

    session: SessionView
    results: tuple[ResultRow, ...]
    figures: Path | None
    """Folder of the figures; None when there are none."""


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
    reader: ResultReader | None = None
    """Open while the sessions run."""

    def run(self) -> tuple[RunOutcome, ...]:
        """Run everything to its end.

        Raises
        ------
        LocalRunError
            If there is no usable database, or a session names a chip that no file describes.
        """
        with self._database() as uri:
            return asyncio.run(self._run(uri))

    @contextlib.contextmanager
    def _database(self) -> Iterator[str]:
        if self.mongo_uri:
            yield self.mongo_uri
            return
        with embedded_server(data_folder() / "mongodb") as server:
            yield server.uri

    async def _run(self, uri: str) -> tuple[RunOutcome, ...]:
        folder = data_folder()
        store = RecordStore(uri)
        try:
            health = await store.check()
            if not health.available:
                raise LocalRunError(health.message)
            await store.ensure_indexes()
            records = ControlRecords(store, driver_id(folder))
            self.reader = ResultReader(store)
            left = await settle_left_behind(folder, records)
            if left:
                self.notice(f"settled as cancelled what an earlier run left unfinished: {', '.join(left)}")
            with tempfile.TemporaryDirectory(prefix="kubecal-") as scratch:
                uri_file = _write_secret(Path(scratch) / "mongodb-uri", uri)
                await self._drive(store, records, folder, Path(scratch), uri_file)
            return tuple([await self._outcome(view) for driver in self.drivers for view in driver.sessions])
        except RecordsUnavailable as error:
            raise LocalRunError(error.message) from error
        finally:
            self.reader = None
            await store.close()

    async def _drive(
        self, store: RecordStore, records: ControlRecords, folder: Path, scratch: Path, uri_file: Path
    ) -> None:
        installation = driver_id(folder)
        for hardware_id, (chips, sessions) in self._domains().items():
            owner = f"{installation}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
            driver = LocalDriver(
                hardware_id=hardware_id,
                chips=chips,
                sessions=sessions,
                catalogue=self.catalogue,
                store=store,
                records=records,
                claims=HardwareClaims(store, owner),
                folder=scratch,
                uri_file=uri_file,
                jobs=self._capacity(chips),
                listener=self.listener,
            )
            self.drivers.append(driver)
        uids = [view.ref.uid for driver in self.drivers for view in driver.sessions]
        with alive(folder, uids), self._interruptible():
            await asyncio.gather(*(self._attend(driver) for driver in self.drivers))

    async def _attend(self, driver: LocalDriver) -> None:
        """Run one domain, and keep its hardware's hold fresh meanwhile."""
        beat = asyncio.create_task(driver.keep_hardware(HEARTBEAT_S))
        try:
            await driver.run()
        finally:
            beat.cancel()

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
        """Ctrl-C and SIGTERM cancel and wait; a second one kills the tasks."""
        asked = False

        def interrupt() -> None:
            nonlocal asked
            for driver in self.drivers:
                driver.processes.kill_all() if asked else driver.cancel()
            self.notice("killing the tasks" if asked else "cancelling: waiting for the running tasks to stop")
            asked = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _domains(self) -> Mapping[str, tuple[list[ChipView], list[SessionView]]]:
        """Chips and sessions by lock domain, as views."""
        now = datetime.now(UTC)
        chips = {chip.metadata.name: chip for chip in self.manifests.chips}
        domains: dict[str, tuple[list[ChipView], list[SessionView]]] = {}
        for session in self.manifests.sessions:
            chip = chips.get(session.spec.chip)
            if chip is None:
                known = ", ".join(sorted(chips)) or "none"
                raise LocalRunError(
                    f"session {session.metadata.name!r} names chip {session.spec.chip!r}, which no file describes "
                    f"(described: {known}): add its manifest to the command, or correct spec.chip"
                )
            namespace = session.metadata.namespace or _NAMESPACE
            hardware_id = chip.spec.hardware_id or f"{namespace}/{chip.metadata.name}"
            views, sessions = domains.setdefault(hardware_id, ([], []))
            if all(view.name != chip.metadata.name for view in views):
                views.append(
                    ChipView(
                        uid=str(uuid.uuid4()),
                        namespace=namespace,
                        name=chip.metadata.name,
                        generation=1,
                        resource_version="1",
                        spec=chip.spec,
                        status=chip.status,
                    )
                )
            sessions.append(
                SessionView(
                    ref=SessionRef(uid=str(uuid.uuid4()), namespace=namespace, name=session.metadata.name),
                    created_at=now,
                    generation=1,
                    spec=session.spec,
                    status=SessionStatus(),
                    finalized=False,
                )
            )
        return domains

    async def _outcome(self, view: SessionView) -> RunOutcome:
        if view.record is None or self.reader is None:
            return RunOutcome(view, (), None)
        project = view.record.chip_spec.project_id
        results = tuple(await self.reader.results(view.record.execution_id, project))
        folder = self.figures or data_folder() / "figures" / view.record.execution_id
        return RunOutcome(view, results, await save_figures(self.reader, results, folder))


def _write_secret(path: Path, text: str) -> Path:
    """The URI may hold a password: nobody else may read the file."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path
