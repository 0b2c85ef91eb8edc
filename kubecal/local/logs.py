"""Lines of a log that is being written."""

from __future__ import annotations

from pathlib import Path


def new_lines(path: Path | None, offset: int, growing: bool) -> tuple[list[str], int]:
    """The lines that came since, and where to go on reading.

    Parameters
    ----------
    offset
        Bytes that were read before.
    growing
        Whether more may come: a line without its end is then left for the next time.
    """
    if path is None:
        return [], offset
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except OSError:
        return [], offset
    if growing:
        content = content[: content.rfind(b"\n") + 1]
    return content.decode(errors="replace").splitlines(), offset + len(content)
