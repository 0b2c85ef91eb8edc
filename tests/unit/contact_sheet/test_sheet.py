"""Pictures on a sheet: each in its place, and small."""

from __future__ import annotations

import io

from PIL import Image

from kubecal.api.request import Verdict
from tests.contact_sheet.cases import Picture
from tests.contact_sheet.sheet import COLUMNS, GAP_PX, HEAD_PX, TILE_PX, contact_sheet


def picture(colour: str, height: int = 980) -> Picture:
    """A figure of one colour, 1600 px wide."""
    written = io.BytesIO()
    Image.new("RGB", (1600, height), colour).save(written, format="PNG")
    return Picture("CheckT1", Verdict.OK, written.getvalue())


def opened(*pictures: Picture) -> Image.Image:
    return Image.open(io.BytesIO(contact_sheet(pictures))).convert("RGB")


def test_a_row_ends_after_four_and_is_as_high_as_its_highest() -> None:
    sheet = opened(picture("red"), picture("red", 1200), *[picture("red")] * 2, picture("blue"))
    first, second = HEAD_PX + 360, HEAD_PX + 294
    assert sheet.size == (COLUMNS * (TILE_PX + GAP_PX) + GAP_PX, first + second + 3 * GAP_PX)
    assert sheet.getpixel((GAP_PX + TILE_PX // 2, 2 * GAP_PX + first + HEAD_PX + 100)) == (0, 0, 255)
    assert sheet.getpixel((2 * GAP_PX + TILE_PX + TILE_PX // 2, GAP_PX + HEAD_PX + 350)) == (255, 0, 0)


def test_equal_pictures_make_equal_bytes() -> None:
    assert contact_sheet([picture("red")]) == contact_sheet([picture("red")])
    assert contact_sheet([picture("red")]) != contact_sheet([picture("blue")])
