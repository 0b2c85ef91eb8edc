"""Figure of one level for each line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import Axis, Context, Figure, grid, house_style, new_sheet

_MOST_NAMES = 16
"""Beyond so many lines only some are named, or the names would run into each other."""


def levels_figure(
    lines: Sequence[str], levels: Sequence[tuple[float, float]], context: Context, limit: float, name: str = "noise"
) -> Figure:
    """Noise of each readout line, with the level that leaves no room for a signal.

    Parameters
    ----------
    lines
        (N,) names: ``readout/3``.
    levels
        (N,) values and errors, dB of the ADC's full scale.
    limit
        dB.
    """
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "levels", Axis("Readout line"), Axis("Noise", "dB of full scale"))
        values, errors = (np.asarray(column) for column in zip(*levels, strict=True))
        places = np.arange(len(lines), dtype=np.float64)
        panel.points(places, values, errors, label="readout lines")
        noisiest = int(np.argmax(values))
        panel.marker(float(values[noisiest]), "noisiest", style.NEW, horizontal=True)
        panel.marker(limit, "limit", style.PREVIOUS, dashed=True, horizontal=True)
        short = [line.rpartition("/")[2] for line in lines]
        if len(lines) <= _MOST_NAMES:
            panel.axes.set_xticks(places, short)
        else:
            panel.axes.xaxis.set_major_locator(MaxNLocator(_MOST_NAMES, integer=True))
            panel.axes.xaxis.set_major_formatter(
                lambda at, _: short[int(at)] if 0 <= at < len(short) and at == int(at) else ""
            )
        panel.axes.set_xlim(-0.6, len(lines) - 0.4)
        panel.legend()
        return sheet.finished(name)
