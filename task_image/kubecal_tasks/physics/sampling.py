"""Drawing what instruments report: single shots, or their means with the scatter of the shots.

Several qubits may be read at once. Those whose states depend on each other are drawn jointly; a channel also
integrates a little of what the other tones of its cable carry (``leakage``), noise excepted: that is the
amplifier's and drawn for each channel by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.physics.readout import Complex, Readout, Real, leakage
from kubecal_tasks.programs.wanted import Trace

LEVELS = 3


@dataclass(frozen=True)
class States:
    """Of qubits that are read at once and depend on each other: how likely each of their joint states is."""

    tones: tuple[int, ...]
    """Which tones of the readout read them."""
    populations: Real
    """(points, 3**k) before the readout, the first qubit's state most significant."""


@dataclass(frozen=True)
class Averages:
    """Means over shots as an instrument would report them."""

    iq: Real
    """(points, T, 2)."""
    covariance: Real
    """(points, T, 2, 2) of the means, from the shots' own scatter."""


def cross_talk(tones: Sequence[Readout], cables: Sequence[int]) -> dict[tuple[int, int], Complex]:
    """What leaks of which tone into which, for all pairs on the same cable; ``cables``: the cable of each tone."""
    return {(one, other): leakage(of=tones[one], into=tones[other]) for one, other in _on_same_cable(cables)}


def sample_averages(
    tones: Sequence[Readout],
    states: Sequence[States],
    shots: int,
    rng: np.random.Generator,
    leaks: Mapping[tuple[int, int], Complex] | None = None,
) -> Averages:
    """Means and covariances of so many shots, drawn from their exact distribution without drawing each shot.

    Of leakage the covariance has the leaking signal's own scatter; how that goes with the channel's is left out, a
    hundredth of either.
    """
    points = len(states[0].populations)
    iq, covariance = np.zeros((points, len(tones), 2)), np.zeros((points, len(tones), 2, 2))
    signal, scatter = np.zeros((points, len(tones)), dtype=np.complex128), np.zeros((points, len(tones), 2, 2))
    for each in states:
        for tone, counts in _class_counts(tones, each, shots, rng).items():
            centres = _plane(tones[tone].classes()[0])
            sigma = tones[tone].sigma[..., None]
            means = centres + (sigma / np.sqrt(np.maximum(counts, 1)))[..., None] * rng.standard_normal(
                (*counts.shape, 2)
            )
            iq[:, tone], away = _mean_and_scatter(counts, means, shots)
            noise = _wishart(shots - np.count_nonzero(counts, axis=1), rng)
            covariance[:, tone] = away + np.asarray(tones[tone].sigma ** 2)[..., None, None] * noise
            if leaks:
                clean, scatter[:, tone] = _mean_and_scatter(counts, np.broadcast_to(centres, means.shape), shots)
                signal[:, tone] = clean @ np.asarray([1.0, 1j])
    for (source, into), share in (leaks or {}).items():
        turn = _as_matrix(share)
        iq[:, into] += _plane(share * signal[:, source])
        covariance[:, into] += turn @ scatter[:, source] @ np.swapaxes(turn, -1, -2)
    return Averages(iq, covariance / (shots * (shots - 1.0)))


def sample_shots(
    tones: Sequence[Readout],
    states: Sequence[States],
    shots: int,
    rng: np.random.Generator,
    leaks: Mapping[tuple[int, int], Complex] | None = None,
) -> Real:
    """(points, shots, T, 2) of every shot."""
    points = len(states[0].populations)
    signal = np.zeros((points, shots, len(tones)), dtype=np.complex128)
    noise = np.zeros((points, shots, len(tones), 2))
    for each in states:
        for tone, which in _classes_of_shots(tones, each, shots, rng).items():
            centres = tones[tone].classes()[0]
            signal[..., tone] = np.take_along_axis(np.broadcast_to(centres, (points, centres.shape[-1])), which, axis=1)
            noise[..., tone, :] = tones[tone].sigma[..., None, None] * rng.standard_normal((points, shots, 2))
    found = signal.copy()
    for (source, into), share in (leaks or {}).items():
        found[..., into] += np.asarray(share)[..., None] * signal[..., source]
    return np.asarray(_plane(found) + noise)


def sample_traces(
    tones: Sequence[Readout],
    states: Sequence[States],
    wanted: Trace,
    times_s: Real,
    cables: Sequence[int],
    rng: np.random.Generator,
) -> Averages:
    """Means over the shots of every sample of a readout: ``iq`` (points, K, T, 2), ``covariance`` (points, K, T, 2, 2).

    What is integrated otherwise, sample by sample: the tone is there from 0 to the readout's length, a state changes
    when its kind of shot says, and another tone of the cable beats with the channel's, averaged over a sample.
    """
    points, samples, shots = len(states[0].populations), len(times_s), wanted.shots
    iq, covariance = np.zeros((points, samples, len(tones), 2)), np.zeros((points, samples, len(tones), 2, 2))
    signal = np.zeros((points, samples, len(tones)), dtype=np.complex128)
    for each in states:
        for tone, counts in _class_counts(tones, each, shots, rng).items():
            read = tones[tone]
            kinds = _plane(read.classes_at(times_s, wanted.sample_s)) * np.ones((points, 1, 1, 1))
            flat = (points * samples, counts.shape[1])
            many = np.broadcast_to(counts[:, None], (points, samples, counts.shape[1])).reshape(flat)
            mean, scatter = _mean_and_scatter(many, kinds.reshape(*flat, 2), shots)
            sigma = np.broadcast_to(read.sigma * np.sqrt(read.length_s / wanted.sample_s), (points,))[:, None]
            signal[:, :, tone] = (mean @ np.asarray([1.0, 1j])).reshape(points, samples)
            noise = sigma[..., None] * rng.standard_normal((points, samples, 2)) / np.sqrt(shots)
            iq[:, :, tone] = mean.reshape(points, samples, 2) + noise
            shots_scatter = _wishart(np.full(points * samples, shots - 1), rng).reshape(points, samples, 2, 2)
            covariance[:, :, tone] = (
                scatter.reshape(points, samples, 2, 2) + sigma[..., None, None] ** 2 * shots_scatter
            )
    for source, into in _on_same_cable(cables):
        away = np.broadcast_to(tones[source].frequency_hz - tones[into].frequency_hz, (points,))[:, None]
        beat = np.exp(2j * np.pi * away * times_s) * np.sinc(away * wanted.sample_s)
        iq[:, :, into] += _plane(beat * signal[:, :, source])
    return Averages(iq, covariance / (shots * (shots - 1.0)))


def _on_same_cable(cables: Sequence[int]) -> list[tuple[int, int]]:
    numbers = range(len(cables))
    return [(one, other) for one in numbers for other in numbers if one != other and cables[one] == cables[other]]


def _class_counts(
    tones: Sequence[Readout], states: States, shots: int, rng: np.random.Generator
) -> dict[int, NDArray[np.int64]]:
    """(points, C) how many shots of each kind, by tone."""
    joint = _rounded(states.populations)
    if len(states.tones) == 1:
        given = tones[states.tones[0]].classes()[1]
        return {states.tones[0]: rng.multinomial(shots, np.matmul(joint[:, None, :], given)[:, 0])}
    counts = rng.multinomial(shots, joint).reshape(len(joint), *(LEVELS,) * len(states.tones))
    found = {}
    for place, tone in enumerate(states.tones):
        rest = tuple(axis for axis in range(1, counts.ndim) if axis != place + 1)
        given = np.broadcast_to(probabilities := tones[tone].classes()[1], (len(joint), *probabilities.shape[-2:]))
        found[tone] = rng.multinomial(counts.sum(axis=rest), given).sum(axis=1)
    return found


def _classes_of_shots(
    tones: Sequence[Readout], states: States, shots: int, rng: np.random.Generator
) -> dict[int, NDArray[np.int64]]:
    """(points, shots) which kind each shot is of, by tone."""
    if len(states.tones) == 1:
        (counts,) = _class_counts(tones, states, shots, rng).values()
        return {states.tones[0]: _shuffled(counts, rng)}
    joint = _shuffled(rng.multinomial(shots, _rounded(states.populations)), rng)
    found = {}
    for place, tone in enumerate(states.tones):
        state = joint // LEVELS ** (len(states.tones) - 1 - place) % LEVELS
        probabilities = tones[tone].classes()[1]
        upto = np.cumsum(np.broadcast_to(probabilities, (len(state), *probabilities.shape[-2:])), axis=-1)
        dice = rng.random(state.shape)
        # Each point by itself: all at once is points x shots x kinds, which is gigabytes.
        kinds = [
            np.count_nonzero(d[:, None] >= c[s][:, :-1], axis=1) for d, c, s in zip(dice, upto, state, strict=True)
        ]
        found[tone] = np.stack(kinds)
    return found


def _shuffled(counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """(points, shots) kinds in a random order, each as often as counted."""
    kinds = np.arange(counts.shape[1])
    return np.stack([rng.permutation(np.repeat(kinds, row)) for row in counts])


def _rounded(populations: Real) -> Real:
    """Populations that sum to 1; rounded, so that the last digits of another processor's arithmetic change no draw."""
    rounded = np.clip(np.round(populations, 9), 0.0, None)
    return np.asarray(rounded / rounded.sum(axis=1, keepdims=True))


def _mean_and_scatter(counts: NDArray[np.int64], means: Real, shots: int) -> tuple[Real, Real]:
    """(points, 2) mean of all shots, and (points, 2, 2) scatter of the kinds' means about it."""
    mean = np.einsum("pc,pcx->px", counts, means) / shots
    away = means - mean[:, None]
    return mean, np.einsum("pc,pcx,pcy->pxy", counts, away, away)


def _plane(values: Complex) -> Real:
    """(..., 2) complex numbers as points."""
    return np.stack([values.real, values.imag], axis=-1)


def _as_matrix(factor: Complex) -> Real:
    """(..., 2, 2) what multiplying by a complex number does to points."""
    rows = (np.stack([factor.real, -factor.imag], axis=-1), np.stack([factor.imag, factor.real], axis=-1))
    return np.stack(rows, axis=-2)


def _wishart(freedom: NDArray[np.int_], rng: np.random.Generator) -> Real:
    """(points, 2, 2) scatter of that many independent standard normal pairs, by Bartlett's decomposition."""
    first = np.sqrt(2.0 * rng.standard_gamma(np.maximum(freedom, 0) / 2.0))
    second = np.sqrt(2.0 * rng.standard_gamma(np.maximum(freedom - 1, 0) / 2.0))
    across = np.where(freedom > 0, rng.standard_normal(len(freedom)), 0.0)
    lower = np.zeros((len(freedom), 2, 2))
    lower[:, 0, 0], lower[:, 1, 0], lower[:, 1, 1] = first, across, second
    return np.asarray(lower @ np.swapaxes(lower, 1, 2))
