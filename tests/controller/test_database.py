"""A MongoDB that answers but cannot be used: said in words within seconds, and gone on with once it is mended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from kubecal.records.store import RecordStore
from tests.controller.lab import Lab
from tests.controller.lives import lives
from tests.controller.podsim import PodSimulator
from tests.controller.proxy import Proxy
from tests.mongodb import running_server, with_database

Simulated = Callable[..., PodSimulator]
_WITHIN_S = 10.0
_GREETING = re.compile(rb"(\x10maxWireVersion\x00)(....)", re.DOTALL)
_MONGODB_7 = (21).to_bytes(4, "little")


def _as_mongodb_7(data: bytes) -> bytes:
    """The greeting of a server before 8.0; nothing else in an answer has this field."""
    return _GREETING.sub(rb"\g<1>" + _MONGODB_7, data)


async def _named(lab: Lab, reason: str, *words: str) -> None:
    since = time.monotonic()
    condition = await lab.condition("ResultsStored", reason)
    assert time.monotonic() - since < _WITHIN_S
    for each in words:
        assert each in condition["message"]
    assert lives(lab.audit()) == []


async def _applied(lab: Lab) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(tasks=("CheckT1",))


async def _goes_on(lab: Lab, simulated: Simulated) -> None:
    async with simulated():
        await lab.phase("Completed", timeout_s=60)
    assert (await lab.rows())[0]["status"] == "completed"


async def test_a_server_that_is_too_old_is_named_until_it_is_upgraded(lab: Lab, simulated: Simulated) -> None:
    async with Proxy(lab.mongodb_uri, _as_mongodb_7) as proxy:
        lab.mongodb_uri = proxy.uri
        await _applied(lab)
        await _named(lab, "TooOld", "8.0")
        # An upgrade is a restart on the same address.
        proxy.cut()
        proxy.rewrite = None
        await proxy.mend()
        await _goes_on(lab, simulated)


async def test_a_server_that_is_no_replica_set_is_named_until_it_is_one(
    lab: Lab, simulated: Simulated, tmp_path: Path
) -> None:
    with running_server(tmp_path / "standalone", "--standalone") as alone:
        async with Proxy(alone) as proxy:
            good, lab.mongodb_uri = lab.mongodb_uri, with_database(proxy.uri, "kubecal")
            await _applied(lab)
            await _named(lab, "NotReplicaSet", "rs.initiate()")
        # The Secret's file changes under the operator, as the kubelet has it.
        lab.write_uri(good)
        await _goes_on(lab, simulated)


async def test_wrong_credentials_are_named_until_the_secret_has_the_right_ones(
    lab: Lab, simulated: Simulated, tmp_path: Path
) -> None:
    with running_server(tmp_path / "auth", "--sync-on-commit") as uri:
        admin = RecordStore(with_database(uri, "admin"))
        async with admin.connected() as database:
            await database.command("createUser", "alice", pwd="right", roles=["root"])
        await admin.close()
    with running_server(tmp_path / "auth", "--auth") as uri:
        address = uri.removeprefix("mongodb://").split("/")[0]
        wrong, right = (
            f"mongodb://alice:{password}@{address}/kubecal?authSource=admin&directConnection=true"
            for password in ("wrong", "right")
        )
        lab.mongodb_uri = wrong
        await _applied(lab)
        await _named(lab, "Refused", "user name or password are wrong", address)
        lab.write_uri(right)
        await _goes_on(lab, simulated)
