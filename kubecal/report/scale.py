"""Colours for values: a scale that grows lighter all the way, so that no eye and no printer mixes two values up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

STOPS = (
    *("#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c"),
    *("#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725"),
)
"""Viridis (S. van der Walt and N. Smith), eleven colours at equal distances."""
DARK_INK, LIGHT_INK = "#000000", "#ffffff"
"""Pure, so that on any colour one of the two has a contrast of 4.58 at least."""
_OUTSIDE = 1.5
"""Interquartile ranges beyond the quartiles, after which a value no longer stretches the scale (J. W. Tukey)."""
_ENOUGH = 8
"""Values of which quartiles say something; of fewer none is an outlier."""


@dataclass(frozen=True)
class Scale:
    """From the least to the greatest value that have colours of their own; beyond them the colour stays the same."""

    low: float
    high: float

    def colour(self, value: float) -> str:
        """``#rrggbb``."""
        part = 0.5 if self.high <= self.low else (value - self.low) / (self.high - self.low)
        place = min(1.0, max(0.0, part)) * (len(STOPS) - 1)
        first = min(int(place), len(STOPS) - 2)
        pairs = zip(_channels(STOPS[first]), _channels(STOPS[first + 1]), strict=True)
        return "#" + "".join(f"{round(one + (place - first) * (other - one)):02x}" for one, other in pairs)


def scale_of(values: Iterable[float]) -> Scale | None:
    """The scale of these values, which an outlier does not stretch; None: there is no finite one."""
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return None
    if len(ordered) < _ENOUGH:
        return Scale(ordered[0], ordered[-1])
    lower, upper = quantile(ordered, 0.25), quantile(ordered, 0.75)
    reach = _OUTSIDE * (upper - lower)
    near = [value for value in ordered if lower - reach <= value <= upper + reach]
    return Scale(near[0], near[-1])


def quantile(ordered: list[float], part: float) -> float:
    """The value below which this part of the ordered values lies, between two of them in proportion."""
    place = part * (len(ordered) - 1)
    first = int(place)
    second = min(first + 1, len(ordered) - 1)
    return ordered[first] + (place - first) * (ordered[second] - ordered[first])


def ink_on(colour: str) -> str:
    """Whichever of dark and light ink reads better on a colour."""
    return max((DARK_INK, LIGHT_INK), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in _fractions(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _fractions(colour: str) -> list[float]:
    return [channel / 255 for channel in _channels(colour)]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
