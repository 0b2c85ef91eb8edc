"""From what fits find to what the framework judges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kubecal.api.request import Verdict
from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.values import Measured, Statistics
from kubecal_tasks.framework.outcome import Check, Estimate


def as_checks(findings: Iterable[Finding], output: str = "", prefix: str = "") -> tuple[Check, ...]:
    """Findings as checks of one output, or of all of them."""
    return tuple(
        Check(prefix + f.name, f.value, f.limit, f.ok, Verdict(f.verdict), output, f.message) for f in findings
    )


def could_show(checks: Iterable[Check], could: bool, text: str) -> tuple[Check, ...]:
    """Checks of which that of the signal says ``window`` where no signal could have been seen in the sweep.

    A sweep that ends before anything can happen leaves the same data as a qubit that is dead, or a little more than
    noise. What was expected before it was measured tells which of them it is.

    Parameters
    ----------
    could
        Whether what was expected lies within the sweep.
    text
        What the sweep lacks and what to do, where it does not.
    """
    return tuple(
        replace(check, verdict=Verdict.WINDOW, message=text) if not could and _is_without_signal(check) else check
        for check in checks
    )


def _is_without_signal(check: Check) -> bool:
    return not check.ok and (check.verdict is Verdict.NO_SIGNAL or check.name.endswith("no_signal"))


def estimate(name: str, measured: Measured) -> Estimate:
    """A fitted parameter as an output."""
    return Estimate(name, measured.value, measured.error)


def metrics(statistics: Statistics) -> dict[str, float]:
    """What is stored of a fit's quality besides R2; what is not known is left out."""
    found = {
        "chi2": statistics.chi2,
        "dof": float(statistics.dof),
        "reduced_chi2": statistics.reduced_chi2,
        "p_value": statistics.p_value,
        "delta_chi2": statistics.delta_chi2,
        "clipped_fraction": statistics.clipped_fraction,
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def quality_line(statistics: Statistics) -> str:
    """R2 and chi2 as figures print them."""
    chi2 = f", χ²/dof = {statistics.reduced_chi2:.2f}" if math.isfinite(statistics.reduced_chi2) else ""
    return f"R² = {statistics.r2:.4f}{chi2}"


_MOST_DIGITS = 9
"""After the point: an error that is next to nothing is that of a fit which means nothing."""


def value_line(name: str, measured: Measured, unit: str, scale: float = 1.0) -> str:
    """A value with its error, rounded to two digits of the error: ``T1 = 31.2 ± 1.4 us``."""
    value, error = measured.value / scale, measured.error / scale
    if not (math.isfinite(value) and math.isfinite(error)):
        return f"{name} = {value} ± {error} {unit}".rstrip()
    digits = min(max(0, 1 - math.floor(math.log10(error))), _MOST_DIGITS) if error > 0 else 6
    return f"{name} = {value:.{digits}f} ± {error:.{digits}f} {unit}".rstrip()


def merged(*parts: Mapping[str, float]) -> dict[str, float]:
    """Metrics of several fits in one; later ones win."""
    return {name: value for part in parts for name, value in part.items()}
