"""What coherence leaves of a gate, against how long the gate takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import Axis, Context, Figure, grid, house_style, new_sheet
from kubecal_tasks.fits.values import Array, Measured

GATE_NS = Axis("Gate duration", "ns", 1e-9)
ERROR = Axis("Error per gate")
_SHORTEST, _LONGEST = 0.25, 8.0
"""Of the gate's own duration."""


def limit_figure(
    gate_s: float,
    lost: Measured,
    curves: dict[str, Callable[[float], float]],
    context: Context,
    name: str = "coherence_limit",
) -> Figure:
    """Error per gate against its duration, on logarithmic axes.

    Parameters
    ----------
    gate_s, lost
        The gate's duration and what it loses.
    curves
        Error at a duration in s: the whole first, then its parts.
    """
    fine: Array = gate_s * np.geomspace(_SHORTEST, _LONGEST, style.FINE_POINTS)
    looks = ({"color": style.FIT}, {"color": style.SKY, "ls": "--"}, {"color": style.AMBER, "ls": "--"})
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "limit", GATE_NS, ERROR)
        for (label, error), look in zip(curves.items(), looks, strict=False):
            panel.line(fine, np.asarray([error(float(each)) for each in fine]), label, **look)
        panel.axes.set_yscale("log")
        panel.log_x()
        panel.marker(gate_s, "this gate", style.NEW)
        at, value, error_bar = (np.asarray([each]) for each in (gate_s, lost.value, lost.error))
        panel.points(at, value, error_bar, label="limit", colour=style.NEW)
        panel.legend()
        return sheet.finished(name)
