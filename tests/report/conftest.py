"""What the tests of the page share: tasks measured once, and a browser with a tab for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from kubecal.api.catalogue import built_in_catalogue
from kubecal.reading.records import Records
from kubecal.report import gather, render, write_report
from tests.report.browser import Browser, Tab, browser
from tests.report.measured import BEGAN, Samples, Session, samples


@pytest.fixture(scope="session")
def measured() -> Samples:
    """Every task once, with its figures."""
    return samples()


@pytest.fixture(scope="session")
def morning(measured: Samples) -> Session:
    """Sixteen qubits, two of them dead and one disabled."""
    return Session(measured, 4, dead=("5", "9"), disabled=("7",))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def page(morning: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the morning as a file."""
    return await written(morning, tmp_path_factory.mktemp("morning") / "report.html")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One browser for all."""
    # Chromium's children write into its profile to the last: pytest clears it away in a later run.
    async with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Browser) -> AsyncIterator[Tab]:
    """A tab of its own for each."""
    async with chromium.tab() as tab:
        yield tab


async def written(session: Session, path: Path) -> Path:
    """The report of a session as a file."""
    # It answers what a report asks, and nothing else that records are asked.
    records = cast(Records, session)
    material = await gather(records, session.detail.execution_id, BEGAN, catalogue=built_in_catalogue())
    write_report(path, render(material))
    return path
