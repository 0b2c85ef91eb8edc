"""``kubecal-api``: serve until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from aiohttp import web

from kubecal.reading.stored import StoredRecords
from kubecal.records.store import RecordStore
from kubecal_api.service import application
from kubecal_api.settings import Settings, SettingsError

_SHUTDOWN_S = 5.0
"""What an answer under way gets to be finished."""


def main() -> None:
    """The console script."""
    argparse.ArgumentParser(prog="kubecal-api", description=__doc__).parse_args()
    try:
        asyncio.run(_serve(Settings.from_environment()))
    except (SettingsError, OSError) as error:
        sys.exit(f"kubecal-api: {error}")


async def _serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    store = RecordStore.from_file(settings.mongodb_uri_file)
    runner = web.AppRunner(
        application(StoredRecords(store)), handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN_S
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, None, settings.port).start()
        await stopped.wait()
    finally:
        await runner.cleanup()
        await store.close()


if __name__ == "__main__":
    main()
