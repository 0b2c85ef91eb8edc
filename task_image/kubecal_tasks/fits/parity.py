"""Joint probabilities of two qubits and their parity, from counts corrected for what the readout confuses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.values import Array, FitError, Measured

_SIGNS = np.asarray([1.0, -1.0, -1.0, 1.0])
_SIGMAS = 5.0
_WORST_CONDITION = 1e6


@dataclass(frozen=True)
class ParityFit:
    """Corrected probabilities of 00, 01, 10, 11 in several settings."""

    counts: Array
    """(S, 4) as taken."""
    probabilities: Array
    """(S, 4) corrected; may lie below 0 by a few of their errors."""
    covariance: Array
    """(S, 4, 4)."""

    def parity(self, setting: int) -> Measured:
        """P(00) - P(01) - P(10) + P(11)."""
        variance = float(_SIGNS @ self.covariance[setting] @ _SIGNS)
        return Measured(float(_SIGNS @ self.probabilities[setting]), float(np.sqrt(max(variance, 0.0))))


def fit_parity(counts: Array, confusion: Array) -> ParityFit:
    """Undo the confusion: p = M^-1 f, with the multinomial covariance of the fractions f.

    Parameters
    ----------
    counts
        (S, 4) shots taken for 00, 01, 10, 11.
    confusion
        (4, 4) M: probability of being taken for |row> when in |column>.

    Raises
    ------
    FitError
        If a setting has no shots, or the readout tells no states apart.
    """
    counts, confusion = np.asarray(counts, dtype=float), np.asarray(confusion, dtype=float)
    shots = counts.sum(axis=1, keepdims=True)
    if not np.all(shots > 0):
        raise FitError("a setting has no shots: measure all of them")
    if not np.linalg.cond(confusion) < _WORST_CONDITION:
        raise FitError("the readout tells no states apart: run ReadoutClassification on both qubits")
    inverse = np.linalg.inv(confusion)
    fractions = counts / shots
    # Of an outcome that never came the error is not 0: half a count more is what it may be.
    likely = (counts + 0.5) / (shots + 2.0)
    scatter = (np.einsum("sk,kl->skl", likely, np.eye(4)) - np.einsum("sk,sl->skl", likely, likely)) / shots[..., None]
    return ParityFit(counts, fractions @ inverse.T, inverse @ scatter @ inverse.T)


def parity_checks(fit: ParityFit) -> list[Finding]:
    """Whether corrected probabilities are probabilities: the confusion is then that of this readout."""
    sigma = np.sqrt(np.diagonal(fit.covariance, axis1=1, axis2=2))
    value = float((fit.probabilities / sigma).min())
    text = (
        f"a corrected probability lies {-value:.2g} sigmas below 0, at most {_SIGMAS:g} are chance: "
        "run ReadoutClassification again on both qubits"
    )
    ok = value >= -_SIGMAS
    return [Finding("negative", value, -_SIGMAS, ok, "poor_fit", "" if ok else text)]
