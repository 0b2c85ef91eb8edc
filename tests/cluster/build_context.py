"""What a Dockerfile takes from its context: the only files whose change makes another image.

Without this every edit of a document would give every image a new key, and loading an image into the nodes is what
takes the time.
"""

import io
import json
import re
import shlex
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from tests.cluster.cache import key_of
from tests.cluster.errors import ClusterError

_CLOCK = 1_700_000_000
"""The time of change of all files in a context: wheels cannot hold times before 1980, and 0 is 1970."""


def copied_sources(dockerfile: str) -> list[str]:
    """The sources of COPY and ADD that come from the context, as the Dockerfile names them."""
    sources: list[str] = []
    for line in _instructions(dockerfile):
        match = re.match(r"(?i)(COPY|ADD)\s+(.*)", line)
        if not match:
            continue
        rest = match[2].strip()
        flags = re.match(r"((?:--\S+\s+)*)(.*)", rest)
        assert flags is not None  # both groups may be empty
        if "--from=" in flags[1]:
            continue
        words = json.loads(flags[2]) if flags[2].startswith("[") else shlex.split(flags[2])
        sources += [word for word in words[:-1] if not re.match(r"https?://|git@", word)]
    return sources


def context_files(context: Path, dockerfile: str, ignored: Iterable[str] = ()) -> list[Path]:
    """The files below the context that the Dockerfile copies, in order.

    Raises:
        ClusterError: a source is not there.
    """
    unwanted = set(ignored)
    files: set[Path] = set()
    for source in copied_sources(dockerfile):
        found = [context / source] if "*" not in source and "?" not in source else sorted(context.glob(source))
        if not found or not all(path.exists() for path in found):
            raise ClusterError(f"the Dockerfile copies {source!r}, which is not in {context}: correct its COPY")
        for path in found:
            files.update(_below(path))
    names = {path: path.relative_to(context.resolve() if path.is_absolute() else context) for path in files}
    return [path for path in sorted(files) if not _is_litter(names[path]) and str(names[path]) not in unwanted]


def ignored_by_git(context: Path) -> list[str]:
    """What git ignores below the context, as paths relative to it; nothing where this is no git checkout."""
    command = ["git", "-C", str(context), "ls-files", "--others", "--ignored", "--exclude-standard", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    return [name for name in done.stdout.decode().split("\0") if name]


def image_key(dockerfile: str, context: Path, files: Iterable[Path], arguments: Mapping[str, str]) -> str:
    """The key of everything an image is made from."""
    parts: list[str | bytes] = [dockerfile, json.dumps(dict(arguments), sort_keys=True)]
    for path in files:
        executable = "x" if path.stat().st_mode & 0o100 else "-"
        parts += [path.relative_to(context).as_posix(), executable, path.read_bytes()]
    return key_of(*parts)


def archive(dockerfile: str, context: Path, files: Iterable[Path]) -> bytes:
    """The context as a tar for `docker build -`, the same bytes for the same content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        _add(tar, "Dockerfile", dockerfile.encode(), executable=False)
        for path in files:
            _add(tar, path.relative_to(context).as_posix(), path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, executable: bool) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), _CLOCK, 0o755 if executable else 0o644
    tar.addfile(info, io.BytesIO(content))


def _instructions(dockerfile: str) -> list[str]:
    """The lines of a Dockerfile without comments, with continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    return [line.strip() for line in re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines()]


def _below(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def _is_litter(name: Path) -> bool:
    parts = PurePosixPath(name.as_posix()).parts
    return name.suffix == ".pyc" or any(part in {".git", ".venv", "__pycache__"} for part in parts)
