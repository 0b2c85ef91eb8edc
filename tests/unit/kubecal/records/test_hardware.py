from datetime import UTC, datetime, timedelta

from kubecal.records.hardware import EXPIRY_S, HardwareClaims
from kubecal.records.store import RecordStore


async def silence(store: RecordStore, seconds: float) -> None:
    """Let every holder's last beat be so long ago."""
    async with store.connected() as database:
        at = datetime.now(UTC) - timedelta(seconds=seconds)
        await database.hardware_claims.update_many({}, {"$set": {"heartbeat_at": at}})


async def test_hardware_is_taken_once_and_told_to_whoever_waits(store: RecordStore) -> None:
    first, second = HardwareClaims(store, "run-1"), HardwareClaims(store, "run-2")

    assert await first.take("lab/fridge-a", "session morning on lab-3") == ""
    assert await first.take("lab/fridge-a", "session morning on lab-3") == ""
    assert await second.take("lab/fridge-a", "session evening on lab-4") == "session morning on lab-3"
    assert await second.take("lab/fridge-b", "session evening on lab-4") == ""
    assert await second.holders(["lab/fridge-a", "lab/fridge-b"]) == {"lab/fridge-a": "session morning on lab-3"}


async def test_released_hardware_is_free(store: RecordStore) -> None:
    first, second = HardwareClaims(store, "run-1"), HardwareClaims(store, "run-2")
    await first.take("lab/fridge-a", "first")

    await first.release()

    assert await second.holders(["lab/fridge-a"]) == {}
    assert await second.take("lab/fridge-a", "second") == ""


async def test_hardware_of_owners_that_are_known_to_be_dead_is_free_at_once(store: RecordStore) -> None:
    mine, other = HardwareClaims(store, "local:a:1"), HardwareClaims(store, "local:b:1")
    alive = HardwareClaims(store, "local:a:2")
    await mine.take("lab/fridge-a", "first")
    await alive.take("lab/fridge-b", "second")
    await other.take("lab/fridge-c", "another computer's")

    await HardwareClaims(store, "local:a:3").release_dead("local:a:", lambda owner: owner == "local:a:2")

    held = await HardwareClaims(store, "asks").holders(["lab/fridge-a", "lab/fridge-b", "lab/fridge-c"])
    assert held == {"lab/fridge-b": "second", "lab/fridge-c": "another computer's"}


async def test_a_holder_that_fell_silent_loses_the_hardware_and_is_told(store: RecordStore) -> None:
    first, second = HardwareClaims(store, "run-1"), HardwareClaims(store, "run-2")
    await first.take("lab/fridge-a", "first")
    await silence(store, EXPIRY_S + 1)

    assert await second.holders(["lab/fridge-a"]) == {}
    assert await second.take("lab/fridge-a", "second") == ""
    assert await first.beat() == ("lab/fridge-a",)
    assert await second.beat() == ()


async def test_a_beat_keeps_the_hardware(store: RecordStore) -> None:
    first, second = HardwareClaims(store, "run-1"), HardwareClaims(store, "run-2")
    await first.take("lab/fridge-a", "first")
    await silence(store, EXPIRY_S + 1)

    assert await first.beat() == ()

    assert await second.take("lab/fridge-a", "second") == "first"
