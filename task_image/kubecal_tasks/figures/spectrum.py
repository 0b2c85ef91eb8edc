"""Spectra: the coarse scan with the lines found, and the map over frequency and power."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, grid, house_style, new_sheet
from kubecal_tasks.figures.heatmap import colour_bar, heat_map, robust_limits
from kubecal_tasks.fits.lines import LineFound

_FREQUENCY = Axis("Drive frequency", "GHz", 1e9)
_COLOURS = {"f01": style.NEW, "two photons": style.AMBER, "f12": style.SKY}


def line_figure(line: LineFound, context: Context, marks: Mapping[str, float], name: str = "coarse_scan") -> Figure:
    """Distance of the signal from where it mostly is, with the limit of noise.

    Parameters
    ----------
    marks
        Frequencies of lines by their names, in the data's unit.
    """
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "scan", _FREQUENCY, Axis("Distance from the median IQ point", "σ"))
        panel.line(line.x, line.distance, "three neighbours", color=style.DATA, lw=1.4)
        panel.marker(line.limit, "limit of noise", style.GREY, dashed=True, horizontal=True)
        panel.axes.set_xlim(*_FREQUENCY.shown(line.x[[0, -1]]))
        panel.axes.set_ylim(bottom=0)
        if context.verdict != NO_SIGNAL:
            _mark(panel, marks)
        panel.legend()
        return sheet.finished(name)


def power_map_figure(
    frequency: NDArray[np.float64],
    power: NDArray[np.float64],
    signal: NDArray[np.float64],
    context: Context,
    marks: Mapping[str, float],
    name: str = "power_map",
) -> Figure:
    """Signal over drive frequency and power.

    Parameters
    ----------
    frequency, power, signal
        (F,) Hz, (P,) dB and (P, F).
    marks
        Frequencies of lines by their names, Hz.
    """
    with house_style():
        sheet = new_sheet(context)
        places = grid(sheet, 1, 2, width_ratios=[1, 0.03], wspace=0.04, right=0.88)
        panel = sheet.panel(places[0], "map", _FREQUENCY, Axis("Drive power", "dB"))
        drawn = heat_map(panel, frequency, power, signal.T, robust_limits(signal))
        if context.verdict != NO_SIGNAL:
            _mark(panel, marks)
            if panel.entry["markers"]:
                panel.legend()
        colour_bar(sheet, places[1], drawn, Axis("Distance in the IQ plane", "a.u."))
        return sheet.finished(name)


def _mark(panel: Panel, marks: Mapping[str, float]) -> None:
    low, high = sorted(panel.axes.get_xlim())
    for name, at in marks.items():
        if low <= float(panel.x.shown(np.asarray(at))) <= high:
            panel.marker(at, name, _COLOURS.get(name, style.NEW), dashed=name != "f01")
