import socket
import time
from pathlib import Path

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from kubecal.records.indexes import COLLECTIONS
from kubecal.records.store import Document, RecordStore, RecordsUnavailable
from tests.mongodb import running_server, with_database


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_usable_server_is_healthy(store: RecordStore) -> None:
    health = await store.check()

    assert (health.available, health.reason, health.message) == (True, "", "")


async def test_a_server_that_is_away_is_unreachable_since_it_was_first_missed() -> None:
    port = closed_port()
    store = RecordStore(f"mongodb://alice:secret@127.0.0.1:{port}/kubecal?serverSelectionTimeoutMS=50")

    first, second = await store.check(), await store.check()
    await store.close()

    assert (first.available, first.reason) == (False, "Unreachable")
    assert first.message.startswith(f"MongoDB at 127.0.0.1:{port} does not answer: ")
    assert "secret" not in first.message
    assert second.since == first.since


async def test_every_call_says_that_the_server_is_away() -> None:
    store = RecordStore(f"mongodb://127.0.0.1:{closed_port()}/kubecal?serverSelectionTimeoutMS=50")

    async def nothing(_database: AsyncDatabase[Document], _session: AsyncClientSession) -> None:
        return None

    with pytest.raises(RecordsUnavailable, match="does not answer"):
        await store.ensure_indexes()
    with pytest.raises(RecordsUnavailable, match="does not answer"):
        await store.transaction(nothing)
    await store.close()


async def test_a_server_without_a_replica_set_is_named_as_such(tmp_path: Path) -> None:
    with running_server(tmp_path, "--standalone") as uri:
        store = RecordStore(uri)
        health = await store.check()
        await store.close()

    assert (health.available, health.reason) == (False, "NotReplicaSet")
    assert "rs.initiate()" in health.message


async def test_a_server_that_wants_a_password_refuses_until_the_file_has_it(tmp_path: Path) -> None:
    with running_server(tmp_path, "--sync-on-commit") as uri:
        admin = RecordStore(with_database(uri, "admin"))
        async with admin.connected() as database:
            await database.command("createUser", "alice", pwd="right", roles=["root"])
        await admin.close()
    uri_file = tmp_path / "uri"
    with running_server(tmp_path, "--auth") as uri:
        address = uri.removeprefix("mongodb://").split("/")[0]
        store = RecordStore.from_file(uri_file)
        told = []
        for credentials in ("", "alice:wrong@", "alice:right@"):
            uri_file.write_text(f"mongodb://{credentials}{address}/kubecal?authSource=admin&directConnection=true\n")
            told.append(await store.check())
        await store.close()

    assert [health.reason for health in told] == ["Refused", "Refused", ""]
    assert "asks for a user name and password" in told[0].message
    assert "user name or password are wrong" in told[1].message


async def test_a_store_goes_on_when_its_server_is_back(tmp_path: Path) -> None:
    uri_file = tmp_path / "uri"
    uri_file.write_text(f"mongodb://127.0.0.1:{closed_port()}/kubecal?serverSelectionTimeoutMS=50")
    store = RecordStore.from_file(uri_file)
    assert not (await store.check()).available

    with running_server(tmp_path) as uri:
        uri_file.write_text(uri)
        assert (await store.check()).available
    await store.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "create the Secret with key uri"),
        ("", "is empty"),
        ("postgres://db", "cannot be read"),
        ("mongodb://", "cannot"),
    ],
)
async def test_a_uri_that_cannot_be_used_is_told_in_words(tmp_path: Path, text: str | None, message: str) -> None:
    uri_file = tmp_path / "uri"
    if text is not None:
        uri_file.write_text(text)

    health = await RecordStore.from_file(uri_file).check()

    assert (health.available, health.reason) == (False, "Unreachable")
    assert message in health.message


async def test_every_index_is_there_and_making_them_again_is_harmless(store: RecordStore) -> None:
    await store.ensure_indexes()

    async with store.connected() as database:
        for name, indexes in COLLECTIONS.items():
            there = await database[name].index_information()
            for index in indexes:
                assert index.document["name"] in there, f"{name}: {index.document['name']}"


async def test_a_transaction_that_fails_leaves_nothing(store: RecordStore) -> None:
    async def body(database: AsyncDatabase[Document], session: AsyncClientSession) -> None:
        await database.tag.insert_one({"project_id": "default", "name": "nightly"}, session=session)
        raise LookupError("half-way")

    with pytest.raises(LookupError, match="half-way"):
        await store.transaction(body)

    async with store.connected() as database:
        assert await database.tag.find().to_list() == []


async def test_a_transaction_that_was_cut_off_is_named_before_long(store: RecordStore) -> None:
    """Without a bound the next one stands still until the server ends the first, a minute later."""
    collection = "task_result_history"

    async def mark(database: AsyncDatabase[Document], session: AsyncClientSession) -> None:
        await database[collection].update_one({"_id": "held"}, {"$set": {"user_note": "late"}}, session=session)

    async with store.connected() as database, database.client.start_session() as other:
        await database[collection].insert_one({"_id": "held"})
        async with await other.start_transaction():
            await database[collection].update_one({"_id": "held"}, {"$set": {"user_note": "early"}}, session=other)
            begun = time.monotonic()
            with pytest.raises(RecordsUnavailable, match="a transaction of another process") as refused:
                await store.transaction(mark)
            assert refused.value.reason == "Locked"
            assert time.monotonic() - begun < 10
            assert (await store.check()).available
            await other.abort_transaction()
    await store.transaction(mark)
    async with store.connected() as database:
        held = await database[collection].find_one({"_id": "held"})
    assert held is not None
    assert held["user_note"] == "late"
