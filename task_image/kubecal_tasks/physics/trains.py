"""Long trains of a few kinds of pulses, all sweep points stepped together.

Randomized benchmarking plays a hundred thousand pulses of four kinds (one pulse, four phases). Each kind is a
matrix; so is every row of a few kinds, and a train is a product of such rows. Density matrices keep to a basis of
Hermitian matrices, in which everything is real.

Without waits a train turns little with the slow detuning, and its average over it is a Gauss-Hermite sum: what the
highest polynomials that the nodes resolve add to the result says whether there are enough of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import hermite_e
from numpy.typing import NDArray

from kubecal_tasks.physics.propagation import LEVELS, Complex, Real
from kubecal_tasks.programs.sheet import Pulse
from kubecal_tasks.programs.timeline import Timeline

Places = NDArray[np.int_]

_SHORTEST_S = 1e-15
_SMALLEST_RAD = 2 * np.pi / 2**30
"""Waits and phases that differ by less are the same."""
_MADE = 8192
"""Products of kinds that are made beforehand, at most, at all nodes together."""
RESOLVED = 3e-3
"""What the highest polynomials may add to a population."""
AGREED = 1e-3
"""By how much the means of two sets of nodes may differ; the finer one is better by far."""


@dataclass(frozen=True)
class Element:
    """A wait and a pulse after it."""

    wait_s: float
    pulse: Pulse | None
    """None: the wait before the readout."""
    phase_rad: float


@dataclass(frozen=True)
class Quadrature:
    """Nodes and weights for the average over a standard normal variable."""

    nodes: Real
    """(K,) in sigmas."""
    weights: Real
    """(K,) with sum 1."""

    @classmethod
    def of(cls, number: int) -> Quadrature:
        """Exact for polynomials up to degree 2 K - 1."""
        nodes, weights = hermite_e.hermegauss(number)
        return cls(nodes, weights / weights.sum())

    def average(self, values: Real) -> Real:
        """The mean (P, ...) of values (P, K, ...)."""
        return np.asarray(np.einsum("k,pk...->p...", self.weights, values))

    def resolves(self, values: Real) -> NDArray[np.bool_]:
        """(P,) whether the two highest polynomials add next to nothing to values (P, K, ...)."""
        number = len(self.nodes)
        if number < 3:
            return np.ones(len(values), dtype=np.bool_)
        polynomials = hermite_e.hermevander(self.nodes, number - 1)
        norms = np.sqrt(self.weights @ polynomials**2)
        highest = (self.weights[:, None] * polynomials / norms)[:, -2:]
        parts = np.abs(np.einsum("kh,pk...->hp...", highest, values))
        return np.asarray(parts.reshape(2, len(values), -1).max(axis=(0, 2)) < RESOLVED)


def spelled(shots: Sequence[Timeline]) -> tuple[list[Element], list[Places]]:
    """Every different element of these shots, and each shot as their numbers in the order they are played."""
    pulses: dict[Pulse, int] = {}
    parts = []
    for shot in shots:
        own = np.asarray([pulses.setdefault(kind, len(pulses)) for kind in shot.kinds], dtype=np.int_)
        lengths = np.asarray([kind.duration_s for kind in shot.kinds])[shot.which]
        free = np.concatenate([[0.0], shot.start_s + lengths])
        waits = np.rint((np.append(shot.start_s, shot.readout_start_s) - free) / _SHORTEST_S)
        phases = np.mod(np.rint(shot.phase_rad / _SMALLEST_RAD), round(2 * np.pi / _SMALLEST_RAD))
        parts.append((np.maximum(waits, 0.0), np.append(own[shot.which], -1), np.append(phases, 0.0)))
    waits, kinds, phases = (np.concatenate(each) for each in zip(*parts, strict=True))
    _, wait_places = np.unique(waits, return_inverse=True)
    phase_values, phase_places = np.unique(phases, return_inverse=True)
    codes = (wait_places * (len(pulses) + 1) + kinds + 1) * len(phase_values) + phase_places
    _, first, places = np.unique(codes, return_index=True, return_inverse=True)
    names = list(pulses)
    elements = [
        Element(
            float(waits[n]) * _SHORTEST_S,
            names[kinds[n]] if kinds[n] >= 0 else None,
            float(phases[n]) * _SMALLEST_RAD,
        )
        for n in first
    ]
    ends = np.cumsum([len(part[0]) for part in parts])
    return elements, np.split(places, ends[:-1])


def _hermitian_basis() -> Complex:
    """(9, 9) unitary to real coordinates: three populations, then real and imaginary parts of the coherences."""
    rows = np.zeros((LEVELS**2, LEVELS**2), dtype=np.complex128)
    rows[np.arange(LEVELS), np.arange(LEVELS) * (LEVELS + 1)] = 1.0
    place = LEVELS
    for m in range(LEVELS):
        for n in range(m + 1, LEVELS):
            upper, lower = m * LEVELS + n, n * LEVELS + m
            rows[place, [upper, lower]] = np.sqrt(0.5)
            rows[place + 1, [upper, lower]] = 1j * np.sqrt(0.5), -1j * np.sqrt(0.5)
            place += 2
    return rows


_BASIS = _hermitian_basis()


def real_maps(maps: Complex) -> Real:
    """Maps (..., 9, 9) of density matrices in the real basis, whose first three coordinates are the populations."""
    return np.asarray((_BASIS @ maps @ _BASIS.conj().T).real)


def population_maps(words: Sequence[Places], kinds: Real) -> Real:
    """(P, K, 3, 3) maps of the populations from the beginning of each train to its end.

    Parameters
    ----------
    words
        P arrays: the kinds of each train in the order they are played.
    kinds
        (E, K, 9, 9) map of each kind at K detunings, in the real basis.
    """
    number, nodes = kinds.shape[:2]
    identity = np.broadcast_to(np.eye(LEVELS**2), (1, nodes, LEVELS**2, LEVELS**2))
    padded = np.concatenate([kinds, identity])
    base = number + 1
    together = max(1, int(np.log(_MADE / nodes) / np.log(base)))
    rows = padded
    for _ in range(together - 1):  # later kinds stand to the left, and count as the lower digit
        rows = (padded[None] @ rows[:, None]).reshape(-1, nodes, LEVELS**2, LEVELS**2)
    digits = base ** np.arange(together - 1, -1, -1)
    steps = [-(-len(word) // together) for word in words]
    order = np.argsort(-np.asarray(steps), kind="stable")
    codes = np.zeros((len(words), max(steps, default=0)), dtype=np.int_)
    for place, train in enumerate(order):
        word = np.full(steps[train] * together, number)
        word[: len(words[train])] = words[train]
        codes[place, : steps[train]] = word.reshape(-1, together) @ digits
    state = np.zeros((len(words), nodes, LEVELS**2, LEVELS))
    state[:, :, range(LEVELS), range(LEVELS)] = 1.0
    active = np.sort(steps)[::-1]
    for step in range(codes.shape[1]):
        going = int(np.searchsorted(-active, -step, side="left"))
        state[:going] = rows[codes[:going, step]] @ state[:going]
    found = np.empty((len(words), nodes, LEVELS, LEVELS))
    found[order] = state[:, :, :LEVELS]
    return found
