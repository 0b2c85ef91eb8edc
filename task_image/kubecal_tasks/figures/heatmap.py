"""A quantity over a plane, in a panel of the house style."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.figures.figure import Axis, Panel, Sheet, with_micro

COLOURS = "viridis"
"""Even in brightness, so that it also tells in grey and to colour-blind eyes what is more."""


def heat_map(
    panel: Panel,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    values: NDArray[np.float64],
    limits: tuple[float, float],
    label: str = "data",
) -> Any:
    """Fill a panel with values (X, Y) between limits, and record them; Any: matplotlib's mappable.

    The cells are pixels also in the SVG: as thousands of rectangles they would show seams.
    """
    px, py = panel.x.shown(x), panel.y.shown(y)
    drawn = panel.axes.pcolormesh(
        px, py, values.T, shading="nearest", cmap=COLOURS, vmin=limits[0], vmax=limits[1], rasterized=True
    )
    panel.axes.grid(visible=False)
    finite = [[float(f"{each:.6g}") if np.isfinite(each) else None for each in row] for row in values]
    series = {"name": label, "x": px.tolist(), "y": py.tolist(), "z": finite}
    panel.entry["series"].append(series)
    return drawn


def colour_bar(sheet: Sheet, place: Any, drawn: Any, z: Axis) -> None:
    """What the colours mean; Any: matplotlib's subplot spec and mappable."""
    bar = sheet.canvas.colorbar(drawn, cax=sheet.canvas.add_subplot(place))
    bar.set_label(with_micro(z.label))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=3)


def robust_limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """From the lowest to the highest of all but the most extreme hundredth: glitches must not pale the rest."""
    low, high = np.nanpercentile(values, [0.5, 99.5])
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)
