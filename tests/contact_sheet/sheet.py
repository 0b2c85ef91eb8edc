"""Many figures on one picture, each small and with its name above it; or one alone, for a page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from kubecal_tasks.figures import style
from tests.contact_sheet.cases import Picture

TILE_PX, HEAD_PX, GAP_PX, COLUMNS = 480, 26, 10, 4
PAGE_PX = 1000
"""Width of a figure that stands alone."""
COLOURS = 128
"""Of the palette: what keeps a sheet of forty figures below 1.5 MB."""


def contact_sheet(pictures: Sequence[Picture]) -> bytes:
    """The pictures in rows of four, as a PNG; equal pictures make equal bytes."""
    tiles = [_tile(picture) for picture in pictures]
    rows = [tiles[first : first + COLUMNS] for first in range(0, len(tiles), COLUMNS)]
    heights = [max(tile.height for tile in row) for row in rows]
    size = (COLUMNS * (TILE_PX + GAP_PX) + GAP_PX, sum(heights) + GAP_PX * (len(rows) + 1))
    sheet = Image.new("RGB", size, "white")
    top = GAP_PX
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            sheet.paste(tile, (GAP_PX + column * (TILE_PX + GAP_PX), top))
        top += height + GAP_PX
    return _written(sheet)


def page_figure(picture: Picture) -> bytes:
    """One figure alone, as a page of the documents shows it: a PNG; equal pictures make equal bytes."""
    figure = Image.open(io.BytesIO(picture.png)).convert("RGB")
    height = round(figure.height * PAGE_PX / figure.width)
    return _written(figure.resize((PAGE_PX, height), Image.Resampling.LANCZOS))


def _written(image: Image.Image) -> bytes:
    written = io.BytesIO()
    palette = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(written, format="PNG", optimize=True)
    return written.getvalue()


def _tile(picture: Picture) -> Image.Image:
    """``CheckT1: ok`` above the figure."""
    figure = Image.open(io.BytesIO(picture.png)).convert("RGB")
    height = round(figure.height * TILE_PX / figure.width)
    tile = Image.new("RGB", (TILE_PX, HEAD_PX + height), "white")
    tile.paste(figure.resize((TILE_PX, height), Image.Resampling.LANCZOS), (0, HEAD_PX))
    draw = ImageDraw.Draw(tile)
    colour = style.verdict_colour(picture.verdict)
    draw.rectangle((0, 0, TILE_PX, HEAD_PX - 4), fill=colour)
    draw.text((6, 3), f"{picture.task}: {picture.verdict}", font=_font(), fill="white")
    return tile


def _font() -> ImageFont.FreeTypeFont:
    """matplotlib's own, so that it is the same on every machine."""
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf", 14)
