"""The user's own kubectl: contexts, certificates and login plugins just work, because it is kubectl that uses them.

A command starts one ``kubectl proxy`` on a socket in a folder that only the user may read, asks everything over it,
and ends it. Whoever may open the socket has the user's rights, as whoever may read their kubeconfig.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from kubecal.lab.lab import LabError

_ERROR = re.compile(r"^(?:Error from server(?: \(\w+\))?|error): ?", re.IGNORECASE)
_LOG = re.compile(r"^[IWEF]\d{4} ")
"""How kubectl's own log lines begin."""
_ENDS = ("Error from server", "error:", "Unable to connect", "The connection to the server")
_READY = "Starting to serve on"
_MAX_SOCKET = 100
"""Bytes of a socket's path; the system allows little more."""
_PR_SET_PDEATHSIG = 1
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Context:
    """Which cluster, and where in it, as kubectl takes it from the kubeconfig."""

    name: str
    """Empty: there is no kubeconfig, and kubectl finds the cluster by itself."""
    namespace: str


async def context(chosen: str) -> Context:
    """The context of a name, or the current one.

    Raises
    ------
    LabError
        If there is no kubectl, or no such context.
    """
    process = await _start(chosen, "config", "view", "--minify", "--output", "json")
    said = asyncio.create_task(_error_of(process))
    out = await process.stdout.read() if process.stdout is not None else b""
    code, text = await process.wait(), await said
    if code and "current-context" in text and not chosen:
        return Context("", "default")
    if code:
        raise LabError(f"{_plain(text)}: kubectl config get-contexts lists those there are")
    contexts = json.loads(out).get("contexts") or [{}]
    namespace = contexts[0].get("context", {}).get("namespace", "")
    return Context(contexts[0].get("name", ""), namespace or "default")


@contextlib.asynccontextmanager
async def proxy(chosen: str) -> AsyncIterator[Path]:
    """The socket of a ``kubectl proxy`` to the context, as long as this lasts.

    Raises
    ------
    LabError
        If it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="kubecal-", dir=_short_folder()) as folder:
        socket = Path(folder) / "kubectl"
        process = await _start(chosen, "proxy", f"--unix-socket={socket}")
        said = asyncio.create_task(_error_of(process))
        try:
            assert process.stdout is not None
            if not (await process.stdout.readline()).decode(errors="replace").startswith(_READY):
                await process.wait()
                raise LabError(_plain(await said))
            yield socket
        finally:
            await _end(process)
            await said


def _short_folder() -> str | None:
    """Where temporary folders are made; None: where they are usually."""
    return "/tmp" if len(tempfile.gettempdir()) + len("/kubecal-12345678/kubectl") > _MAX_SOCKET else None


async def _start(chosen: str, *arguments: str) -> asyncio.subprocess.Process:
    program = shutil.which("kubectl")
    if program is None:
        raise LabError("kubectl is not found in the PATH: kubecal asks a cluster through it; install it")
    context = [f"--context={chosen}"] if chosen else []
    return await asyncio.create_subprocess_exec(
        program,
        *arguments,
        *context,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_ends_with_us_alone,
    )


def _ends_with_us_alone() -> None:
    """Runs in the child between fork and exec: it dies when we do, and not of the Ctrl-C that makes us cancel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _error_of(process: asyncio.subprocess.Process) -> str:
    """What it says at its end. What a login plugin says before, like a code to type in, is passed on at once."""
    last = ""
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode(errors="replace"):
        if line.startswith(_ENDS):
            last = line
        elif not _LOG.match(line):
            print(line, end="", file=sys.stderr, flush=True)
    return last


def _plain(said: str) -> str:
    return _ERROR.sub("", said.strip()) or "kubectl failed: what it said stands above"
