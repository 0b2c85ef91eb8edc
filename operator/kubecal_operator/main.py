"""``kubecal-operator``: run, let go of all sessions before an uninstallation, or remove old raw data."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from datetime import timedelta

import kopf
from aiohttp import web

from kubecal.engine.model import SessionRef
from kubecal.records.failures import RecordsUnavailable
from kubecal.records.retention import Pruned, prune, server_time
from kubecal.records.store import RecordStore
from kubecal_operator import names
from kubecal_operator.app import Operator
from kubecal_operator.client import ApiClient
from kubecal_operator.errors import ApiError
from kubecal_operator.explainer import PATH
from kubecal_operator.finalizers import remove_finalizer
from kubecal_operator.handlers import registry_of
from kubecal_operator.probes import Probes
from kubecal_operator.settings import PruneSettings, Settings, SettingsError


def main() -> None:
    """The console script."""
    parser = argparse.ArgumentParser(prog="kubecal-operator", description=__doc__)
    parser.add_argument(
        "command",
        choices=["run", "release", "prune"],
        help="run, take our finalizer off all sessions, or remove raw data that is older than it is kept for",
    )
    command = parser.parse_args().command
    try:
        if command == "prune":
            print(asyncio.run(_prune(PruneSettings.from_environment())))
        else:
            _serve(command, Settings.from_environment())
    except (SettingsError, RecordsUnavailable) as error:
        sys.exit(f"kubecal-operator: {error}")


def _serve(command: str, settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout
    )
    for chatty in ("kopf", "aiohttp", "pymongo", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    asyncio.run(_run(settings) if command == "run" else _release(settings))


async def _run(settings: Settings) -> None:
    operator = Operator(settings)
    questions = [web.get(PATH, operator.explainer.answer)]
    async with Probes(settings.probe_port, operator.trouble, operator.waiting, questions):
        await kopf.operator(
            registry=registry_of(operator),
            standalone=True,
            # Its own guess asks for the user's name, which a container's user has none of.
            identity=settings.identity,  # type: ignore[arg-type]
            namespaces=settings.namespaces,
        )


async def _release(settings: Settings) -> None:
    """Take our finalizer off every session of the served namespaces."""
    client = ApiClient()
    try:
        for namespace in settings.namespaces:
            for meta in await client.list_metadata(names.all_custom(namespace, names.SESSIONS)):
                if names.FINALIZER in meta.get("finalizers", ()):
                    await remove_finalizer(client, SessionRef(meta["uid"], namespace, meta["name"]))
                    logging.info("let go of %s/%s", namespace, meta["name"])
    except ApiError as error:
        sys.exit(f"kubecal-operator: {error}")
    finally:
        await client.close()


async def _prune(settings: PruneSettings) -> Pruned:
    """Remove raw data of attempts that ended longer ago than it is kept for."""
    store = RecordStore.from_file(settings.mongodb_uri_file)
    try:
        return await prune(store, timedelta(days=settings.raw_retention_days), await server_time(store))
    finally:
        await store.close()


if __name__ == "__main__":
    main()
