"""This installation: who may settle what it left behind.

Every execution carries a driver id. A laptop's is made once per data folder. A session that was running when its
driver was killed is settled as cancelled by the next run of the same installation; whether a driver still
lives is told by a file it keeps locked, which the kernel unlocks however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kubecal.records.control import ControlRecords

_LEFT_BEHIND = "the kubecal run that drove this session was killed"


def data_folder() -> Path:
    """Where local data lives: ``$XDG_DATA_HOME/kubecal``, by default ``~/.local/share/kubecal``."""
    base = os.environ.get("XDG_DATA_HOME")
    folder = (Path(base) if base else Path.home() / ".local" / "share") / "kubecal"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def driver_id(folder: Path) -> str:
    """The id of this installation, made on first use."""
    path = folder / "installation-id"
    with contextlib.suppress(FileExistsError), path.open("x") as new:
        new.write(f"local:{uuid.uuid4()}")
    return path.read_text().strip()


@contextlib.contextmanager
def alive(folder: Path, session_uids: Sequence[str]) -> Iterator[None]:
    """Show that the driver of these sessions lives, until the context ends."""
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    paths = [runs / f"{uid}.lock" for uid in session_uids]
    with contextlib.ExitStack() as stack:
        for path in paths:
            fcntl.flock(stack.enter_context(path.open("w")), fcntl.LOCK_EX)
        try:
            yield
        finally:
            for path in paths:
                path.unlink(missing_ok=True)


def _lives(folder: Path, session_uid: str) -> bool:
    path = folder / "runs" / f"{session_uid}.lock"
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    path.unlink(missing_ok=True)
    return False


async def settle_left_behind(folder: Path, records: ControlRecords) -> tuple[str, ...]:
    """End what killed runs of this installation left unfinished, as cancelled; returns their names."""
    unfinished = await records.unfinished()
    dead = {uid: ref for uid, ref in unfinished.items() if not _lives(folder, uid)}
    if dead:
        await records.abandon(dead, _LEFT_BEHIND, datetime.now(UTC))
    return tuple(sorted(ref.name for ref in dead.values()))
