"""The page as a browser shows it: whole, quiet, readable in every light, on every width and from the keyboard."""

from __future__ import annotations

import io
import time
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from kubecal.reading.answers import Check
from tests.report.browser import Tab
from tests.report.conftest import written
from tests.report.measured import Samples, Session

pytestmark = pytest.mark.asyncio(loop_scope="session")

AA = 4.5
"""The least contrast of text, WCAG 2.2 AA."""
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
EVIL_FIGURE = b"""<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"><rect width="9" height="9"/>
<script>top.document.title = "taken"</script><image href="http://127.0.0.1:1/x.png" width="9" height="9"/></svg>"""
HOSTILE = """</script><script>document.title='taken'</script><img src=x onerror="document.title='taken'">'\"&"""


def _strangers(tab: Tab, page: Path) -> list[str]:
    """What was asked for besides the file itself and what lies in it."""
    return [url for url in tab.requests if url != page.as_uri() and not url.startswith(("data:", "blob:"))]


def _colours(picture: Path) -> int:
    """How many colours a picture has, similar ones counted once."""
    image = Image.open(picture).convert("RGB").quantize(64)
    return sum(1 for count, _ in image.getcolors() or [] if count > 20)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "phone"), [(1280, False), (390, True)])
async def test_it_is_shown_without_a_complaint_and_asks_for_nothing(
    tab: Tab, page: Path, tmp_path: Path, scheme: str, width: int, phone: bool
) -> None:
    await tab.size(width, 900, phone=phone)
    await tab.prefer(scheme)
    await tab.show(page)
    assert tab.complaints == []
    assert _strangers(tab, page) == []
    assert _colours(await tab.picture(tmp_path / "top.png")) > 5
    assert await tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing makes the page wider"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_the_contrast_of_aa(tab: Tab, page: Path, scheme: str) -> None:
    await tab.prefer(scheme)
    await tab.show(page)
    await tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    # Cards out of sight have no layout: what is far below is brought in.
    await tab.evaluate(
        "document.querySelectorAll('.card').forEach((one) => { one.style.contentVisibility = 'visible' })"
    )
    found = await tab.evaluate(CONTRAST)
    assert len(found) > 1000
    assert [one for one in found if one[0] < AA] == []


async def test_a_background_prefers_what_the_person_prefers(tab: Tab, page: Path) -> None:
    await tab.show(page)
    grounds = []
    for scheme in ("light", "dark"):
        await tab.prefer(scheme)
        grounds.append(await tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(245, 246, 247)", "rgb(17, 20, 23)"]


async def test_tab_reaches_everything_and_the_first_stop_skips_to_the_results(tab: Tab, page: Path) -> None:
    await tab.show(page)
    await tab.press("Tab")
    assert await tab.evaluate("document.activeElement.className") == "skip"
    await tab.press("Enter")
    await tab.until("document.activeElement.id === 'main'")
    at = "document.activeElement.closest('[id], nav')?.id + ' ' + document.activeElement.tagName"
    stops: list[str] = []
    for _ in range(400):
        await tab.press("Tab")
        stops.append(await tab.evaluate(at))
        if stops[-1] == "manifests PRE":
            break
    assert stops[-1] == "manifests PRE", "the last thing on the page"
    assert "choice SELECT" in stops
    assert sum(stop.endswith(" a") for stop in stops) == 1, "the map is one stop"
    assert sum(stop.endswith(" SUMMARY") for stop in stops) > 16, "every fold is a stop"


async def test_on_the_map_arrows_go_from_qubit_to_qubit_and_enter_unfolds_one(tab: Tab, page: Path) -> None:
    await tab.show(page)
    await tab.evaluate("document.querySelector('.cell[tabindex=\"0\"]').focus()")
    walked = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        await tab.press(key)
        walked.append(await tab.evaluate("document.activeElement.dataset.id"))
    assert walked == ["1", "3", "2", "0"]
    assert not await tab.evaluate("document.querySelector('#t-0').open")
    await tab.press("Enter")
    await tab.until("document.querySelector('#t-0').open")


async def test_the_map_is_coloured_by_what_is_chosen(tab: Tab, page: Path) -> None:
    await tab.show(page)
    cell = "document.querySelector('.cell[data-id=\"0\"]')"
    label = f"{cell}.getAttribute('aria-label')"
    assert "t1" in await tab.evaluate(label)
    before = await tab.evaluate(f"{cell}.querySelector('rect').getAttribute('fill')")
    await tab.evaluate(
        """(() => { const choice = document.querySelector('#choice');
        choice.value = [...choice.options].find((one) => one.text.startsWith('qubit_frequency')).value;
        choice.dispatchEvent(new Event('change')) })()"""
    )
    assert "qubit_frequency" in await tab.evaluate(label)
    assert await tab.evaluate(f"{cell}.querySelector('rect').getAttribute('fill')") != before
    assert await tab.evaluate("document.querySelector('.cell[data-id=\"7\"]').classList.contains('disabled')")


async def test_packed_figures_are_unpacked_when_their_part_is_unfolded(tab: Tab, page: Path, tmp_path: Path) -> None:
    await tab.show(page)
    last = "[...document.querySelectorAll('details.target')].at(-1)"
    packed = f"{last}.querySelectorAll('[data-packed]').length"
    assert await tab.evaluate(packed) > 10
    await tab.evaluate(f"{last}.open = true; {last}.scrollIntoView()")
    await tab.until(f"{last}.querySelector('img').naturalWidth > 100")
    assert _colours(await tab.picture(tmp_path / "figure.png")) > 8
    assert tab.complaints == []


async def test_all_figures_of_a_part_are_there_once_it_is_unfolded_by_hand(tab: Tab, page: Path) -> None:
    await tab.show(page)
    last = "[...document.querySelectorAll('details.target')].at(-1)"
    await tab.evaluate(f"{last}.querySelector('summary').click(); scrollTo(0, 0)")
    await tab.until(f"{last}.querySelectorAll('[data-packed]').length === 0")
    await tab.until(f"[...{last}.querySelectorAll('img')].every((one) => one.src.startsWith('blob:'))")


async def test_a_link_into_what_is_folded_unfolds_it(tab: Tab, page: Path) -> None:
    await tab.show(page)
    await tab.evaluate("document.querySelector('#parameters details').open = true")
    await tab.evaluate("document.querySelector('#parameters td, #parameters th a').click()")
    await tab.until("location.hash && document.querySelector(location.hash).closest('details').open")


async def test_without_its_script_it_can_be_read(tab: Tab, page: Path) -> None:
    await tab.call("Emulation.setScriptExecutionDisabled", value=True)
    await tab.show(page)
    seen = "document.querySelector('.cell[data-id=\"0\"] .value').textContent"
    assert float(await tab.evaluate(seen)) > 0
    await tab.until("[...document.querySelectorAll('#failed img')].every((one) => one.naturalWidth > 100)")
    assert "packed" in await tab.evaluate("document.querySelector('main > noscript').textContent")
    # What would do nothing is not shown.
    assert await tab.evaluate("[...document.querySelectorAll('button, select')].every((one) => !one.checkVisibility())")


async def test_it_has_one_outline_and_names_for_everything(tab: Tab, page: Path) -> None:
    await tab.show(page)
    levels = await tab.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map((one) => +one.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    count = "document.querySelectorAll('{}').length"
    for nameless in (
        "img:not([alt])",
        "th:not([scope])",
        "table:not(:has(caption))",
        "svg[role=img]:not([aria-label])",
    ):
        assert await tab.evaluate(count.format(nameless)) == 0, nameless
    for landmark in ("header.page-head", "nav[aria-label]", "main", "footer", "html[lang=en]"):
        assert await tab.evaluate(count.format(landmark)) == 1, landmark
    ids = await tab.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    links = await tab.evaluate("[...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))")
    assert {link.removeprefix("#") for link in links} <= set(ids)


async def test_what_pods_and_people_wrote_stays_text(tab: Tab, measured: Samples, tmp_path: Path) -> None:
    about = {"session": HOSTILE, "note": HOSTILE, "message": HOSTILE, "username": HOSTILE, "tags": (HOSTILE,)}
    session = Session(measured, 2, dead=("1",), **about)
    check = Check(name=HOSTILE, value=1.0, limit=2.0, ok=False, message=HOSTILE)
    said = {"message": HOSTILE, "log_tail": HOSTILE, "checks": (check,), "run_parameters": {HOSTILE: HOSTILE}}
    rows = [row.model_copy(update=said) for row in session.rows]
    output = rows[0].outputs[0].model_copy(update={"name": HOSTILE, "unit": HOSTILE, "description": HOSTILE})
    session.rows = [rows[0].model_copy(update={"task": HOSTILE, "outputs": (output,)}), *rows[1:]]
    page = await written(session, tmp_path / "report.html")
    await tab.show(page)
    assert await tab.evaluate("document.title") == f"{HOSTILE} · 20261125-004"
    assert await tab.evaluate("document.querySelector('h1').textContent") == HOSTILE
    assert await tab.evaluate("document.querySelectorAll('script').length") == 2
    assert await tab.evaluate("document.querySelectorAll('img:not(.figure)').length") == 0
    assert (tab.complaints, _strangers(tab, page)) == ([], [])


async def test_a_figure_that_holds_a_script_does_not_run_it(tab: Tab, measured: Samples, tmp_path: Path) -> None:
    session = Session(measured, 2)
    session.svgs = dict.fromkeys(session.svgs, EVIL_FIGURE)
    page = await written(session, tmp_path / "report.html")
    await tab.show(page)
    await tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    await tab.evaluate("document.querySelector('img').scrollIntoView()")
    await tab.until("document.querySelector('img').naturalWidth > 0")
    assert await tab.evaluate("document.title") == "morning · 20261125-004"
    assert _strangers(tab, page) == []


async def test_it_prints_on_paper_with_what_is_unfolded(tab: Tab, page: Path) -> None:
    await tab.prefer("dark", "print")
    await tab.show(page)
    assert await tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    ink = await tab.evaluate("getComputedStyle(document.body).color")
    assert ink == "rgb(22, 25, 29)", "also in a browser that prefers the dark, ink is dark on paper"
    before = await tab.printed()
    await tab.evaluate("document.querySelector('#t-0').open = true")
    await tab.until("document.querySelector('#t-0 img').naturalWidth > 100")
    after = await tab.printed()
    assert before.startswith(b"%PDF")
    assert _pages(after) > _pages(before) >= 3


def _pages(pdf: bytes) -> int:
    return pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type /Page/")


async def test_a_session_that_still_runs_says_so(tab: Tab, measured: Samples, tmp_path: Path) -> None:
    session = Session(measured, 2, status="running", phase="Running", ended_at=None)
    session.rows[-1] = session.rows[-1].model_copy(update={"status": "running", "verdict": "", "ended_at": None})
    await tab.show(await written(session, tmp_path / "report.html"))
    assert "was still running" in await tab.evaluate("document.querySelector('[role=status]').textContent")


async def test_a_thousand_tasks_are_written_and_shown_in_seconds(tab: Tab, measured: Samples, tmp_path: Path) -> None:
    session = Session(measured, 8, dead=("5",))
    assert len(session.rows) >= 1000
    began = time.process_time()
    page = await written(session, tmp_path / "report.html")
    assert time.process_time() - began < 10.0
    assert page.stat().st_size < 60_000_000
    before = await _renderers_cpu_s(tab)
    await tab.show(page)
    assert await _renderers_cpu_s(tab) - before < 6.0
    assert tab.complaints == []
    picture = Image.open(io.BytesIO((await tab.picture(tmp_path / "top.png")).read_bytes()))
    assert picture.size == (1280, 900)
    assert _colours(tmp_path / "top.png") > 5


async def _renderers_cpu_s(tab: Tab) -> float:
    """What drawing pages took of processors, which another load on the computer does not change."""
    processes = (await tab.browser.call("SystemInfo.getProcessInfo"))["processInfo"]
    return sum(float(process["cpuTime"]) for process in processes if process["type"] == "renderer")
