"""Slow detunings of two qubits: few where little turns, enough and evenly spread where much does."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.special import ndtri

from kubecal_tasks.physics.propagation import Real

_TURN = 2 * math.pi
_RINGS = ((0.2, 1, 4), (1.2, 2, 5), (2.0, 3, 7), (2.5, 4, 9), (3.2, 5, 13))
"""Radians that one sigma turns, up to which so many rings of so many draws leave an error below 2e-3."""
_DRAWS_PER_RADIAN = 16
_FIBONACCI = (34, 55, 89, 144, 233)
_EDGE = 1e-7
_MOST_NODES = 20


def draw_count(radians: float) -> int:
    """How many draws it takes where one sigma turns so far; one if there is nothing to draw."""
    if radians == 0.0:
        return 1
    for enough, rings, corners in _RINGS:
        if radians <= enough:
            return rings * corners
    wanted = _DRAWS_PER_RADIAN * radians
    return next((number for number in _FIBONACCI[2:] if number >= wanted), _FIBONACCI[-1])


def drawn(count: int, points: int, rng: np.random.Generator) -> tuple[Real, Real]:
    """(points, D, 2) slow detunings in sigmas, new for every point, and (D,) their weights.

    A few lie on rings, with the radii and weights of Gauss' quadrature over the squared radius and turned by chance
    (Stroud, 1971, ch. 2): exact for all that turns little. Where more turns, signals would revive on rings; there
    they are a Fibonacci lattice, shifted by chance: each qubit's are one in each stratum of equal weight, and both
    together fill the square evenly.
    """
    if count == 1:
        return np.zeros((points, 1, 2)), np.ones(1)
    for _, rings, corners in _RINGS:
        if rings * corners == count:
            return _on_rings(rings, corners, rng.random(points))
    step = next(first for first, second in itertools.pairwise(_FIBONACCI) if second == count)
    index = np.arange(count)
    lattice = np.stack([index, index * step], axis=1) / count
    places = np.mod(lattice + rng.random((points, 1, 2)), 1.0)
    return ndtri(np.clip(places, _EDGE, 1.0 - _EDGE)), np.full(count, 1.0 / count)


def _on_rings(rings: int, corners: int, turned: Real) -> tuple[Real, Real]:
    """Regular polygons, every other one turned by half a corner against the last."""
    halves, weights = np.polynomial.laguerre.laggauss(rings)
    corner = np.arange(corners) + 0.5 * (np.arange(rings) % 2)[:, None]
    angles = _TURN * (corner / corners + turned[:, None, None])
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    sigmas = np.sqrt(2.0 * halves)[:, None, None] * unit
    return sigmas.reshape(len(turned), rings * corners, 2), np.repeat(weights / corners, corners)


def quadrature(radians: float, points: int) -> tuple[Real, Real]:
    """The same without chance, as exact as it gets: Gauss-Hermite nodes of both qubits."""
    if radians == 0.0:
        return np.zeros((points, 1, 2)), np.ones(1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(min(5 + math.ceil(3 * radians), _MOST_NODES))
    weights = weights / weights.sum()
    grid = np.stack([each.ravel() for each in np.meshgrid(nodes, nodes, indexing="ij")], axis=1)
    return np.tile(grid, (points, 1, 1)), np.outer(weights, weights).ravel()
