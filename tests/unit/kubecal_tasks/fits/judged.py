"""Words the tests of fits share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.values import Measured
from tests.unit.kubecal_tasks.fits.synthetic import Array


def failed(findings: Iterable[Finding]) -> set[str]:
    """Names of the checks that failed."""
    return {each.name for each in findings if not each.ok}


def verdicts(findings: Iterable[Finding]) -> set[str]:
    """Verdicts of the checks that failed."""
    return {each.verdict for each in findings if not each.ok}


def within(measured: Sequence[Measured], truth: Array, relative: float) -> float:
    """Fraction of values near the truth."""
    values = np.asarray([each.value for each in measured])
    return float(np.mean(np.abs(values - truth) <= relative * np.abs(truth)))


def pulls(measured: Sequence[Measured], truth: Array) -> Array:
    """Distances from the truth in units of the claimed error."""
    values = np.asarray([each.value for each in measured])
    errors = np.asarray([each.error for each in measured])
    return np.asarray((values - truth) / errors)
