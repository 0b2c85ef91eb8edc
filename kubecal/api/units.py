"""Units of manifests and records, and their way to SI and back.

Inside the code everything is SI (Hz, s, rad); manifests and records use the units labs know (GHz, MHz, us,
ns, dB, a.u.). Conversion happens here and nowhere else.
"""

from __future__ import annotations

import math
import re
from typing import Final

_SCALES: Final[dict[str, dict[str, float]]] = {
    "frequency": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    "time": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9},
    "angle": {"rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180},
    "power": {"dB": 1.0},
    "amplitude": {"a.u.": 1.0},
    "rate per amplitude": {"MHz/a.u.": 1e6},
    "number": {"": 1.0},
}
_DIMENSION: Final = {unit: dimension for dimension, units in _SCALES.items() for unit in units}
_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)?\s*$")


class UnitError(ValueError):
    """A unit that is unknown, or of another dimension than is wanted."""


def scale_of(unit: str) -> float:
    """How much one of the unit is in SI.

    Raises
    ------
    UnitError
        If the unit is unknown.
    """
    if unit not in _DIMENSION:
        raise UnitError(f"there is no unit {unit!r}: known are {', '.join(u for u in _DIMENSION if u)}")
    return _SCALES[_DIMENSION[unit]][unit]


def to_si(value: float, unit: str) -> float:
    """A number in a unit, in SI."""
    return value * scale_of(unit)


def from_si(value: float, unit: str) -> float:
    """A number in SI, in a unit."""
    return value / scale_of(unit)


def readable(value: float, unit: str) -> tuple[float, str]:
    """The same in the largest decimal multiple of its unit in which it is at least 1: 0.000012 GHz is 12 kHz.

    Raises
    ------
    UnitError
        If the unit is unknown.
    """
    own = scale_of(unit)
    multiples = {scale / own: name for name, scale in reversed(_SCALES[_DIMENSION[unit]].items())}
    decimal = [each for each in multiples if math.isclose(math.log10(each), round(math.log10(each)), abs_tol=1e-9)]
    chosen = max((each for each in decimal if each <= abs(value)), default=min(decimal))
    return value / chosen, multiples[chosen]


def parse_quantity(text: str, unit: str) -> float:
    """Read ``"1.5 MHz"`` where ``unit`` is wanted; returns the number in ``unit``.

    Raises
    ------
    UnitError
        If it is no number with a unit, or its dimension is another one.
    """
    match = _QUANTITY.match(text)
    if match is None:
        wanted = f" with a unit such as {unit}" if unit else ""
        raise UnitError(f"{text!r} is not a number{wanted}")
    number, given = float(match[1]), match[2] or unit
    if given not in _DIMENSION:
        raise UnitError(f"{text!r} has the unknown unit {given!r}: write {_examples(unit)}")
    if _DIMENSION[given] != _DIMENSION[unit]:
        raise UnitError(f"{text!r} is a {_DIMENSION[given]}, not a {_DIMENSION[unit]}: write {_examples(unit)}")
    # 120 ns are 120 ns, not 120.00000000000001.
    return number if given == unit else number * scale_of(given) / scale_of(unit)


def _examples(unit: str) -> str:
    names = [name for name in _SCALES[_DIMENSION[unit]] if name]
    return f"a number in {' or '.join(names)}" if names else "a plain number"
