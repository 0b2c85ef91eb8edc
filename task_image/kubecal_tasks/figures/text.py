"""Numbers as people write them: a value, its error to two digits, a unit."""

from __future__ import annotations

import math


def with_error(value: float, error: float, unit: str = "") -> str:
    """A value and its error to the error's second digit (first, from 3 on): ``31.24 ± 0.17 µs``."""
    tail = f" {pretty_unit(unit)}" if unit else ""
    if not (math.isfinite(value) and math.isfinite(error)):
        return f"{value:.4g} ± {error:.2g}{tail}"
    if error <= 0:
        return f"{value:.6g}{tail}"
    exponent = math.floor(math.log10(error))
    digits = 1 if round(error / 10.0**exponent, 1) < 3 else 0
    decimals = digits - exponent
    if decimals < -3 or decimals > 9:
        return f"{value:.6g} ± {error:.2g}{tail}"
    shown = max(0, decimals)
    return f"{_rounded(value, decimals):.{shown}f} ± {_rounded(error, decimals):.{shown}f}{tail}"


def pretty_unit(unit: str) -> str:
    """``us`` as µs: everywhere else units are plain ASCII."""
    return f"\u00b5{unit[1:]}" if unit in ("us", "us/a.u.") else unit


def _rounded(value: float, decimals: int) -> float:
    return round(value, decimals) + 0.0  # no minus zero
