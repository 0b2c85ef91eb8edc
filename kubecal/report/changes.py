"""What became of a value since the last time, in words and in standard deviations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kubecal.api.units import UnitError, readable
from kubecal.reading.answers import OutputValue
from kubecal.reading.quantities import quantity

NOTABLE_SIGMAS = 3.0
"""Beyond this a change is pointed at: less than that happens by chance on any morning with some hundred values."""


@dataclass(frozen=True)
class Change:
    """A value against the one before."""

    before: str
    """``18.93 ± 0.40``."""
    sigmas: float
    """NaN: neither of the two has an error."""
    arrow: str
    """▲, ▼, or nothing where it is the same."""
    by: str
    """The difference in a unit in which it reads well: ``+12.3 kHz``."""
    text: str
    """``+2.1 σ``, or the difference in per cent where there is no error to compare with."""

    @property
    def notable(self) -> bool:
        """Whether it is more than chance."""
        return abs(self.sigmas) >= NOTABLE_SIGMAS


def change_of(output: OutputValue) -> Change | None:
    """Against the value that was the chip's before; None: there was none."""
    if output.previous is None:
        return None
    value, error = quantity(output.previous, output.previous_error)
    difference = output.value - output.previous
    sigmas = _sigmas(output, difference)
    return Change(
        before=f"{value} ± {error}" if error else value,
        sigmas=sigmas,
        arrow="▲" if difference > 0 else "▼" if difference < 0 else "",
        by=_difference(difference, output.unit),
        text=_text(output.previous, difference, sigmas),
    )


def _sigmas(output: OutputValue, difference: float) -> float:
    if output.sigmas is not None:
        return output.sigmas
    error = math.hypot(output.error, output.previous_error or 0.0)
    return difference / error if error > 0 else math.nan


def _difference(difference: float, unit: str) -> str:
    try:
        number, shown = readable(difference, unit)
    except UnitError:  # An author's own unit.
        number, shown = difference, unit
    return f"{number:+.3g} {shown}".rstrip().replace("-", "−", 1)


def _text(previous: float, difference: float, sigmas: float) -> str:
    if math.isfinite(sigmas):
        return f"{_signed(sigmas, 0 if abs(sigmas) >= 100 else 1)} σ"
    if difference == 0:
        return "the same"
    return f"{_signed(100 * difference / previous, 1)} %" if previous else "was 0"


def _signed(number: float, places: int) -> str:
    return f"{number:+.{places}f}".replace("-", "−")
