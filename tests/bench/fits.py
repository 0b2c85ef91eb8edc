"""How good the fits are: accuracy, honesty of errors, wrong acceptances and rejections, speed.

Draws seeded data sets of every kind, judges each as a task would, and prints one row a case. Exit code 1 if a
bar of docs/design is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from kubecal_tasks.fits import checks, fit_amplitudes, fit_decays, fit_oscillations, fit_ramseys, fit_repetitions
from kubecal_tasks.fits.checks import Finding
from kubecal_tasks.fits.chevron import ChevronFit, chevron_checks, excitation, fit_chevrons
from kubecal_tasks.fits.drag import drag_checks, fit_drags
from kubecal_tasks.fits.gate_angle import fit_gate_angle, gate_angle_checks
from kubecal_tasks.fits.hamiltonian import fit_hamiltonian, hamiltonian_checks
from kubecal_tasks.fits.rb import fit_rbs, rb_checks
from kubecal_tasks.fits.train import Series, fit_trains, train_checks
from kubecal_tasks.fits.values import Measured
from tests.unit.kubecal_tasks.fits.synthetic import Array, Sampled, decays, fringes, rabi, sample

BATCH = 64
T1_DELAYS = np.geomspace(0.1e-6, 500e-6, 51)
ECHO_DELAYS = np.geomspace(0.3e-6, 100e-6, 51)
RABI_TIMES = np.arange(0, 401e-9, 8e-9)
RAMSEY_TIMES = np.linspace(0, 10e-6, 101)
AMPLITUDES = np.linspace(0, 0.8, 51)
PULSES = np.arange(0.0, 21.0)
CLIFFORDS = np.repeat(np.rint(np.geomspace(4, 1000, 12)), 10)
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
    population: Callable[[np.random.Generator, Array], Array]
    fit: Callable[[Array, Array], list[Judged]]
    relative: float
    """The error with which it is still of use; 0.0 for absolute outputs."""
    absolute: float = 0.0
    r2: float = 0.7
    """Gate; minus infinity: none."""
    alternated: bool = False
    """Half of the shots measure the signal turned over, and the difference is fitted."""


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    kind: Kind
    shots: int
    what: str
    population: Callable[[np.random.Generator, Array], Array]
    glitches: float = 0.0
    accept: bool = True
    """Whether a right judge accepts."""
    bar: float | None = None
    """Least fraction within 5 %."""


@dataclass(frozen=True)
class Row:
    """What came out of one case."""

    within: float
    covered: float
    pull_width: float
    accepted: float
    flagged: float
    batch_ms: float


def _decay(t: Array, offset: float | None = None) -> Callable[[Array, Array], list[Judged]]:
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


def _benchmarking(y: Array, variance: Array) -> list[Judged]:
    fits = fit_rbs(CLIFFORDS, y, variance)
    return [Judged(f.error_per_clifford(2), rb_checks(f), f.statistics.r2, False) for f in fits]


def _sequences(scatter: float) -> Callable[[np.random.Generator, Array], Array]:
    """Ten random sequences a length, which differ by so much half-way down."""

    def population(rng: np.random.Generator, epc: Array) -> Array:
        p = 0.5 - 0.5 * (1 - 2 * epc[:, None]) ** CLIFFORDS
        scattered: Array = np.clip(p + 2 * scatter * np.sqrt(p * (1 - p)) * rng.standard_normal(p.shape), 0.0, 1.0)
        return scattered

    return population


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


def _uniform(low: float, high: float) -> Callable[[np.random.Generator, int], Array]:
    return lambda rng, n: rng.uniform(low, high, n)


def _fringes(half_splitting: float) -> Callable[[np.random.Generator, Array], Array]:
    def population(rng: np.random.Generator, frequency: Array) -> Array:
        t2, t2_star = rng.uniform(15e-6, 60e-6, frequency.size), rng.uniform(4e-6, 12e-6, frequency.size)
        return fringes(RAMSEY_TIMES, frequency, t2, t2_star, half_splitting)

    return population


def _echo(rng: np.random.Generator, tau: Array) -> Array:
    return (1 - decays(ECHO_DELAYS, tau)) / 2


def _two_rabis(rng: np.random.Generator, frequency: Array) -> Array:
    return (rabi(RABI_TIMES, frequency - 2e6) + rabi(RABI_TIMES, frequency + 2e6)) / 2


KINDS = {
    kind.name: kind
    for kind in (
        Kind("rabi", _uniform(9e6, 16e6), lambda rng, f: rabi(RABI_TIMES, f), _rabi, 0.02, r2=0.6),
        Kind("ramsey", _uniform(0.5e6, 1.5e6), _fringes(0.0), _ramsey, 0.0, 50e3),
        Kind(
            "t2_star",
            _uniform(4e-6, 12e-6),
            lambda rng, t: fringes(
                RAMSEY_TIMES, rng.uniform(0.5e6, 1.5e6, t.size), rng.uniform(15e-6, 60e-6, t.size), t
            ),
            _t2_star,
            0.2,
        ),
        Kind("t1", _uniform(15e-6, 60e-6), lambda rng, t: decays(T1_DELAYS, t), _decay(T1_DELAYS), 0.2),
        Kind("t2_echo", _uniform(15e-6, 60e-6), _echo, _decay(ECHO_DELAYS, 0.0), 0.2, alternated=True),
        Kind("t2_echo, free", _uniform(15e-6, 60e-6), _echo, _decay(ECHO_DELAYS), 0.2),
        Kind(
            "pi_amplitude",
            _uniform(0.2, 0.6),
            lambda rng, a: np.sin(np.pi * AMPLITUDES / 2 / a[:, None]) ** 2,
            _amplitude,
            0.02,
        ),
        Kind(
            "hpi_error",
            lambda rng, n: rng.normal(0, 0.03, n),
            lambda rng, eps: np.sin(PULSES * (np.pi / 4 + eps[:, None] / 2)) ** 2,
            _repetition,
            0.0,
            0.02,
            r2=-np.inf,
        ),
        Kind("epc", _uniform(1e-3, 1.5e-3), _sequences(0.0), _benchmarking, 0.5),
        Kind(
            "pi_error",
            lambda rng, n: rng.normal(0, 0.03, n),
            lambda rng, eps: _trains(eps, rng.normal(0, 0.05, eps.size)),
            _pi_error,
            0.0,
            0.02,
            r2=-np.inf,
        ),
        Kind(
            "pair_angle",
            lambda rng, n: rng.normal(0, 0.05, n),
            lambda rng, pair: _trains(rng.normal(0, 0.03, pair.size), pair),
            _pair_angle,
            0.0,
            0.08,
            r2=-np.inf,
        ),
        Kind("drag_beta", _uniform(0.15, 0.35), _lines, _beta, 0.0, 0.05, r2=-np.inf),
        Kind("zx_rate", _uniform(0.3e6, 1.4e6), _turning, _hamiltonian, 0.05),
        Kind("zx90_amplitude", _uniform(0.92, 1.08), _gates, _gate_angle, 0.02),
        Kind(
            "chevron_f",
            _uniform(-6e6, 6e6),
            lambda rng, centre: _chevrons(centre, rng.uniform(6e6, 20e6, centre.size)),
            _chevron_centre,
            0.0,
            0.5e6,
            r2=-np.inf,
        ),
        Kind(
            "chevron_rabi",
            _uniform(6e6, 20e6),
            lambda rng, rate: _chevrons(rng.uniform(-6e6, 6e6, rate.size), rate),
            _chevron_rate,
            0.02,
            r2=-np.inf,
        ),
    )
}
BARS = {
    "rabi": 1.0,
    "ramsey": 1.0,
    "t2_star": 0.96,
    "t1": 0.96,
    "t2_echo": 0.74,
    "epc": 0.72,
    "zx_rate": 0.98,
    "zx90_amplitude": 1.0,
    "chevron_f": 1.0,
    "chevron_rabi": 1.0,
}
GLITCH_BARS = {"t1": 0.96, "t2_star": 0.96, "epc": 0.76}


def _cases(shots: Sequence[int]) -> list[Case]:
    found = []
    for kind in KINDS.values():
        for n in shots:
            bar = BARS.get(kind.name) if n == 1000 else None
            found.append(Case(kind, n, "clean", kind.population, bar=bar))
        found.append(Case(kind, 1000, "4 % glitches", kind.population, 0.04, bar=GLITCH_BARS.get(kind.name)))
        found.append(Case(kind, 1000, "35 % glitches", kind.population, 0.35, accept=False))
        for n in (30, 1000, 3000):
            found.append(Case(kind, n, "pure noise", _flat(kind), accept=False))
        found.append(Case(kind, 1000, "noise, 4 % glitches", _flat(kind), 0.04, accept=False))
    for half in (0.1e6, 0.2e6, 0.5e6):
        found.append(Case(KINDS["ramsey"], 1000, f"two lines, +-{half / 1e3:.0f} kHz", _fringes(half)))
    found.append(Case(KINDS["rabi"], 1000, "two lines, +-2 MHz", _two_rabis))
    for scatter in (0.02, 0.05):
        found.append(Case(KINDS["epc"], 1000, f"sequences scatter {scatter}", _sequences(scatter)))
    for factor in (2, 3, 6):
        short = _short_window(factor)
        found.append(Case(short, 1000, f"window T1/{factor}", short.population, accept=False))
    return found


def _short_window(factor: int) -> Kind:
    """T1 that is so many times the longest delay."""
    delays = T1_DELAYS * (30e-6 / T1_DELAYS[-1])
    longer = _uniform(0.95 * factor * 30e-6, 1.05 * factor * 30e-6)
    return replace(KINDS["t1"], truth=longer, population=lambda rng, t: decays(delays, t), fit=_decay(delays))


def _flat(kind: Kind) -> Callable[[np.random.Generator, Array], Array]:
    return lambda rng, truth: np.zeros_like(kind.population(rng, truth)) + rng.choice([0.0, 0.5])


def _accepted(kind: Kind, judged: Judged) -> bool:
    limit = max(kind.absolute, kind.relative * abs(judged.measured.value))
    return judged.r2 > kind.r2 and judged.measured.error <= limit and all(each.ok for each in judged.findings)


def _draw(kind: Kind, population: Array, shots: int, rng: np.random.Generator, glitches: float = 0.0) -> Sampled:
    if not kind.alternated:
        return sample(population, shots, rng, glitches)
    up, down = (sample(each, shots // 2, rng, glitches / 2) for each in (population, 1 - population))
    return Sampled(up.y - down.y, up.variance + down.variance)


def _measure(case: Case, seeds: int, base: int) -> Row:
    rng = np.random.default_rng([base, sum(map(ord, case.kind.name + case.what)), case.shots])
    truth = case.kind.truth(rng, seeds)
    drawn = _draw(case.kind, case.population(rng, truth), case.shots, rng, case.glitches)
    judged: list[Judged] = []
    times = []
    for start in range(0, seeds, BATCH):
        part = slice(start, start + BATCH)
        began = time.perf_counter()
        judged += case.kind.fit(drawn.y[part], drawn.variance[part])
        times.append((time.perf_counter() - began) / len(truth[part]))
    value = np.asarray([each.measured.value for each in judged])
    error = np.asarray([each.measured.error for each in judged])
    accepted = np.asarray([_accepted(case.kind, each) for each in judged])
    off = np.abs(value - truth)
    good = off <= (0.05 * truth if case.kind.relative else case.kind.absolute)
    return Row(
        float(good.mean()),
        float((off <= error).mean()),
        float(np.sqrt(np.mean(np.minimum((off / error) ** 2, 25.0)))),
        float(accepted.mean()),
        float(np.mean([each.two_lines for each in judged])),
        1e3 * float(np.median(times)),
    )


def _alone_ms(kind: Kind, base: int) -> float:
    rng = np.random.default_rng([base, 99])
    truth = kind.truth(rng, 25)
    drawn = _draw(kind, kind.population(rng, truth), 1000, rng)
    times = []
    for q in range(truth.size):
        began = time.perf_counter()
        kind.fit(drawn.y[q : q + 1], drawn.variance[q : q + 1])
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def _misses(case: Case, row: Row, seeds: int) -> list[str]:
    found = []
    scatter = max(0.15, 3.3 / (2 * seeds) ** 0.5)
    if case.bar is not None and row.within < case.bar - 1e-9:
        found.append(f"within 5 %: {row.within:.3f} < {case.bar}")
    if not case.accept and row.accepted > (0.0 if "noise" in case.what else 0.05):
        found.append(f"falsely accepted: {row.accepted:.3f}")
    if case.what == "clean" and case.shots >= 1000 and row.accepted < 0.98:
        found.append(f"rejected: {1 - row.accepted:.3f}")
    if case.what.startswith("two lines") and row.accepted - row.flagged > 0.05:
        found.append(f"two lines taken for one: {row.accepted - row.flagged:.3f}")
    if case.what == "clean" and case.shots >= 300 and abs(row.pull_width - 1) > scatter:
        found.append(f"pull width {row.pull_width:.2f}")
    return found


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--base-seed", type=int, default=20)
    parser.add_argument("--shots", type=int, nargs="+", default=[30, 100, 300, 1000, 3000])
    parser.add_argument("--only", choices=sorted(KINDS))
    options = parser.parse_args()
    print(
        f"{'output':14}{'shots':>5}  {'case':24}{'within':>7}{'1 sigma':>8}{'pull':>6}"
        f"{'accept':>8}{'2 lines':>8}{'ms/q':>7}"
    )
    missed = 0
    for case in _cases(options.shots):
        if options.only and case.kind.name != options.only:
            continue
        row = _measure(case, options.seeds, options.base_seed)
        misses = _misses(case, row, options.seeds)
        missed += len(misses)
        print(
            f"{case.kind.name:14}{case.shots:5d}  {case.what:24}{row.within:7.3f}{row.covered:8.3f}"
            f"{row.pull_width:6.2f}{row.accepted:8.3f}{row.flagged:8.3f}{row.batch_ms:7.2f}  {'; '.join(misses)}",
            flush=True,
        )
    for kind in KINDS.values():
        if not options.only or kind.name == options.only:
            print(f"{kind.name:14} alone: {_alone_ms(kind, options.base_seed):.1f} ms")
    print(f"{missed} bars missed" if missed else "all bars met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
