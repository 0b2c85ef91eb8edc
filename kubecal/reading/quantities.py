"""Numbers with their errors, as people write them."""

from __future__ import annotations


def quantity(value: float, error: float | None) -> tuple[str, str]:
    """``("31.2", "0.8")``: the error to two digits, the value to the same place; no error is an empty text."""
    if error is None or not error > 0:
        return f"{value:.6g}", ""
    places = max(0, 1 - int(f"{error:e}".partition("e")[2]))
    return f"{value:.{places}f}", f"{error:.{places}f}"


def sigmas(change: float) -> str:
    """``+1.2 σ``, ``-140 σ``: a change in units of its error, to two or three digits."""
    return (
        f"{change:+.1f} σ" if abs(change) < 100 else f"{change:+.0f} σ" if abs(change) < 10_000 else f"{change:+.0e} σ"
    )


def duration(seconds: float) -> str:
    """``33 s``, ``4 min 10 s``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def age(seconds: float) -> str:
    """``33 s``, ``12 min``, ``5 h``, ``3 d``: a duration of which only its size matters."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds // 86_400:.0f} d"


def spoken(name: str) -> str:
    """``PartiallyFailed`` as it is said: partially failed."""
    return "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name).strip()
