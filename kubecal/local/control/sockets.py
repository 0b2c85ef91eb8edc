"""The sockets of running sessions: where they are, how one is made, found, and removed when its maker was killed.

A path of a socket may have a hundred characters, and the data folder of a home that is far away has more: sockets are
therefore reached through the opened folder.
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from kubecal.local.installation import runs_folder

_ENDING = ".sock"
_WAITING = 16
"""Connections that wait to be taken up; more are tried again by whoever asks."""


@contextlib.contextmanager
def listening(folder: Path) -> Iterator[socket.socket]:
    """A socket in the data folder that listens until the context ends, and then is gone.

    Raises
    ------
    OSError
        If the folder's file system knows no sockets, or is full.
    """
    runs = runs_folder(folder)
    name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}{_ENDING}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        with _opened(runs) as place:
            hidden = f"{place}/.{name}"
            server.bind(hidden)
            os.chmod(hidden, 0o600)
            server.listen(_WAITING)
            # Under its name only now: who finds one that does not listen removes it.
            os.rename(hidden, f"{place}/{name}")
        server.setblocking(False)
        try:
            yield server
        finally:
            (runs / name).unlink(missing_ok=True)


def names(folder: Path) -> list[str]:
    """The sockets that there are, those of killed runs included."""
    return sorted(path.name for path in runs_folder(folder).glob(f"*{_ENDING}"))


def connected(folder: Path, name: str) -> socket.socket | None:
    """A connection to one of them; None: nobody listens any more, and the socket is removed."""
    runs = runs_folder(folder)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _opened(runs) as place:
            client.connect(f"{place}/{name}")
    except ConnectionRefusedError:
        (runs / name).unlink(missing_ok=True)
    except FileNotFoundError:
        pass
    except BaseException:
        client.close()
        raise
    else:
        client.setblocking(False)
        return client
    client.close()
    return None


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[str]:
    """A short path of a folder, whatever its own is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
