"""The page as a file: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_report(path: Path, page: Iterable[str]) -> int:
    """Write the page's pieces and put the file in its place when it is complete; how many bytes it has.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is as it was.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(page)
        # mkstemp lets nobody else read it; a report is for others too, as far as the person's umask says.
        part.chmod(0o666 & ~_umask())
        size = part.stat().st_size
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return size


def _umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now
