"""One served namespace in which one case after the other is run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal_operator import names
from kubecal_operator.client import ApiClient
from kubecal_operator.errors import ApiError
from tests.cluster.control_plane import ControlPlane
from tests.controller.ground import prepare
from tests.controller.lab import FINAL, new_namespace, system_namespace
from tests.controller.lives import lives, overlaps
from tests.mongodb import with_database
from tests.sweeps.database import DatabaseGateway
from tests.sweeps.disturbance import Disturbance, Scene, SweepLab
from tests.sweeps.gateway import Gateway
from tests.sweeps.judging import Seen
from tests.sweeps.operator import Manner
from tests.sweeps.scenario import SESSION, Pods, Scenario, documents, twice
from tests.sweeps.scenarios import CHIP

Json = dict[str, Any]
_ENDS_S = 60.0
_CLEAN_S = 15.0


class Lane:
    """One namespace, its gateways and the cases run in it."""

    def __init__(self, control_plane: ControlPlane, mongodb: str, folder: Path) -> None:
        self._control_plane, self._mongodb, self._folder = control_plane, mongodb, folder
        self._namespace = new_namespace()

    def prepare(self) -> None:
        """Make the namespaces and the operator's account."""
        prepare(self._control_plane, self._namespace)
        account = (system_namespace(self._namespace), "kubecal-operator")
        self._kubeconfig = self._control_plane.service_account_kubeconfig(*account)

    async def run(self, scenario: Scenario, disturbance: Disturbance, plant: str = "") -> Seen:
        """One session from its manifests until nothing is left of it."""
        since = time.monotonic()
        async with self._scene(scenario, Manner(plant, disturbance.relist_s)) as scene:
            disturbance.scene = scene
            scene.gateway.meddler = scene.database.meddler = disturbance
            status, problems = await _played(scene)
            problems += [] if problems else await _left_over(scene)
            every = lives(scene.lab.audit())
            problems += overlaps(every) + scene.pods.clashes + twice(scene.pods, [life.attempt for life in every])
            found = await documents(self._direct)
            problems += _unfinished(found)
            if problems:
                problems.append(await scene.lab.account())
        return Seen(status, found, problems, time.monotonic() - since)

    @contextlib.asynccontextmanager
    async def _scene(self, scenario: Scenario, manner: Manner) -> AsyncIterator[Scene]:
        folder = self._folder / uuid.uuid4().hex[:8]
        folder.mkdir(parents=True)
        self._direct = with_database(self._mongodb, f"sweep-{uuid.uuid4().hex[:16]}")
        os.environ["KUBECONFIG"] = str(self._control_plane.kubeconfig)
        api = ApiClient()
        try:
            async with Gateway(self._kubeconfig) as gateway, DatabaseGateway(self._direct) as database:
                kubeconfig = gateway.kubeconfig(folder / "kubeconfig")
                position = self._control_plane.audit_position()
                lab = SweepLab(self._control_plane, api, self._namespace, database.uri, folder, kubeconfig, position)
                lab.manner, lab.catalogue = manner, scenario.catalogue
                pods = Pods(api, self._namespace, self._direct, scenario)
                async with pods:
                    scene = Scene(scenario, lab, gateway, database, pods)
                    try:
                        yield scene
                    finally:
                        for task in scene.background:
                            task.cancel()
                        await asyncio.gather(*scene.background, return_exceptions=True)
                        lab.end()
        finally:
            # Also after a case that broke: what it left would break the next one.
            try:
                await self._cleaned(api)
            finally:
                await api.close()
                await _dropped(self._direct)
                shutil.rmtree(folder, ignore_errors=True)

    async def _cleaned(self, api: ApiClient) -> None:
        """The namespace as it was, whatever a case left in it."""
        await _gone(api, names.lease(system_namespace(self._namespace), "kubecal-operator"))
        for plural in (names.SESSIONS, names.CHIPS):
            path = names.all_custom(self._namespace, plural)
            for meta in await api.list_metadata(path):
                if meta.get("finalizers"):
                    await api.merge(f"{path}/{meta['name']}", {"metadata": {"finalizers": None}})
                await _gone(api, f"{path}/{meta['name']}")
        for meta in await api.list_metadata(names.pods(self._namespace)):
            await _gone(api, names.pods(self._namespace, meta["name"]), gracePeriodSeconds=0)


async def _played(scene: Scene) -> tuple[Json | None, list[str]]:
    lab = scene.lab
    try:
        lab.start_operator()
        await lab.until(lab.lease_holder, "the operator's start", _ENDS_S)
        await lab.apply_chip(**CHIP)
        scene.begun = True
        await lab.apply_session(SESSION, steps=list(scene.scenario.steps), **scene.scenario.spec)
        status: Json | None = await lab.until(lambda: _ended(lab), "the session's end", _ENDS_S)
        await asyncio.gather(*scene.background)
        await lab.until(lambda: _settled(lab), "the record's end", _CLEAN_S)
        with contextlib.suppress(ApiError):
            await lab.delete_session(SESSION)
        await lab.gone(SESSION, _CLEAN_S)
    except AssertionError as error:
        return None, [str(error)]
    return status or None, []


async def _ended(lab: SweepLab) -> Json | None:
    """Its last status; one with nothing in it when the session is gone."""
    body = await lab.session(SESSION)
    if body is None:
        return {"phase": "Gone"}
    status: Json = body.get("status", {})
    return status if status.get("phase") in FINAL else None


async def _settled(lab: SweepLab) -> bool:
    return all(one["status"] not in ("scheduled", "running") for one in await lab.executions())


async def _left_over(scene: Scene) -> list[str]:
    """Pods that still run although their session is gone, and a chip that is still held."""
    lab = scene.lab

    async def no_pods() -> bool:
        return not [pod for pod in await lab.pods() if not _over(pod)]

    async def free() -> bool:
        return not (await lab.chip_status()).get("holders")

    if await lab.session(SESSION) is not None:
        return []
    try:
        await lab.until(no_pods, "the end of all pods", _CLEAN_S)
        await lab.until(free, "the chip's release", _CLEAN_S)
    except AssertionError as error:
        return [str(error)]
    return []


def _over(pod: Json) -> bool:
    """Whether nothing of a pod runs and Kubernetes collects it by itself, as it does what a gone session owns.

    That it does is not waited for: it learns of new kinds every 30 s only. A stranger's pod is none of ours.
    """
    owners = pod["metadata"].get("ownerReferences", ())
    containers = pod["status"].get("containerStatuses", ())
    ended = bool(containers) and all("terminated" in one["state"] for one in containers)
    return not owners or (ended and owners[0]["controller"] and owners[0]["name"] == SESSION)


def _unfinished(found: dict[str, list[Json]]) -> list[str]:
    """Records that claim to be under way although nothing is."""
    return [
        f"record of {one['name']} is still {one['status']}"
        for collection in ("execution_history", "task_result_history")
        for one in found[collection]
        if one["status"] in ("scheduled", "running")
    ]


async def _gone(api: ApiClient, path: str, **body: Any) -> None:
    try:
        await api.delete(path, body)
    except ApiError as error:
        if not error.not_found:
            raise


async def _dropped(uri: str) -> None:
    store = RecordStore(uri)
    # A transaction that was cut off may keep it for a while: a database too many until the server ends is no harm.
    with contextlib.suppress(RecordsUnavailable):
        async with store.connected() as database:
            await database.client.drop_database(database.name)
    await store.close()
