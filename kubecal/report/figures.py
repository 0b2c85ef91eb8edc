"""Figures inside the page: as they are while they are few, packed when there are many.

An SVG of a measurement has some 100 kB, four fifths of which are repetitions. A thousand of them as they are would make
a page of 150 MB, packed (deflate) it has 30 MB. A browser unpacks them with a few lines of script, when their part of
the page is opened. The first ones, failures before all, are always as they are: whoever allows no script sees these.
They are images, never a part of the document, so nothing in them can run, whoever drew them.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

PLAIN_BYTES = 8_000_000
"""Of SVG that a page holds as it is: some eighty figures."""
_LEVEL = 3
"""Of zlib's nine: 9 takes four times as long and saves a twentieth."""
_SIZE = re.compile(rb'<svg[^>]*? width="([0-9.]+)pt" height="([0-9.]+)pt"')
_HEAD = 1_000


@dataclass(frozen=True)
class Packed:
    """One figure as it waits to be shown."""

    content: bytes = field(repr=False)
    """The SVG, deflated (zlib)."""
    length: int
    """Bytes of the SVG."""
    width: int
    """Points; 0: not said."""
    height: int


@dataclass(frozen=True)
class Embedded:
    """One figure as the page has it."""

    source: str = field(repr=False)
    """A data URI, or base64 of the deflated SVG."""
    packed: bool
    width: int
    height: int


def pack(svg: bytes) -> Packed:
    """Keep a figure small until it is needed."""
    found = _SIZE.search(svg[:_HEAD])
    width, height = (round(float(found[1])), round(float(found[2]))) if found else (0, 0)
    return Packed(zlib.compress(svg, _LEVEL), len(svg), width, height)


class Shelf:
    """Hands out figures in the order in which they are read."""

    def __init__(self, figures: Mapping[str, Packed]) -> None:
        self._figures = figures
        self._left = PLAIN_BYTES
        self.packed = 0
        """How many of those handed out need the page's script."""

    def take(self, file_id: str) -> Embedded | None:
        """A figure for the page; None: the records have it no more."""
        figure = self._figures.get(file_id)
        if figure is None:
            return None
        plain = figure.length <= self._left
        if plain:
            self._left -= figure.length
            source = "data:image/svg+xml;base64," + b64encode(zlib.decompress(figure.content)).decode()
        else:
            self.packed += 1
            source = b64encode(figure.content).decode()
        return Embedded(source, not plain, figure.width, figure.height)
