"""Two-qubit state tomography: the density matrix that makes the counts of nine settings most likely.

What the readout confuses is part of each measurement operator, so counts are used as they came (no corrected
"probabilities" below 0). R rho R (Hradil, Phys. Rev. A 55, R1561, 1997; Rehacek et al., 75, 042108, 2007) keeps
the matrix positive. Errors come from the Fisher information of the fifteen Pauli coefficients at the maximum: they are
those of counting, and leave out positivity and whatever the classifiers' own errors do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kubecal_tasks.fits.checks import FEWEST_SIGMAS, POOR_P, TOLERATED_CHI2, Finding
from kubecal_tasks.fits.values import Array, FitError, Measured

Complex = NDArray[np.complex128]

SETTINGS = tuple((first, second) for first, second in product("XYZ", repeat=2))
"""Axis of the first and of the second qubit."""
LABELS = tuple("".join(pair) for pair in product("IXYZ", repeat=2))
_PAULIS = {
    "I": np.eye(2, dtype=complex),
    "X": np.asarray([[0, 1], [1, 0]], dtype=complex),
    "Y": np.asarray([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0, -1.0]).astype(complex),
}
PRODUCTS: Complex = np.stack([np.kron(_PAULIS[a], _PAULIS[b]) for a, b in product("IXYZ", repeat=2)])
"""(16, 4, 4) in the order of the labels."""
BELL: Complex = np.asarray([1, 0, 0, 1], dtype=complex) / np.sqrt(2)
"""(|00> + |11>) / sqrt(2)."""
_ROUNDS = 4000
_SETTLED = 1e-9


@dataclass(frozen=True)
class TomographyFit:
    """A measured density matrix of two qubits."""

    density: Complex
    """(4, 4), the first qubit's state most significant."""
    fidelity: Measured
    """With the ideal state."""
    linear_fidelity: float
    """Of the matrix that positivity does not hold: free of its bias."""
    purity: float
    """Tr rho^2."""
    chi2: float
    """Of the counts against the matrix."""
    dof: int
    counts: Array
    """(9, 4)."""
    expected: Array
    """(9, 4)."""

    @property
    def reduced_chi2(self) -> float:
        """chi2 per degree of freedom."""
        return self.chi2 / self.dof

    @property
    def r2(self) -> float:
        """Coefficient of determination of the counts' fractions."""
        seen, model = (each / self.counts.sum(axis=1, keepdims=True) for each in (self.counts, self.expected))
        total = float(np.sum((seen - 0.25) ** 2))
        return 1 - float(np.sum((seen - model) ** 2)) / total if total > 0 else float("nan")

    def coefficient(self, label: str) -> float:
        """Expectation of a product of Pauli operators, e.g. ``XX``."""
        return float(np.trace(PRODUCTS[LABELS.index(label)] @ self.density).real)


def measurement_operators(confusion: Array) -> Complex:
    """(9, 4, 4, 4) operators of the outcomes 00, 01, 10, 11 as they are reported, in every setting."""
    operators = np.zeros((len(SETTINGS), 4, 4, 4), dtype=complex)
    for number, (first, second) in enumerate(SETTINGS):
        true = [
            np.kron((np.eye(2) + a * _PAULIS[first]) / 2, (np.eye(2) + b * _PAULIS[second]) / 2)
            for a, b in product((1, -1), repeat=2)
        ]
        operators[number] = np.einsum("kj,jab->kab", confusion, np.stack(true))
    return operators


def fit_tomography(counts: Array, confusion: Array, ideal: Complex = BELL) -> TomographyFit:
    """Find the density matrix.

    Parameters
    ----------
    counts
        (9, 4) shots taken for 00, 01, 10, 11 in each setting, in the order of ``SETTINGS``.
    confusion
        (4, 4) probability of being taken for |row> when in |column>.
    ideal
        (4,) the state that was meant.

    Raises
    ------
    FitError
        If shapes do not fit together, a setting has no shots, or the readout tells no states apart.
    """
    counts, confusion = np.asarray(counts, dtype=float), np.asarray(confusion, dtype=float)
    if counts.shape != (9, 4) or confusion.shape != (4, 4):
        raise FitError(
            f"counts of shape {counts.shape} and confusion of shape {confusion.shape}: give (9, 4) and (4, 4)"
        )
    if not (np.all(np.isfinite(counts)) and np.all(counts.sum(axis=1) > 0)):
        raise FitError("a setting has no shots: measure all nine")
    operators = measurement_operators(confusion)
    linear = _linear(counts, operators)
    density = _most_likely(counts, operators, _projected(linear))
    expected = counts.sum(axis=1, keepdims=True) * _probabilities(operators, density)
    ideal_density = np.outer(ideal, np.conj(ideal))
    gradient = np.einsum("nab,ba->n", PRODUCTS[1:], ideal_density).real / 4
    information = _information(expected, operators)
    error = float(np.sqrt(gradient @ np.linalg.solve(information, gradient)))
    return TomographyFit(
        density=density,
        fidelity=Measured(float(np.einsum("ab,ba->", ideal_density, density).real), error),
        linear_fidelity=float(np.einsum("ab,ba->", ideal_density, linear).real),
        purity=float(np.trace(density @ density).real),
        chi2=float(np.sum((counts - expected) ** 2 / np.maximum(expected, 1.0))),
        dof=9 * 3 - 15,
        counts=counts,
        expected=expected,
    )


def _probabilities(operators: Complex, density: Complex) -> Array:
    found = np.einsum("skab,ba->sk", operators, density).real
    return np.asarray(np.maximum(found, 1e-12))


def _design(operators: Complex) -> tuple[Array, Array]:
    """Probabilities as a constant (36,) and what the fifteen Pauli coefficients add (36, 15)."""
    full = np.einsum("skab,nba->skn", operators, PRODUCTS).real.reshape(-1, 16) / 4
    return full[:, 0], full[:, 1:]


def _linear(counts: Array, operators: Complex) -> Complex:
    """Least squares without positivity."""
    constant, design = _design(operators)
    shots = counts.sum(axis=1, keepdims=True)
    seen = (counts / shots).ravel()
    weights = (shots / ((counts + 0.5) / (shots + 2))).ravel()
    normal = (design * weights[:, None]).T @ design
    if np.linalg.cond(normal) > 1e10:
        raise FitError("the readout tells no states apart: run ReadoutClassification on both qubits")
    coefficients = np.linalg.solve(normal, (design * weights[:, None]).T @ (seen - constant))
    return np.asarray((PRODUCTS[0] + np.einsum("n,nab->ab", coefficients, PRODUCTS[1:])) / 4)


def _projected(matrix: Complex) -> Complex:
    """The nearest state (Smolin, Gambetta and Smith, Phys. Rev. Lett. 108, 070502, 2012), not quite on the edge."""
    values, vectors = np.linalg.eigh(matrix)
    kept = np.clip(values, 0.0, None)
    for number in range(len(values)):  # from the lowest up: what a negative one lacks the others give
        deficit = values[number:].sum() - 1.0
        shifted = values[number:] - deficit / (len(values) - number)
        if shifted[0] >= 0:
            kept = np.concatenate([np.zeros(number), shifted])
            break
    kept = 0.99 * kept / kept.sum() + 0.01 / len(kept)  # R rho R cannot leave a value of 0
    return np.asarray((vectors * kept) @ vectors.conj().T)


def _most_likely(counts: Array, operators: Complex, density: Complex) -> Complex:
    flat, shares = operators.reshape(-1, 16), counts.ravel() / counts.sum()
    for _ in range(_ROUNDS):
        likely = (flat @ density.T.ravel()).real  # Tr(E rho); as one product, for this is done a thousand times
        step = (shares / np.maximum(likely, 1e-12) @ flat).reshape(4, 4)
        moved = step @ density @ step
        moved = (moved + moved.conj().T) / 2
        moved /= np.trace(moved).real
        change = float(np.abs(moved - density).max())
        density = moved
        if change < _SETTLED:
            break
    return density


def _information(expected: Array, operators: Complex) -> Array:
    """(15, 15) of the Pauli coefficients, from multinomial counts; as many as the model expects, at least one."""
    _, design = _design(operators)
    shots = np.repeat(expected.sum(axis=1), 4)
    weights = shots**2 / np.maximum(expected.ravel(), 1.0)
    return np.asarray((design * weights[:, None]).T @ design)


def contrast_checks(references: Array, who: tuple[str, ...]) -> list[Finding]:
    """Whether the readout tells |0> from |1> of both qubits.

    Parameters
    ----------
    references
        (4, 4) shots taken for 00, 01, 10, 11 when prepared in these.
    who
        What the first and the second qubit are called.
    """
    findings = []
    shares = references.reshape(2, 2, 2, 2) / references.sum(axis=1).reshape(2, 2, 1, 1)
    shots = float(references.sum()) / 4
    for number, name in enumerate(who):
        seen = shares[..., 1, :].sum(axis=-1) if number == 0 else shares[..., :, 1].sum(axis=-1)
        pair = seen.mean(axis=1 - number)
        noise = float(np.sqrt(np.sum(pair * (1 - pair) + 1 / shots) / (2 * shots)))
        value = float(pair[1] - pair[0]) / noise
        text = (
            f"no signal: |0> and |1> of the {name} qubit differ by {value:.2g} sigmas, {FEWEST_SIGMAS:g} are needed: "
            "run ReadoutClassification on it"
        )
        ok = value >= FEWEST_SIGMAS
        findings.append(Finding(f"contrast {name}", value, FEWEST_SIGMAS, ok, "no_signal", "" if ok else text))
    return findings


def tomography_checks(fit: TomographyFit) -> list[Finding]:
    """Whether any state at all explains the counts."""
    limit = max(TOLERATED_CHI2, float(special.chdtri(fit.dof, POOR_P)) / fit.dof)
    text = (
        f"no state explains the counts: chi2/dof is {fit.reduced_chi2:.3g}, the limit {limit:.3g}; "
        "run ReadoutClassification again, then look at the pulses"
    )
    ok = fit.reduced_chi2 <= limit
    return [Finding("poor_fit", fit.reduced_chi2, limit, ok, "poor_fit", "" if ok else text)]
