"""What the bench of fits tries: each output with how its data come about, how they are fitted and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from kubecal_tasks.fits import checks, fit_amplitudes, fit_decays, fit_oscillations, fit_ramseys, fit_repetitions
from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.chevron import ChevronFit, chevron_checks, excitation, fit_chevrons, scan_checks
from kubecal_tasks.fits.drag import drag_checks, fit_drags
from kubecal_tasks.fits.gate_angle import fit_gate_angle, gate_angle_checks
from kubecal_tasks.fits.hamiltonian import fit_hamiltonian, hamiltonian_checks
from kubecal_tasks.fits.mixture import fit_mixture, mixture_checks
from kubecal_tasks.fits.rb import fit_rbs, rb_checks
from kubecal_tasks.fits.resonator import fit_resonators
from kubecal_tasks.fits.resonator_checks import resonator_checks
from kubecal_tasks.fits.train import Series, fit_trains, train_checks
from kubecal_tasks.fits.values import Measured
from tests.bench.sources import Blobs, Populations, Reflections, Sequences, Source
from tests.unit.kubecal_tasks.fits.synthetic import Array, decays, fringes, rabi

T1_DELAYS = np.geomspace(0.1e-6, 500e-6, 51)
ECHO_DELAYS = np.geomspace(0.3e-6, 100e-6, 51)
RABI_TIMES = np.arange(0, 401e-9, 8e-9)
RAMSEY_TIMES = np.linspace(0, 10e-6, 101)
AMPLITUDES = np.linspace(0, 0.8, 51)
PULSES = np.arange(0.0, 21.0)
CLIFFORDS, FEW_CLIFFORDS = (np.repeat(np.rint(np.geomspace(4, longest, 12)), 10) for longest in (1000, 560))
"""To 1.25 and to 0.7 decay lengths."""
TRAINS = (
    Series("in a row", np.pi),
    Series("after half a pulse", np.pi, led=True),
    Series("there and back", led=True, tilts=True, pulses=2),
)
BETAS_NS = np.linspace(0.1, 0.4, 21)
PAIRS, PAIR_SLOPE = (4, 8, 16), 0.84
"""Of a pi pulse of 24 ns: rad for each ns of beta."""
CR_TIMES = np.linspace(0, 1e-6, 51)
GATES, SCALES = (each.ravel() for each in np.meshgrid([1.0, 3.0, 5.0], np.linspace(0.85, 1.15, 11), indexing="ij"))
SCAN_DETUNINGS, SCAN_TIMES = np.linspace(-20e6, 20e6, 81), np.asarray([80e-9, 160e-9, 320e-9])
RESONATOR_HZ = 7.0e9 + np.arange(-10e6, 10.01e6, 0.2e6)
CHEVRON_DETUNINGS, CHEVRON_TIMES = np.linspace(-10e6, 10e6, 21), np.linspace(0, 400e-9, 26)


@dataclass(frozen=True)
class Judged:
    """One output of one fit."""

    measured: Measured
    findings: Sequence[Finding]
    r2: float
    two_lines: bool


@dataclass(frozen=True)
class Kind:
    """One output: how its data are drawn, fitted and judged."""

    name: str
    truth: Callable[[np.random.Generator, int], Array]
    source: Source
    fit: Callable[[Array, Array], list[Judged]]
    relative: float
    """The error with which it is still of use; 0.0 for absolute outputs."""
    absolute: float = 0.0
    r2: float = 0.7
    """Gate; minus infinity: none."""
    doubted: bool = False
    """Whether part of its error is a doubt that the data do not settle: its pulls may then be too narrow."""


def judge_decay(t: Array, offset: float | None = None) -> Callable[[Array, Array], list[Judged]]:
    def fit(y: Array, variance: Array) -> list[Judged]:
        fits = fit_decays(t, y, variance, offset=offset)
        return [Judged(f.tau, checks.decay_checks(f), f.statistics.r2, False) for f in fits]

    return fit


def _rabi(y: Array, variance: Array) -> list[Judged]:
    fits = fit_oscillations(RABI_TIMES, y, variance)
    return [Judged(f.frequency, checks.oscillation_checks(f), f.statistics.r2, "two_lines" in f.flags) for f in fits]


def _ramsey(y: Array, variance: Array) -> list[Judged]:
    fits = fit_ramseys(RAMSEY_TIMES, y, variance)
    return [Judged(f.frequency, checks.ramsey_checks(f), f.statistics.r2, "two_lines" in f.flags) for f in fits]


def _t2_star(y: Array, variance: Array) -> list[Judged]:
    fits = fit_ramseys(RAMSEY_TIMES, y, variance)
    return [
        Judged(
            f.t2_star,
            [*checks.ramsey_checks(f), *checks.coherence_checks(f)],
            f.statistics.r2,
            "two_lines" in f.flags,
        )
        for f in fits
    ]


def _amplitude(y: Array, variance: Array) -> list[Judged]:
    fits = fit_amplitudes(AMPLITUDES, y, variance)
    return [Judged(f.pi_amplitude, checks.amplitude_checks(f), f.statistics.r2, False) for f in fits]


def _repetition(y: Array, variance: Array) -> list[Judged]:
    fits = fit_repetitions(PULSES, y, variance)
    return [Judged(f.error_angle, checks.repetition_checks(f), f.statistics.r2, False) for f in fits]


def judge_benchmark(lengths: Array) -> Callable[[Array, Array], list[Judged]]:
    def fit(y: Array, variance: Array) -> list[Judged]:
        fits = fit_rbs(lengths, y, variance)
        return [Judged(f.error_per_clifford(2), rb_checks(f), f.statistics.r2, False) for f in fits]

    return fit


def _pi_error(y: Array, variance: Array) -> list[Judged]:
    fits = fit_trains(PULSES, y, variance, TRAINS)
    return [Judged(f.error_angle, train_checks(f), f.statistics.r2, False) for f in fits]


def _pair_angle(y: Array, variance: Array) -> list[Judged]:
    fits = fit_trains(PULSES, y, variance, TRAINS)
    return [Judged(f.pair_angle, train_checks(f), f.statistics.r2, False) for f in fits]


def _beta(y: Array, variance: Array) -> list[Judged]:
    fits = fit_drags(BETAS_NS, y, variance, PAIRS, PAIR_SLOPE)
    return [Judged(f.beta, drag_checks(f), f.statistics.r2, False) for f in fits]


def _trains(eps: Array, pair: Array) -> Array:
    """P(1) of pi pulses in a row, after half a one, and of pairs there and back."""
    angle, lead = np.pi + eps[:, None], np.pi / 2 + eps[:, None] / 2
    turned = (PULSES * angle, lead + PULSES * angle, np.pi / 2 + PULSES * pair[:, None])
    return np.asarray((1 - np.cos(np.concatenate(turned, axis=1))) / 2)


def _lines(rng: np.random.Generator, beta: Array) -> Array:
    away = PAIR_SLOPE * (BETAS_NS - beta[:, None])
    start = rng.normal(0, 0.05, (beta.size, 1))
    return np.asarray((1 + np.sin(np.concatenate([start + n * away for n in PAIRS], axis=1))) / 2)


def _hamiltonian(y: Array, variance: Array) -> list[Judged]:
    """Each (2, 3, 53): the last two points are |0> and |1>, of which those beside the control's |0> count."""
    found = []
    for own, v in zip(y, variance, strict=True):
        fit = fit_hamiltonian(CR_TIMES, own[..., :-2], v[..., :-2], own[0, :, -2:], v[0, :, -2:])
        worst = min(each.statistics.r2 for each in fit.rotations)
        found.append(Judged(fit.term("ZX"), hamiltonian_checks(fit), worst, False))
    return found


def _turning(rng: np.random.Generator, zx: Array) -> Array:
    """A target that crosstalk turns besides, (Q, 2, 3, 53) P(1)."""
    found = np.zeros((zx.size, 2, 3, CR_TIMES.size + 2))
    found[..., -1] = 1.0
    for q, rate in enumerate(zx):
        local, coupled = rng.normal(0, [1e6, 1e6, 0.1e6]), np.asarray([rate, rng.normal(0, 0.2e6), 0.05e6])
        for control, sign in enumerate((1, -1)):
            turns = Rotation.from_rotvec(2 * np.pi * CR_TIMES[:, None] * (local + sign * coupled))
            found[q, control, :, :-2] = (1 - np.exp(-CR_TIMES / 20e-6) * turns.apply([0.0, 0.0, 1.0]).T) / 2
    return found


def _gate_angle(y: Array, variance: Array) -> list[Judged]:
    fits = [fit_gate_angle(GATES, SCALES, own, v) for own, v in zip(y, variance, strict=True)]
    return [Judged(f.right_scale, gate_angle_checks(f), f.statistics.r2, False) for f in fits]


def _gates(rng: np.random.Generator, right: Array) -> Array:
    angle = np.pi / 2 * (1 + rng.uniform(0.7, 1.0, right.size)[:, None] * (SCALES - right[:, None]))
    return (1 - 0.99**GATES * np.cos(GATES * angle)) / 2


def _chevron(y: Array, variance: Array) -> tuple[ChevronFit, ...]:
    shape = (len(y), CHEVRON_DETUNINGS.size, CHEVRON_TIMES.size)
    return fit_chevrons(CHEVRON_DETUNINGS, CHEVRON_TIMES, y.reshape(shape), variance.reshape(shape))


def _chevron_centre(y: Array, variance: Array) -> list[Judged]:
    return [Judged(f.centre, chevron_checks(f), f.statistics.r2, False) for f in _chevron(y, variance)]


def _chevron_rate(y: Array, variance: Array) -> list[Judged]:
    return [Judged(f.rabi_rate, chevron_checks(f), f.statistics.r2, False) for f in _chevron(y, variance)]


def _chevrons(centre: Array, rate: Array) -> Array:
    away = CHEVRON_DETUNINGS[None, :, None] - centre[:, None, None]
    return excitation(away, CHEVRON_TIMES, rate[:, None, None], 1 / 30e-6).reshape(len(centre), -1)


def _scan(y: Array, variance: Array) -> list[Judged]:
    shape = (len(y), SCAN_DETUNINGS.size, SCAN_TIMES.size)
    fits = fit_chevrons(SCAN_DETUNINGS, SCAN_TIMES, y.reshape(shape), variance.reshape(shape))
    return [Judged(f.centre, scan_checks(f), f.statistics.r2, False) for f in fits]


def scans(*sides: float) -> Callable[[np.random.Generator, Array], Array]:
    """Lines driven at a rate of about 2 MHz, at these distances from the centre."""

    def population(rng: np.random.Generator, centre: Array) -> Array:
        rate = rng.uniform(1e6, 3e6, (centre.size, 1, 1))
        lines = [
            excitation(SCAN_DETUNINGS[None, :, None] - (centre + side)[:, None, None], SCAN_TIMES, rate, 1 / 30e-6)
            for side in sides
        ]
        return np.asarray(sum(lines) / len(lines)).reshape(centre.size, -1)

    return population


def _resonator(y: Array, covariance: Array) -> list[Judged]:
    fits = fit_resonators(RESONATOR_HZ, y, covariance)
    return [Judged(f.frequency, resonator_checks(f), f.statistics.r2, False) for f in fits]


def _mixture(y: Array, variance: Array) -> list[Judged]:
    fits = [fit_mixture(*own) for own in y]
    return [Judged(f.separation, mixture_checks(f), 1.0, False) for f in fits]


def uniform(low: float, high: float) -> Callable[[np.random.Generator, int], Array]:
    return lambda rng, n: rng.uniform(low, high, n)


def fringes_of(half_splitting: float) -> Callable[[np.random.Generator, Array], Array]:
    def population(rng: np.random.Generator, frequency: Array) -> Array:
        t2, t2_star = rng.uniform(15e-6, 60e-6, frequency.size), rng.uniform(4e-6, 12e-6, frequency.size)
        return fringes(RAMSEY_TIMES, frequency, t2, t2_star, half_splitting)

    return population


def _echo(rng: np.random.Generator, tau: Array) -> Array:
    return (1 - decays(ECHO_DELAYS, tau)) / 2


def two_rabis(rng: np.random.Generator, frequency: Array) -> Array:
    return (rabi(RABI_TIMES, frequency - 2e6) + rabi(RABI_TIMES, frequency + 2e6)) / 2


KINDS = {
    kind.name: kind
    for kind in (
        Kind("rabi", uniform(9e6, 16e6), Populations(lambda rng, f: rabi(RABI_TIMES, f)), _rabi, 0.02, r2=0.6),
        Kind("ramsey", uniform(0.5e6, 1.5e6), Populations(fringes_of(0.0)), _ramsey, 0.0, 50e3),
        Kind(
            "t2_star",
            uniform(4e-6, 12e-6),
            Populations(
                lambda rng, t: fringes(
                    RAMSEY_TIMES, rng.uniform(0.5e6, 1.5e6, t.size), rng.uniform(15e-6, 60e-6, t.size), t
                )
            ),
            _t2_star,
            0.2,
        ),
        Kind(
            "t1", uniform(15e-6, 60e-6), Populations(lambda rng, t: decays(T1_DELAYS, t)), judge_decay(T1_DELAYS), 0.2
        ),
        Kind("t2_echo", uniform(15e-6, 60e-6), Populations(_echo, alternated=True), judge_decay(ECHO_DELAYS, 0.0), 0.2),
        Kind("t2_echo, free", uniform(15e-6, 60e-6), Populations(_echo), judge_decay(ECHO_DELAYS), 0.2),
        Kind(
            "pi_amplitude",
            uniform(0.2, 0.6),
            Populations(lambda rng, a: np.sin(np.pi * AMPLITUDES / 2 / a[:, None]) ** 2),
            _amplitude,
            0.02,
        ),
        Kind(
            "hpi_error",
            lambda rng, n: rng.normal(0, 0.03, n),
            Populations(lambda rng, eps: np.sin(PULSES * (np.pi / 4 + eps[:, None] / 2)) ** 2),
            _repetition,
            0.0,
            0.02,
            r2=-np.inf,
        ),
        Kind("epc", uniform(1e-3, 1.5e-3), Sequences(CLIFFORDS), judge_benchmark(CLIFFORDS), 0.5),
        Kind(
            "pi_error",
            lambda rng, n: rng.normal(0, 0.03, n),
            Populations(lambda rng, eps: _trains(eps, rng.normal(0, 0.05, eps.size))),
            _pi_error,
            0.0,
            0.02,
            r2=-np.inf,
        ),
        Kind(
            "pair_angle",
            lambda rng, n: rng.normal(0, 0.05, n),
            Populations(lambda rng, pair: _trains(rng.normal(0, 0.03, pair.size), pair)),
            _pair_angle,
            0.0,
            0.08,
            r2=-np.inf,
        ),
        Kind("drag_beta", uniform(0.15, 0.35), Populations(_lines), _beta, 0.0, 0.05, r2=-np.inf),
        Kind("zx_rate", uniform(0.3e6, 1.4e6), Populations(_turning), _hamiltonian, 0.05),
        Kind("zx90_amplitude", uniform(0.92, 1.08), Populations(_gates), _gate_angle, 0.02),
        Kind(
            "chevron_f",
            uniform(-6e6, 6e6),
            Populations(lambda rng, centre: _chevrons(centre, rng.uniform(6e6, 20e6, centre.size))),
            _chevron_centre,
            0.0,
            0.5e6,
            r2=-np.inf,
        ),
        Kind(
            "chevron_rabi",
            uniform(6e6, 20e6),
            Populations(lambda rng, rate: _chevrons(rng.uniform(-6e6, 6e6, rate.size), rate)),
            _chevron_rate,
            0.02,
            r2=-np.inf,
        ),
        Kind("qubit_line", uniform(-12e6, 12e6), Populations(scans(0.0)), _scan, 0.0, 0.5e6, r2=-np.inf),
        Kind("resonator", uniform(6.996e9, 7.004e9), Reflections(RESONATOR_HZ), _resonator, 0.0, 0.1e6, -np.inf, True),
        Kind("separation", uniform(3.0, 7.0), Blobs(), _mixture, 0.2, r2=-np.inf),
    )
}
