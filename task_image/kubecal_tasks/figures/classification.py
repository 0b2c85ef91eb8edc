"""Single shots in the IQ plane, their histograms along the line of the states, and how often they are right."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, Sheet, grid, house_style, new_sheet
from kubecal_tasks.fits.mixture import MixtureFit
from kubecal_tasks.fits.values import Array

_HEIGHT_IN = 5.2
_DOTS = 800
"""Shots of each state that are drawn in the plane: more would only make it black."""
_BINS = 60
_STATES = (("|0⟩", style.BLUE), ("|1⟩", style.ORANGE))


def classification_figure(
    fit: MixtureFit, ground: Array, excited: Array, context: Context, name: str = "classification"
) -> Figure:
    """The IQ plane on equal axes with centres and threshold; histograms with the fit; the confusion matrix.

    Parameters
    ----------
    ground, excited
        (N, 2) shots of each prepared state.
    """
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        _plane(sheet, fit, (ground, excited))
        _histograms(sheet, fit)
        _confusion(sheet, fit)
        return sheet.finished(name)


def _plane(sheet: Sheet, fit: MixtureFit, shots: tuple[Array, Array]) -> None:
    place = grid(sheet, 1, 1, _HEIGHT_IN, left=0.115, right=0.45)[0]
    panel = sheet.panel(place, "iq", Axis("I", "a.u."), Axis("Q", "a.u."))
    for (label, colour), each in zip(_STATES, shots, strict=True):
        drawn = each[:_DOTS]
        panel.axes.plot(drawn[:, 0], drawn[:, 1], ".", ms=3, alpha=0.35, mew=0, color=colour, label=label, zorder=2)
        _note(panel, label, drawn[:, 0], drawn[:, 1])
    if sheet.context.verdict != NO_SIGNAL:
        turn = np.linspace(0.0, 2 * np.pi, 100)
        for i, q in (fit.ground, fit.excited):
            circle = (i.value + fit.sigma.value * np.cos(turn), q.value + fit.sigma.value * np.sin(turn))
            panel.axes.plot(*circle, color=style.INK, lw=1.4, zorder=4)
            panel.entry["markers"].append({"label": "centre", "at": [i.value, q.value], "axis": "xy"})
        along = np.asarray([np.cos(fit.angle.value), np.sin(fit.angle.value)])
        middle = np.asarray([(a.value + b.value) / 2 for a, b in zip(fit.ground, fit.excited, strict=True)])
        middle = middle + (fit.threshold.value - float(middle @ along)) * along
        reach = 3.5 * fit.sigma.value * np.asarray([-along[1], along[0]])
        ends = np.stack([middle - reach, middle + reach])
        panel.axes.plot(ends[:, 0], ends[:, 1], color=style.NEW, lw=1.6, label="threshold", zorder=5)
    panel.axes.set_aspect("equal", adjustable="datalim")
    panel.axes.locator_params(nbins=5)
    panel.legend(markerscale=3.0)


def _histograms(sheet: Sheet, fit: MixtureFit) -> None:
    places = grid(sheet, 1, 1, _HEIGHT_IN, left=0.56, bottom=0.455)
    panel = sheet.panel(places[0], "histogram", Axis("Along the line", "a.u."), Axis("Shots"))
    both = np.concatenate([state.along[state.kept] for state in fit.states])
    edges = np.linspace(float(both.min()), float(both.max()), _BINS + 1)
    dashes = "--" if sheet.context.verdict == NO_SIGNAL else "-"
    width, fine = float(edges[1] - edges[0]), np.linspace(edges[0], edges[-1], style.FINE_POINTS)
    for number, ((label, colour), state) in enumerate(zip(_STATES, fit.states, strict=True)):
        counts = np.histogram(state.along[state.kept], edges)[0].astype(float)
        panel.axes.stairs(counts, edges, fill=True, color=colour, alpha=0.3, zorder=2)
        _note(panel, f"prepared {label}", (edges[1:] + edges[:-1]) / 2, counts)
        expected = fit.density(number, fine) * width * float(state.kept.sum())
        panel.line(fine, expected, f"fit {label}", color=colour, lw=1.5, ls=dashes)
    panel.axes.set_yscale("log")
    panel.axes.set_ylim(bottom=0.7)
    if sheet.context.verdict != NO_SIGNAL:
        panel.marker(fit.threshold.value, "threshold", style.NEW)
    panel.axes.xaxis.set_major_locator(MaxNLocator(5))
    panel.legend(columnspacing=0.8)


def _confusion(sheet: Sheet, fit: MixtureFit) -> None:
    place = grid(sheet, 1, 1, _HEIGHT_IN, left=0.69, right=0.86, bottom=0.105, top=0.305)[0]
    panel = sheet.panel(place, "confusion", Axis("Assigned"), Axis("Prepared"))
    zero, one = (state.correct.value for state in fit.states)
    matrix = np.asarray([[zero, 1 - zero], [1 - one, one]])
    panel.axes.imshow(matrix, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    panel.axes.grid(False)
    for row in (0, 1):
        for column in (0, 1):
            part = float(matrix[row, column])
            ink = "white" if part > 0.5 else style.INK
            panel.axes.text(column, row, f"{100 * part:.1f} %", ha="center", va="center", color=ink, size=10)
        _note(panel, f"prepared {row}", np.asarray([0.0, 1.0]), matrix[row])
    panel.axes.set_xticks([0, 1], ["0", "1"])
    panel.axes.set_yticks([0, 1], ["0", "1"])


def _note(panel: Panel, label: str, x: Array, y: Array) -> None:
    """Put what was drawn into the record."""
    numbers = ([float(f"{each:.9g}") for each in values] for values in (x, y))
    panel.entry["series"].append({"name": label, **dict(zip("xy", numbers, strict=True))})
