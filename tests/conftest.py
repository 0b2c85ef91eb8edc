"""What tests of several parts share: a MongoDB, and a database of its own for each test that asks."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from kubecal.local.workplace import KEPT_VARIABLE
from kubecal.records.store import RecordStore
from tests.mongodb import server_for_tests, with_database

# What is still running after a test is a mistake, not a database that waits for whoever looks next.
os.environ.setdefault(KEPT_VARIABLE, "0")


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a server, without a database."""
    with server_for_tests(tmp_path_factory.mktemp("mongodb")) as uri:
        yield uri


@pytest.fixture
def mongodb_uri(mongodb: str) -> str:
    """URI of a database nobody else uses."""
    return with_database(mongodb, f"test-{uuid.uuid4().hex[:16]}")


@pytest.fixture
async def store(mongodb_uri: str) -> AsyncIterator[RecordStore]:
    """A connection to a fresh database with its indexes."""
    store = RecordStore(mongodb_uri)
    await store.ensure_indexes()
    yield store
    async with store.connected() as database:
        await database.client.drop_database(database.name)
    await store.close()
