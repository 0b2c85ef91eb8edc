"""Histograms with round edges: how a parameter is spread over the chip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 64.0
"""Of the drawing, its numbers left out."""
MAX_BINS = 24
_FEWEST = 4
_GAP = 1.0
_MOST_PLACES = 8
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Bar:
    """One bin: from where to where, how many, and where it is drawn."""

    low: float
    high: float
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """Bins of one width that hold all finite values."""

    bars: tuple[Bar, ...]
    low: float
    high: float
    places: int
    """Decimals that the edges have."""

    def edge(self, value: float) -> str:
        """An edge as it is written below the bars."""
        if self.places > _MOST_PLACES:
            return f"{value:.3g}"
        plain = f"{value:.{self.places}f}"
        return plain.rstrip("0").rstrip(".") if self.places else plain


def histogram(values: Sequence[float]) -> Histogram | None:
    """Count the values in bins whose edges are round numbers; None: there is no finite value."""
    finite = sorted(value for value in values if math.isfinite(value))
    if not finite:
        return None
    step = _step(finite)
    first, last = math.floor(finite[0] / step), math.floor(finite[-1] / step)
    counts = [0] * (last - first + 1)
    for value in finite:
        # What lies on an edge belongs above it; a rounding of the division must not put it outside.
        counts[min(max(math.floor(value / step) - first, 0), len(counts) - 1)] += 1
    most, width = max(counts), WIDTH / len(counts)
    bars = tuple(
        Bar(
            low=(first + number) * step,
            high=(first + number + 1) * step,
            count=count,
            x=number * width + _GAP / 2,
            y=HEIGHT * (1 - count / most),
            width=width - _GAP,
            height=HEIGHT * count / most,
        )
        for number, count in enumerate(counts)
    )
    return Histogram(bars, bars[0].low, bars[-1].high, max(0, -math.floor(math.log10(step) + 1e-9) + _extra(step)))


def _step(ordered: Sequence[float]) -> float:
    """A round width that makes about as many bins as the root of the values' number says."""
    spread = ordered[-1] - ordered[0]
    if spread <= 1e-12 * max(abs(ordered[0]), abs(ordered[-1])):
        return abs(ordered[0]) / 10 or 1.0
    wanted = min(MAX_BINS - 2, max(_FEWEST, 2 * round(math.sqrt(len(ordered)))))
    rough = spread / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * each for each in _STEPS if power * each >= rough * (1 - 1e-9))


def _extra(step: float) -> int:
    """2.5 has a decimal more than 2."""
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    return 0 if abs(mantissa - round(mantissa)) < 1e-6 else 1
