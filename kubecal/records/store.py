"""The connection to MongoDB: one client a process, majority writes, bounded waiting.

Everybody else works within :meth:`RecordStore.connected` or :meth:`RecordStore.transaction`, so that a
server that is away, refuses or is the wrong one is told apart from our own mistakes in one place. After such
a failure the URI's file is read again: a password that was changed, or a Secret that was mended, works
without a restart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import pymongo
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.monitoring import CommandListener
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from kubecal.engine.model import RecordsHealth
from kubecal.records.failures import (
    RecordsUnavailable,
    Unusable,
    classify,
    is_conflict,
    judge_server,
    locked,
    unwrap,
)
from kubecal.records.indexes import COLLECTIONS

Document = dict[str, Any]
"""A BSON document; Any: values are whatever BSON holds. Builders and parsers are in documents.py."""
T = TypeVar("T")

_DATABASE = "kubecal"
"""Used where the URI names none."""
_WAITING_MS = {
    # One operation, all its retries included.
    "timeoutMS": 10_000,
    # Looking for a primary. An election may take longer, and is then tried again by whoever called.
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 3_000,
}
"""Bounds for whoever gives none in the URI."""
_TRANSACTION_S = 30.0
_INDEXES_S = 120.0
_LOCKED_S = 3.0
"""A race with another transaction is over in less. Whoever waits longer waits for one that was cut off, and has others
to look after meanwhile."""
_MAX_CONFLICTS = 50
"""Transactions that lose a race for a new key are run again; more losses in a row than this are a bug."""


class KeyTaken(Exception):  # noqa: N818 - a lost race, handled by running the transaction again
    """Another transaction made the same document first."""


class RecordStore:
    """One process's connection.

    Parameters
    ----------
    uri
        The MongoDB URI; its database, else ``kubecal``.
    listeners
        Told of every command, for measurements.
    """

    def __init__(self, uri: str, *, listeners: Sequence[CommandListener] = ()) -> None:
        self._read_uri: Callable[[], str] = lambda: uri
        self._listeners = tuple(listeners)
        self._client: AsyncMongoClient[Document] | None = None
        self._uri = ""
        self._doubtful = True
        self._unusable_since: datetime | None = None
        self._connecting = asyncio.Lock()

    @classmethod
    def from_file(cls, path: Path) -> RecordStore:
        """A connection whose URI stands in a mounted file, read again at each reconnect."""
        store = cls("")
        store._read_uri = lambda: _read_uri_file(path)
        return store

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncDatabase[Document]]:
        """The database, for operations whose failures mean what :mod:`kubecal.records.failures` says.

        Raises
        ------
        RecordsUnavailable
            If the server is away, refuses or is not one we can work with.
        """
        try:
            client = await self._connect()
            yield client.get_database(_database_name(client), codec_options=_CODEC)
        except PyMongoError as error:
            unavailable = classify(error, _where(self._client) if self._client else "the address in the URI")
            if unavailable is None:
                raise
            self._doubtful = True
            raise unavailable from error

    @asynccontextmanager
    async def majority(self) -> AsyncIterator[AsyncDatabase[Document]]:
        """The database for reads from which something is concluded: majority, on the primary."""
        async with self.connected() as database:
            yield database.with_options(read_preference=ReadPreference.PRIMARY, read_concern=ReadConcern("majority"))

    async def transaction(
        self,
        body: Callable[[AsyncDatabase[Document], AsyncClientSession], Awaitable[T]],
        timeout_s: float = _TRANSACTION_S,
    ) -> T:
        """Run ``body`` in one transaction, again as often as it loses a race.

        It may therefore run several times and must not have effects elsewhere. Causal consistency is off: one
        transaction a session, so there is nothing before it that it would have to be consistent with.

        Raises
        ------
        RecordsUnavailable
            With reason Locked where another transaction stays in the way.
        """

        conflicts_since: float | None = None

        async def attempt(session: AsyncClientSession) -> T:
            nonlocal conflicts_since
            try:
                return await body(database, session)
            except PyMongoError as error:
                inner = unwrap(error)
                if is_conflict(inner):
                    now = time.monotonic()
                    conflicts_since = conflicts_since or now
                    if now - conflicts_since > _LOCKED_S:
                        raise locked(_where(database.client)) from error
                if inner is error:
                    raise
                raise inner from error

        async with self.connected() as database:
            with pymongo.timeout(timeout_s):
                for _ in range(_MAX_CONFLICTS):
                    async with database.client.start_session(causal_consistency=False) as session:
                        try:
                            return await session.with_transaction(attempt)
                        except KeyTaken:
                            continue
        raise RuntimeError(
            f"a transaction lost {_MAX_CONFLICTS} races for a key: its documents' keys are not what it thinks"
        )

    async def check(self) -> RecordsHealth:
        """Whether the server can be used, in a sentence if not."""
        try:
            async with self.connected() as database:
                # Pinging needs no rights; reading what we will read does. By an index, because of a find without one
                # the embedded server reads everything.
                await database.execution_history.find_one({"_id": ""}, {"_id": 1})
        except RecordsUnavailable as unavailable:
            self._unusable_since = self._unusable_since or datetime.now(UTC)
            return RecordsHealth(False, unavailable.reason, unavailable.message, self._unusable_since)
        self._unusable_since = None
        return RecordsHealth(True)

    async def ensure_indexes(self) -> None:
        """Make every index that is missing; existing ones cost nothing."""
        async with self.connected() as database:
            # One that is new takes longer to make in years of records than anything else may take.
            with pymongo.timeout(_INDEXES_S):
                await asyncio.gather(
                    *(database[name].create_indexes(list(indexes)) for name, indexes in COLLECTIONS.items() if indexes)
                )

    def doubt(self) -> None:
        """Read the URI again before the next operation: it may have changed."""
        self._doubtful = True

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connect(self) -> AsyncMongoClient[Document]:
        """The client; after a failure with the URI read again and the server looked at again."""
        if self._client is not None and not self._doubtful:
            return self._client
        async with self._connecting:
            return await self._reconnect()

    async def _reconnect(self) -> AsyncMongoClient[Document]:
        if self._client is not None and not self._doubtful:
            return self._client
        uri = self._read_uri()
        if uri != self._uri:
            await self.close()
        if self._client is None:
            self._client = _new_client(uri, self._listeners)
            self._uri = uri
        client = self._client
        # Finds the primary by the driver's own greetings: no round trip of ours.
        address = await client.address
        server = client.topology_description.server_descriptions().get(address) if address else None
        unusable = judge_server(
            server.max_wire_version if server else 0, server.replica_set_name if server else None, _where(client)
        )
        if unusable is not None:
            # A client remembers what kind of server it met; the next one looks with fresh eyes.
            await self.close()
            raise unusable
        self._doubtful = False
        return client


_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True, tzinfo=UTC)


def _new_client(uri: str, listeners: Sequence[CommandListener]) -> AsyncMongoClient[Document]:
    given = {name.lower() for name in parse_qs(urlsplit(uri).query)}
    # Any: the driver's keyword options are of many types.
    waiting: dict[str, Any] = {name: value for name, value in _WAITING_MS.items() if name.lower() not in given}
    try:
        return AsyncMongoClient(
            uri,
            appname="kubecal",
            tz_aware=True,
            tzinfo=UTC,
            w="majority",
            retryWrites=True,
            retryReads=True,
            event_listeners=list(listeners),
            **waiting,
        )
    except (ValueError, TypeError) as error:
        raise ConfigurationError(str(error)) from error


def _read_uri_file(path: Path) -> str:
    try:
        uri = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordsUnavailable(
            Unusable.UNREACHABLE, f"the MongoDB URI cannot be read from {path}: {error}: create the Secret with key uri"
        ) from error
    if not uri:
        raise RecordsUnavailable(Unusable.UNREACHABLE, f"{path} is empty: write the MongoDB URI into it")
    return uri


def _database_name(client: AsyncMongoClient[Document]) -> str:
    return client.get_default_database(default=_DATABASE).name


def _where(client: AsyncMongoClient[Document]) -> str:
    """The servers without credentials: what may stand in a message that everybody reads."""
    seeds = sorted(client._topology_settings.seeds)
    return ",".join(f"{host}:{port}" for host, port in seeds)


__all__ = ["Document", "KeyTaken", "RecordStore", "RecordsUnavailable"]
