"""What every use of this computer as a lab needs: the data folder, a database, and room for passing files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kubecal.local.embedded import EmbeddedServer, embedded_server
from kubecal.local.errors import LocalRunError
from kubecal.local.installation import data_folder, room_problem
from kubecal.records.store import RecordStore

KEPT_VARIABLE = "KUBECAL_DATABASE_KEPT_S"
"""Environment variable with the seconds for which the embedded database is kept for whoever looks next."""
_KEPT_S = 10.0


@dataclass
class Workplace:
    """Where records are and files may be written, until the context ends."""

    folder: Path
    """The data folder."""
    scratch: Path
    """For files nobody needs afterwards; only this user's."""
    uri_file: Path
    """Holds the database's URI, which may change while it is in use: it is read again at every reconnect."""
    server: EmbeddedServer | None
    """None: the database is somebody else's."""
    only_looks: bool = True
    """False: something runs or ran here."""
    _stores: list[RecordStore] = field(default_factory=list)

    def moved_to(self, uri: str) -> None:
        """The database has another address from now on."""
        write_secret(self.uri_file, uri)
        for store in self._stores:
            store.doubt()

    def store(self) -> RecordStore:
        """A connection to the database, wherever it moves; for one event loop."""
        store = RecordStore.from_file(self.uri_file)
        self._stores.append(store)
        return store


@contextlib.contextmanager
def workplace(mongo_uri: str = "") -> Iterator[Workplace]:
    """Take up work on this computer; blocks while the database starts.

    Parameters
    ----------
    mongo_uri
        A MongoDB replica set; empty: the embedded server.

    Raises
    ------
    LocalRunError
        If the data folder cannot be used or the database cannot be started.
    """
    folder = data_folder()
    place: Workplace | None = None
    with contextlib.ExitStack() as stack:
        try:
            server = None
            if not mongo_uri:
                if problem := room_problem(folder):
                    raise LocalRunError(problem)
                server = stack.enter_context(embedded_server(folder / "mongodb", lambda: _kept_s(place)))
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="kubecal-", ignore_cleanup_errors=True))
            place = Workplace(folder, Path(scratch), Path(scratch) / "mongodb-uri", server)
            place.moved_to(server.uri if server is not None else mongo_uri)
        except OSError as error:
            raise disk_trouble(error, folder) from error
        yield place


def _kept_s(place: Workplace | None) -> float:
    """For how long the database is kept for whoever looks next; after a run it is not."""
    if place is None or not place.only_looks:
        return 0.0
    try:
        return max(0.0, float(os.environ.get(KEPT_VARIABLE, _KEPT_S)))
    except ValueError:
        return _KEPT_S


async def checked(store: RecordStore) -> None:
    """Look whether the database can be used.

    Raises
    ------
    LocalRunError
        If it cannot.
    """
    health = await store.check()
    if not health.available:
        hint = ": start it, or correct --mongo-uri" if "does not answer" in health.message else ""
        raise LocalRunError(health.message.partition(" (configured timeouts")[0] + hint)


def disk_trouble(error: OSError, folder: Path) -> LocalRunError:
    """What a file that cannot be written or made means, as a sentence."""
    problem = room_problem(folder) or "check that you may write there"
    return LocalRunError(f"{error.filename or folder}: {error.strerror or error}: {problem}")


def write_secret(path: Path, text: str) -> None:
    """The URI may hold a password: nobody else may read the file. A reader never sees half of it."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(path)
