"""Trains of one pulse: signal against the number of repetitions, one panel for each series."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, grid, house_style, new_sheet
from kubecal_tasks.figures.series import POPULATION, PULSES, fit_label
from kubecal_tasks.fits.train import TrainFit

_PANEL_IN = 1.75
_ABOVE_IN = 1.9
"""Heading, and the axis at the bottom."""
_PAIRS = Axis("Number of pulses, or of pairs there and back")
_FINE = 40
"""Points of the curve for each repetition: a train of pi pulses is fast."""


def train_figure(fit: TrainFit, context: Context, y: Axis = POPULATION, name: str = "train") -> Figure:
    """Every series with its fit on one x axis; levels of |0> and |1> as lines."""
    height = _ABOVE_IN + _PANEL_IN * max(2, len(fit.series))
    seen = fit.evidence
    pulses = fit.x
    fine = np.linspace(float(pulses.min()), float(pulses.max()), int(_FINE * (np.ptp(pulses) + 1)))
    curves = fit.curve(fine).reshape(len(fit.series), -1)
    points, sigma, kept = (each.reshape(len(fit.series), -1) for each in (seen.y, seen.sigma, seen.kept))
    with house_style():
        sheet = new_sheet(context, height)
        places = grid(sheet, len(fit.series), 1, height, hspace=0.34)
        first = None
        for k, series in enumerate(fit.series):
            shared: dict[str, Any] = {} if first is None else {"sharex": first}
            x = _PAIRS if any(each.tilts for each in fit.series) else PULSES
            panel = sheet.panel(places[k], series.words, x, y, **shared)
            panel.points(pulses, points[k], sigma[k], kept[k], label=series.words)
            dashes = "--" if context.verdict == NO_SIGNAL else "-"
            panel.line(fine, curves[k], fit_label(seen, context), lw=1.3, ls=dashes)
            panel.marker(fit.ground.value, "|0⟩", style.GREY, dashed=True, horizontal=True)
            panel.marker(fit.excited.value, "|1⟩", style.SKY, dashed=True, horizontal=True)
            panel.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.legend()
            if k + 1 < len(fit.series):
                panel.axes.set_xlabel("")
                panel.axes.tick_params(labelbottom=False)
            first = first or panel.axes
        sheet.canvas.align_ylabels()
        return sheet.finished(name)
