"""Figures in the page: as they are while there is room, packed after that, and never lost on the way."""

import zlib
from base64 import b64decode

import pytest

from kubecal.report import figures
from kubecal.report.figures import Shelf, pack

SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="576pt" height="352.8pt">x</svg>'
_PLAIN = "data:image/svg+xml;base64,"


def test_a_figure_knows_its_size() -> None:
    packed = pack(SVG)
    assert (packed.width, packed.height, packed.length) == (576, 353, len(SVG))


def test_a_figure_that_does_not_say_its_size_has_none() -> None:
    assert (pack(b"<svg/>").width, pack(b"no figure").height) == (0, 0)


def test_the_first_ones_are_as_they_are() -> None:
    taken = Shelf({"a.svg": pack(SVG)}).take("a.svg")
    assert taken is not None
    assert (taken.packed, b64decode(taken.source.removeprefix(_PLAIN))) == (False, SVG)


def test_beyond_the_room_they_are_packed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PLAIN_BYTES", 2 * len(SVG))
    shelf = Shelf({name: pack(SVG) for name in "abc"})
    taken = [shelf.take(name) for name in "abc"]
    assert [one.packed for one in taken if one is not None] == [False, False, True]
    assert shelf.packed == 1
    last = taken[-1]
    assert last is not None
    # What the page's script unpacks with DecompressionStream("deflate").
    assert zlib.decompress(b64decode(last.source)) == SVG


def test_a_small_one_still_fits_behind_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "PLAIN_BYTES", 2 * len(SVG))
    shelf = Shelf({"large": pack(SVG * 3), "small": pack(SVG)})
    taken = [shelf.take(name) for name in ("large", "small")]
    assert [one.packed for one in taken if one is not None] == [True, False]


def test_what_the_records_have_no_more_is_nothing() -> None:
    assert Shelf({}).take("gone.svg") is None
