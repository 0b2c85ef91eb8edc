"""A browser without a display, driven through Chrome's DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.cluster.packages import ensure_programs, program
from tests.cluster.process import end, spawn

PATIENCE_S = 60.0
_POLL_S = 0.02
_WITHOUT = "the report's tests need {packages}: install this Debian package, or your system's Chromium"
_OPTIONS = (
    *("--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--hide-scrollbars"),
    # Whoever runs the tests in a container has no user namespaces; the pages are our own.
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"),
)


class Browser:
    """One browser process, spoken to over one socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}

    async def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """One call of the protocol, of a tab or of the browser itself; Any: whatever it takes and gives."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(PATIENCE_S):
            return await answer

    async def listen(self) -> None:
        """Take in what the browser says, until it is closed."""
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                answer = self._answers.pop(told["id"])
                if answer.done():  # Nobody waits for it any more.
                    continue
                if "error" in told:
                    answer.set_exception(AssertionError(f"the browser refuses: {told['error']}"))
                else:
                    answer.set_result(told["result"])
            elif told.get("sessionId") in self._tabs:
                self._tabs[told["sessionId"]].note(told["method"], told["params"])

    @contextlib.asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """A tab of the size of a laptop's window, closed with the block."""
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        try:
            for domain in ("Page", "Network", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            await tab.size(1280, 900)
            yield tab
        finally:
            await self.call("Target.closeTarget", targetId=target)


@dataclass
class Tab:
    """One page that is shown."""

    browser: Browser = field(repr=False)
    session: str
    requests: list[str] = field(default_factory=list, repr=False)
    """Every URL that the page asked for, data and blobs included."""
    complaints: list[str] = field(default_factory=list)
    """Errors, warnings and violations of the policy that the page caused."""
    _loaded: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call of the protocol; Any: whatever it takes and gives."""
        return await self.browser.call(method, self.session, **parameters)

    def note(self, event: str, said: dict[str, Any]) -> None:
        """Take in what happened in it; Any: what the protocol says of it."""
        match event:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(said["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(said["args"]))
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                self.complaints.append(said["entry"]["text"])

    async def show(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self._loaded.clear()
        await self.call("Page.navigate", url=path.as_uri())
        async with asyncio.timeout(PATIENCE_S):
            await self._loaded.wait()

    async def size(self, width: int, height: int, *, phone: bool = False) -> None:
        """As if the window had this size in CSS pixels."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    async def prefer(self, scheme: str, medium: str = "") -> None:
        """``light`` or ``dark``; ``medium``: ``print`` as if it were printed."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.call("Emulation.setEmulatedMedia", media=medium, features=[feature])

    async def evaluate(self, expression: str) -> Any:  # Any: whatever JSON it comes to
        """What an expression comes to in the page; promises are waited for."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait for something to be true in the page."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.evaluate(condition):  # noqa: ASYNC110  # No event tells of it.
                await asyncio.sleep(_POLL_S)

    async def press(self, key: str, *, shift: bool = False) -> None:
        """One key, by the name that scripts know it by."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        said = {"key": key, "windowsVirtualKeyCode": codes[key], "modifiers": 8 if shift else 0}
        text = {"Enter": "\r", " ": " "}.get(key)
        await self.call("Input.dispatchKeyEvent", type="keyDown", **said, **({"text": text} if text else {}))
        await self.call("Input.dispatchKeyEvent", type="keyUp", **said)

    async def picture(self, path: Path, *, whole: bool = False) -> Path:
        """A PNG of what is seen, or of the whole page."""
        shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))
        return path

    async def printed(self) -> bytes:
        """The page as a PDF."""
        made = await self.call("Page.printToPDF", printBackground=False)
        return base64.b64decode(made["data"])


@contextlib.asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A browser with an empty folder as its profile, ended with the block."""
    ensure_programs("chromium", otherwise=_WITHOUT)
    found = program("chromium")
    assert found is not None
    process = spawn([found, *_OPTIONS, f"--user-data-dir={profile}"], profile / "log")
    try:
        address = await _until(lambda: _address(profile / "DevToolsActivePort"))
        async with aiohttp.ClientSession() as client, client.ws_connect(address, max_msg_size=0) as socket:
            opened = Browser(socket)
            listening = asyncio.create_task(opened.listen())
            yield opened
            listening.cancel()
    finally:
        end(process)


def _address(written: Path) -> str:
    """Where the browser listens, once it has written that down."""
    words = written.read_text().split() if written.exists() else []
    return f"ws://127.0.0.1:{words[0]}{words[1]}" if len(words) == 2 else ""


async def _until(look: Callable[[], str]) -> str:
    """The first answer that is not empty."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := look()):  # noqa: ASYNC110  # No event tells of it.
            await asyncio.sleep(_POLL_S)
    return found
