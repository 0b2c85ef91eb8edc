"""One quantity measured several times: every run, their mean and their scatter."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, grid, house_style, new_sheet
from kubecal_tasks.fits.values import Array, Mask, Measured

RUN = Axis("Run")
_BARS = 5.0
"""So many times the usual error a bar may be to be shown whole."""


def runs_figure(
    values: Array,
    errors: Array,
    used: Mask,
    mean: Measured,
    std: Measured,
    context: Context,
    y: Axis,
    x: Axis = RUN,
    name: str = "runs",
) -> Figure:
    """Values of the runs with their errors; the mean with its error, and one standard deviation of single runs.

    Parameters
    ----------
    values, errors
        (N,) of each run; NaN where it gave none.
    used
        (N,) whether it is part of the mean.
    """
    runs = np.arange(1.0, len(values) + 1)
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "runs", x, y)
        panel.points(runs, values, errors, used, label="runs")
        if math.isfinite(mean.value) and context.verdict != NO_SIGNAL:
            for half, label, alpha in (
                (std, "± standard deviation", 0.14),
                (Measured(mean.error, 0.0), "± error", 0.3),
            ):
                low, high = (float(y.shown(np.asarray(mean.value + sign * half.value))) for sign in (-1, 1))
                panel.axes.axhspan(low, high, color=style.NEW, alpha=alpha, lw=0, zorder=0, label=label)
                panel.entry["markers"].append({"label": label, "at": [low, high], "axis": "y"})
            panel.marker(mean.value, "mean", style.NEW, horizontal=True)
        panel.axes.set_xlim(0.4, len(values) + 0.6)
        _limit(panel, values, errors)
        panel.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.legend()
        return sheet.finished(name)


def _limit(panel: Panel, values: Array, errors: Array) -> None:
    """The axis holds every value and usual errors: the bar of a run that says nothing would squeeze all others."""
    seen = np.isfinite(values) & np.isfinite(errors)
    if not seen.any():
        return
    bars = np.minimum(errors[seen], _BARS * np.median(errors[seen]))
    ends = np.asarray([np.min(values[seen] - bars), np.max(values[seen] + bars)])
    low, high = (float(end) for end in panel.y.shown(ends))
    margin = 0.05 * (high - low)
    panel.axes.set_ylim(low - margin, high + margin)
