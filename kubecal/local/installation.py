"""This installation: who may settle what it left behind.

Every execution carries a driver id. A laptop's is made once per data folder. A session that was running when its
driver was killed is settled as cancelled by the next run of the same installation; whether a driver still
lives is told by a file it keeps locked, which the kernel unlocks however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from kubecal.local.errors import LocalRunError
from kubecal.records.control import ControlRecords
from kubecal.records.hardware import HardwareClaims

_ROOM_BYTES = 64_000_000
"""The embedded database alone keeps tens of megabytes of journal."""
_LEFT_BEHIND = "the kubecal run that drove this session was killed"


def data_folder() -> Path:
    """Where local data lives: ``$XDG_DATA_HOME/kubecal``, by default ``~/.local/share/kubecal``."""
    base = os.environ.get("XDG_DATA_HOME")
    folder = (Path(base) if base else Path.home() / ".local" / "share") / "kubecal"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalRunError(
            f"the data folder {folder} cannot be made ({error.strerror}): "
            "set XDG_DATA_HOME to a folder you may write to"
        ) from error
    return folder


def runs_folder(folder: Path) -> Path:
    """Where running sessions show that they live, and listen; nobody else may look into it."""
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    if runs.stat().st_mode & 0o077:
        runs.chmod(0o700)
    return runs


def room_problem(folder: Path) -> str:
    """What to do about a data folder whose disk is full; empty while there is room."""
    free = shutil.disk_usage(folder).free
    if free >= _ROOM_BYTES:
        return ""
    return (
        f"the disk that holds {folder} is full: {free // 1_000_000} MB are left, {_ROOM_BYTES // 1_000_000} MB are "
        "needed: make room there, or set XDG_DATA_HOME to a folder with room"
    )


def driver_id(folder: Path) -> str:
    """The id of this installation, made on first use."""
    path = folder / "installation-id"
    with contextlib.suppress(FileExistsError), path.open("x") as new:
        new.write(f"local:{uuid.uuid4()}")
    return path.read_text().strip()


class Lifeline:
    """Shows that a driver and its sessions live, until it is let go, or until every process that has it is dead.

    Task processes inherit the locks. A driver that was killed therefore counts as alive as long as one of its
    tasks still drives something, and nobody takes its instruments before.
    """

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder = folder
        self._files: list[IO[str]] = []
        self.hold(owner)

    def hold(self, name: str) -> None:
        """Stand for one more: a session, or whoever holds hardware."""
        runs_folder(self._folder)
        file = _lock_path(self._folder, name).open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        self._files.append(file)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What a task process must inherit."""
        return tuple(file.fileno() for file in self._files)

    def let_go(self) -> None:
        """Everything has ended."""
        for file in self._files:
            Path(file.name).unlink(missing_ok=True)
            file.close()
        self._files.clear()


def _lock_path(folder: Path, name: str) -> Path:
    return folder / "runs" / f"{name.replace(':', '-')}.lock"


def lives(folder: Path, name: str) -> bool:
    """Whether the driver, or a task, of this session or owner lives."""
    path = _lock_path(folder, name)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    path.unlink(missing_ok=True)
    return False


async def settle_left_behind(folder: Path, records: ControlRecords, claims: HardwareClaims) -> tuple[str, ...]:
    """End what killed runs of this installation left unfinished, as cancelled; returns their names.

    What they held is free afterwards: without this a killed run would hold its chip until its heartbeat expires.
    """
    unfinished = await records.unfinished()
    dead = {uid: ref for uid, ref in unfinished.items() if not lives(folder, uid)}
    if dead:
        await records.abandon(dead, _LEFT_BEHIND, datetime.now(UTC))
    await claims.release_dead(f"{driver_id(folder)}:", lambda owner: lives(folder, owner))
    return tuple(sorted(ref.name for ref in dead.values()))


def said_of_left_behind(names: Sequence[str]) -> str:
    """What a person is told of sessions that nobody drove any more."""
    return f"an earlier run ended in mid-session, settled as cancelled: {', '.join(names)}"
