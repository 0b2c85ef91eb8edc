"""Standard output that may go away.

Whoever reads it may leave (``| head -1``), its disk may be full, its terminal may be closed, its encoding may
lack our signs. None of these may end a session with a traceback, or leave tasks running that nobody sees.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import threading
from collections.abc import Callable
from typing import TextIO

from rich.console import Console

_PIPE_WIDTH = 10_000
"""Where no terminal sets a width nothing is wrapped: whoever reads a pipe searches in lines."""
_TRAILING = re.compile(r" +(?=\n)")
_PLAIN = str.maketrans(
    {
        "±": "+-",
        "σ": "sigma",
        "…": "...",
        "━": "-",
        "╸": "-",
        "╺": "-",
        # The signs of the live view: one character each, so that the lattice keeps its shape.
        "●": "*",
        "○": "o",
        "✓": "+",
        "✗": "x",
        "·": ".",
    }
)


class Output(io.TextIOBase):
    """A stream that never raises.

    Parameters
    ----------
    stream
        Where to write.
    on_lost
        Told once, when it cannot be written to any more, with the reason. May be called by any thread.
    """

    def __init__(self, stream: TextIO, on_lost: Callable[[OSError], None] = lambda _: None) -> None:
        self._stream = stream
        self._on_lost = on_lost
        self._lost = threading.Event()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute, io has a property
        """The stream's own."""
        return self._stream.encoding or "utf-8"

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor; rich asks it for the terminal's size."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Also when nothing arrives any more."""
        return True

    def write(self, text: str) -> int:
        """Write, in signs the stream has."""
        try:
            text.encode(self.encoding)
            shown = text
        except UnicodeEncodeError:
            shown = text.translate(_PLAIN).encode(self.encoding, "replace").decode(self.encoding)
        if not self.isatty():
            shown = _TRAILING.sub("", shown)
        self._guarded(lambda: self._stream.write(shown))
        return len(text)

    def flush(self) -> None:
        """Flush what was written."""
        self._guarded(self._stream.flush)

    def _guarded(self, action: Callable[[], object]) -> None:
        if self._lost.is_set():
            return
        try:
            action()
        except OSError as error:
            self._lost.set()
            self._let_go()
            self._on_lost(error)

    def _let_go(self) -> None:
        """What is still buffered goes nowhere: the interpreter would flush it at its end, and fail."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def console_on(output: Output) -> Console:
    """A console that wraps on a terminal and nowhere else."""
    # Any stream will do for rich; its annotation asks for all of IO[str], of which it uses these few.
    return Console(file=output, highlight=False, width=None if output.isatty() else _PIPE_WIDTH)  # type: ignore[arg-type]
