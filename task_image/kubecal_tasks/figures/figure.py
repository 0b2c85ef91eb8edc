"""A figure in the three forms in which it is kept, and the frame that all figures share.

What is drawn is recorded at the same time, so that the JSON holds exactly what the picture shows.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from kubecal_tasks.figures import style

NO_SIGNAL = "no_signal"
_ROUNDED = 1.06
"""By how much a line of small letters may come out wider than its font size says: their widths are whole pixels."""


class Context(Protocol):
    """What a figure shows besides data and fit."""

    @property
    def task(self) -> str:
        """E.g. ``CheckT1``."""

    @property
    def target(self) -> str:
        """E.g. ``3``."""

    @property
    def verdict(self) -> str:
        """As the records spell it: ``ok``, ``no_signal``."""

    @property
    def measured_at(self) -> str:
        """ISO 8601."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The result first, then chi2, R2 and whatever else: ready to print."""


@dataclass(frozen=True)
class Axis:
    """A quantity, the unit it is shown in, and how much of the data's unit that is."""

    quantity: str
    unit: str = ""
    scale: float = 1.0
    """E.g. 1e-6 for data in seconds shown in microseconds."""

    @property
    def label(self) -> str:
        """``Delay (µs)``."""
        return f"{self.quantity} ({with_micro(self.unit)})" if self.unit else self.quantity

    def shown(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values in the unit shown."""
        return np.asarray(values, dtype=float) / self.scale


@dataclass(frozen=True)
class Figure:
    """One picture."""

    name: str
    """Without ending: ``decay``."""
    svg: bytes = field(repr=False)
    png: bytes = field(repr=False)
    arrays: bytes = field(repr=False)
    """What is plotted, as JSON."""


@dataclass
class Sheet:
    """A figure being drawn: the canvas and the record of what is on it."""

    canvas: Canvas
    context: Context
    record: dict[str, Any]
    """Any: this is the JSON document."""

    def panel(self, place: Any, name: str, x: Axis, y: Axis, **kwargs: Any) -> Panel:
        """New axes at a place of the grid; Any: matplotlib's subplot specs and arguments."""
        axes: Axes = self.canvas.add_subplot(place, **kwargs)
        axes.set_xlabel(x.label)
        axes.set_ylabel(y.label)
        entry: dict[str, Any] = {"name": name, "x": _axis(x), "y": _axis(y), "series": [], "markers": []}
        self.record["panels"].append(entry)
        return Panel(axes, x, y, entry)

    def finished(self, name: str) -> Figure:
        """Render it. No date, no version, a fixed salt: the same data make the same bytes."""
        document = json.dumps(self.record, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        svg, png = io.BytesIO(), io.BytesIO()
        self.canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        self.canvas.savefig(png, format="png", dpi=style.DPI, metadata={"Software": None})
        return Figure(name, svg.getvalue(), png.getvalue(), document.encode())


@dataclass
class Panel:
    """One pair of axes."""

    axes: Axes
    x: Axis
    y: Axis
    entry: dict[str, Any]

    def points(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        sigma: NDArray[np.float64] | None,
        kept: NDArray[np.bool_] | None = None,
        label: str = "data",
        colour: str = style.DATA,
    ) -> None:
        """Points with one-sigma bars; clipped ones as grey crosses."""
        px, py = self.x.shown(x), self.y.shown(y)
        ps = None if sigma is None else self.y.shown(sigma)
        mask = np.isfinite(py) if kept is None else kept & np.isfinite(py)
        self.axes.errorbar(
            px[mask], py[mask], None if ps is None else ps[mask], fmt="o", ms=4.2, color=colour, ecolor=colour,
            elinewidth=1.1, capsize=0, mec="white", mew=0.4, label=label, zorder=4,
        )  # fmt: skip
        dropped = ~mask & np.isfinite(py)
        if dropped.any():
            self._dropped(px[dropped], py[dropped], py[mask], f"clipped ({int(dropped.sum())})")
        self._record(label, px, py, sigma=None if ps is None else _numbers(ps), kept=[bool(each) for each in mask])

    def dots(self, x: NDArray[np.float64], y: NDArray[np.float64], label: str, colour: str) -> None:
        """Faint dots without bars, for what lies behind the points."""
        px, py = self.x.shown(x), self.y.shown(y)
        self.axes.plot(px, py, ".", ms=4.5, color=colour, alpha=0.28, mew=0, zorder=1)
        self._record(label, px, py)

    def line(self, x: NDArray[np.float64], y: NDArray[np.float64], label: str = "fit", **kwargs: Any) -> None:
        """A curve on a fine grid; Any: matplotlib's line properties."""
        px, py = self.x.shown(x), self.y.shown(y)
        self.axes.plot(px, py, label=label, **{"color": style.FIT, "zorder": 3, **kwargs})
        self._record(label, px, py)

    def marker(self, at: float, label: str, colour: str, dashed: bool = False, horizontal: bool = False) -> None:
        """A line at a value: the new one solid, the previous one dashed."""
        axis = self.y if horizontal else self.x
        shown = float(axis.shown(np.asarray(at)))
        if not math.isfinite(shown):
            return
        draw = self.axes.axhline if horizontal else self.axes.axvline
        draw(shown, color=colour, lw=1.6, ls=(0, (4, 3)) if dashed else "-", label=label, zorder=2)
        self.entry["markers"].append({"label": label, "at": shown, "axis": "y" if horizontal else "x"})

    def legend(self, **kwargs: Any) -> None:
        """A legend in one row above the axes, where it hides nothing; Any: matplotlib's arguments."""
        handles, labels = self.axes.get_legend_handles_labels()
        named = dict(zip(reversed(labels), reversed(handles), strict=True))  # of equal names the first
        entries = {label: named[label] for label in dict.fromkeys(labels)}
        above = {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0), "borderaxespad": 0.1}
        row = {"handles": list(entries.values()), "labels": list(entries), "ncols": max(len(entries), 1)}
        settings = {**above, **row, "handlelength": 1.5, "columnspacing": 1.3, "handletextpad": 0.5, **kwargs}
        drawn = self.axes.legend(**settings)
        room = self.axes.get_window_extent().width / max(drawn.get_window_extent().width, 1.0)
        if room < 1.0:  # set smaller, or it would run into the panel beside it
            self.axes.legend(**settings, fontsize=room * style.SETTINGS["legend.fontsize"])

    def log_x(self) -> None:
        """A logarithmic x axis with plain numbers."""
        self.axes.set_xscale("log")
        self.axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))

    def _dropped(self, x: NDArray[np.float64], y: NDArray[np.float64], kept: NDArray[np.float64], label: str) -> None:
        """Glitches far away are drawn at the edge: they must not squeeze the data to a line."""
        low, high = (float(kept.min()), float(kept.max())) if kept.size else (float(y.min()), float(y.max()))
        margin = 0.12 * (high - low)
        at = np.clip(y, low - margin, high + margin)
        self.axes.plot(x, at, "x", ms=6, mew=1.4, color=style.GREY, label=label, zorder=3)

    def _record(self, label: str, x: NDArray[np.float64], y: NDArray[np.float64], **more: Any) -> None:
        series = {"name": label, "x": _numbers(x), "y": _numbers(y)}
        self.entry["series"].append(series | {key: value for key, value in more.items() if value is not None})


def new_sheet(context: Context, height: float = style.HEIGHT_IN) -> Sheet:
    """An empty figure with its heading: title, verdict, result, statistics."""
    canvas = Canvas(figsize=(style.WIDTH_IN, height))
    FigureCanvasAgg(canvas)
    _heading(canvas, context, height)
    record = {
        "task": context.task,
        "target": context.target,
        "measured_at": context.measured_at,
        "verdict": context.verdict,
        "lines": list(context.lines),
        "panels": [],
    }
    return Sheet(canvas, context, record)


def grid(sheet: Sheet, rows: int, columns: int, height: float = style.HEIGHT_IN, **kwargs: Any) -> GridSpec:
    """Where panels go below the heading; Any: ratios and spaces as matplotlib takes them."""
    top = 1 - 1.4 / height
    edges = {"left": 0.12, "right": 0.975, "bottom": 0.6 / height, "top": top}
    return GridSpec(rows, columns, figure=sheet.canvas, **{**edges, **kwargs})


def house_style() -> Any:
    """Context manager under which everything is drawn; Any: matplotlib's own type."""
    settings: dict[Any, Any] = {**mpl.rcParamsDefault}
    settings.update(style.SETTINGS)
    return mpl.rc_context(settings)


def with_micro(text: str) -> str:
    """``us`` as µs, in pictures alone: everywhere else units are plain ASCII."""
    return re.sub(r"\bus\b", "µs", text)


def _heading(canvas: Canvas, context: Context, height: float) -> None:
    """Title and verdict, the result, and below it statistics and time; long lines are set smaller."""
    title, result, details = (1 - inches / height for inches in (0.34, 0.69, 0.95))
    left, right = 0.03, 0.975
    badge = canvas.text(
        right - 0.008, title, style.verdict_words(context.verdict), size=12, weight="bold", color="white", ha="right",
        bbox={"boxstyle": "round,pad=0.35", "facecolor": style.verdict_colour(context.verdict), "edgecolor": "none"},
    )  # fmt: skip
    time = canvas.text(right, details, _time(context.measured_at), size=9.5, color=style.GREY, ha="right")
    heading = f"{context.task}  ·  {_target(context.target)}"
    limits = ((title, badge), (result, None), (details, time))
    first = with_micro(context.lines[0]) if context.lines else ""
    if context.verdict == NO_SIGNAL and first:  # a number made of noise must not be read as a result
        first = f"not determined (best fit: {first})"
    rest = with_micro("   ·   ".join(context.lines[1:]))
    for (y, neighbour), text, size, weight, colour in zip(
        limits, (heading, first, rest), (15, 12.5, 9.5), ("bold", "normal", "normal"),
        (style.INK, style.INK, style.GREY), strict=True,
    ):  # fmt: skip
        drawn = canvas.text(left, y, text, size=size, weight=weight, color=colour)
        width = canvas.bbox.width
        end = right * width if neighbour is None else neighbour.get_window_extent().x0 - 0.03 * width
        room = end - left * width
        taken = _ROUNDED * drawn.get_window_extent().width / room
        drawn.set_fontsize(size / max(taken, 1.0))


def _target(target: str) -> str:
    if target.isdigit():
        return f"qubit {target}"
    return f"coupling {target}" if re.fullmatch(r"\d+-\d+", target) else target


def _time(iso: str) -> str:
    moment = datetime.fromisoformat(iso)
    zone = "" if moment.tzinfo is None else f" {moment.tzname()}"
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone}"


def _axis(axis: Axis) -> dict[str, str]:
    return {"quantity": axis.quantity, "unit": axis.unit}


def _numbers(values: NDArray[np.float64]) -> Sequence[float | None]:
    """JSON knows no NaN."""
    return [float(f"{each:.9g}") if math.isfinite(each) else None for each in values]
