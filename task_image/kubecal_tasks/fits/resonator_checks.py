"""Named judgements of resonators: is there a line, does the model describe it, is it within the sweep."""

from __future__ import annotations

from kubecal_tasks.fits.checks import Finding, believed, data_checks
from kubecal_tasks.fits.resonator import ResonatorFit

WIDEST = 0.5
"""Line width in sweeps beyond which line and background are not told apart."""
_MHZ, _GHZ = 1e6, 1e9


def resonator_checks(fit: ResonatorFit) -> list[Finding]:
    """Data checks, and whether the sweep holds the line: its middle, and enough beside it."""
    low, high = float(fit.x.min()), float(fit.x.max())
    found, kappa = fit.frequency.value, fit.kappa.value
    away = max(low - found, found - high, 0.0)
    outside = (
        f"the line, near {found / _GHZ:.6g} GHz, lies outside the sweep {low / _GHZ:.6g} ... {high / _GHZ:.6g} GHz: "
        "move the sweep"
    )
    wide = (
        f"the line is {kappa / _MHZ:.3g} MHz wide and the sweep {fit.span / _MHZ:.3g} MHz, of which it may fill half: "
        "sweep further"
    )
    return believed(
        [
            *data_checks(fit),
            window_finding("window", away / _MHZ, 0.0, outside),
            window_finding("window_width", kappa / fit.span, WIDEST, wide),
        ]
    )


def window_finding(name: str, value: float, limit: float, message: str) -> Finding:
    """A value that must not exceed its limit, or the sweep was the wrong one; NaN never passes."""
    ok = bool(value <= limit)
    return Finding(name, float(value), float(limit), ok, "window", "" if ok else message)
