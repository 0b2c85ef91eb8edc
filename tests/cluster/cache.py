"""The folder outside the checkout that keeps what was built, keyed by versions and content.

Two runs at once share it. So everything is made in a temporary folder beside its place and renamed into it, under a
lock of its own: a half-made thing is never seen, and nothing is made twice.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

KEY_LENGTH = 12
"""Hex digits: enough for the few hundred things a machine ever builds, short enough for image tags."""


def cache_folder() -> Path:
    """The folder named by KUBECAL_CACHE, else `kubecal` in the user's cache folder."""
    given = os.environ.get("KUBECAL_CACHE")
    base = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubecal"
    folder = base.expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def key_of(*parts: str | bytes) -> str:
    """A short key of all parts. Lengths are hashed too, so that moving a boundary between two parts changes the key."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:KEY_LENGTH]


def key_of_folder(folder: Path, *parts: str) -> str:
    """A key of the names and contents of all files below a folder, and of further parts."""
    content: list[str | bytes] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        content += [str(path.relative_to(folder)), path.read_bytes()]
    return key_of(*parts, *content)


@contextmanager
def locked(name: str, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock of this name, waiting for it. The kernel lets go of it however the process ends."""
    folder = cache_folder() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@contextmanager
def try_locked(name: str, *, shared: bool = False) -> Iterator[bool]:
    """Hold the lock of this name if it is free; the value says whether we do."""
    folder = cache_folder() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a") as handle:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The cached folder of this name; `make` fills it, in a temporary place, if it is not there yet."""
    place = cache_folder() / name
    if place.is_dir():
        return place
    with locked(name.replace("/", "_")):
        if place.is_dir():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
        try:
            make(temporary)
            temporary.chmod(0o755)
            temporary.rename(place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return place
