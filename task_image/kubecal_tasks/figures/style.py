"""House style: sizes, colours that also colour-blind eyes tell apart, and settings that keep files deterministic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BLUE = "#0072B2"
ORANGE = "#D55E00"
GREEN = "#007A5A"
SKY = "#56B4E9"
AMBER = "#B57500"
INK = "#1A1A1A"
GREY = "#6B6B6B"
FAINT = "#D9D9D9"

DATA, FIT, NEW, PREVIOUS = BLUE, ORANGE, GREEN, GREY
SECOND_DATA = AMBER

WIDTH_IN, HEIGHT_IN = 8.0, 4.9
DPI = 200
FINE_POINTS = 600

SETTINGS: Mapping[str, Any] = {
    "svg.hashsalt": "kubecal",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.labelsize": 12,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 10,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
"""matplotlib's rcParams for every figure; Any because that is what they are."""

VERDICT_COLOURS: Mapping[str, str] = {
    "ok": GREEN,
    "imprecise": AMBER,
    "inconsistent": AMBER,
}


def verdict_colour(verdict: str) -> str:
    """Green for ok, amber for what may be right and is not good enough, orange for what failed."""
    return VERDICT_COLOURS.get(verdict, ORANGE)


def verdict_words(verdict: str) -> str:
    """The verdict as people say it: the colour alone must not carry it."""
    return ("\u2713 " if verdict == "ok" else "\u2717 ") + verdict.replace("_", " ")
