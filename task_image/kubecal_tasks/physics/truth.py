"""What a simulated qubit really is: drawn once from a seed, never told.

Every draw has its own key of (seed, what, which), so a qubit's truth follows from the seed, its id and its
site alone, in whatever order and process it is asked for. Neighbours fit together because what they share
(the chip's frequencies, a MUX's readout) is drawn from the chip's or the MUX's key.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.special import ndtr, ndtri

from kubecal.api.request import RequestSite

DESIGN_READOUT_S = 384e-9
"""Readout length at which the drawn signal-to-noise ratio holds."""
PULSE_S = 32e-9
_SPREAD_HZ = 8e6
_CUT = 2.0
"""Sigmas beyond which nothing is drawn."""


class Draw(IntEnum):
    """What a random key is for; appended to, never renumbered, or every seed would be another chip."""

    CHIP = 0
    MUX = 1
    QUBIT = 2
    DRIFT = 3
    TLS = 4
    DESIGN = 5
    EXCHANGE = 6
    CROSSTALK = 7


@dataclass(frozen=True)
class Coherence:
    """Ranges of coherence times, s."""

    t1_s: tuple[float, float]
    t2_echo_s: tuple[float, float]
    t2_star_s: tuple[float, float]


DEFAULT = Coherence((15e-6, 60e-6), (15e-6, 60e-6), (4e-6, 12e-6))
LONG = Coherence((60e-6, 300e-6), (60e-6, 300e-6), (15e-6, 50e-6))


@dataclass(frozen=True)
class ResonatorTruth:
    """A readout resonator and its line; frequencies in Hz."""

    bare_hz: float
    coupling_hz: float
    """g."""
    kappa_hz: float
    """Line width through the readout line."""
    loss_hz: float
    """Line width through losses, much smaller."""
    design_amplitude: float
    photons: float
    """At the design amplitude."""
    snr: float
    """Distance of the |0> and |1> blobs over the width of one, at the design readout."""
    phase_rad: float
    delay_s: float
    """Of cable and electronics."""
    slope_per_hz: float
    """Relative change of the background's transmission with frequency."""


@dataclass(frozen=True)
class QubitTruth:
    """A qubit at one moment."""

    id: str
    frequency_hz: float
    """Of |0> to |1>, dressed, all others in |0>."""
    anharmonicity_hz: float
    t1_s: float
    pure_dephasing_per_s: float
    """Markovian, on top of 1 / 2 T1: what an echo cannot undo."""
    slow_detuning_hz: float
    """Standard deviation of the detuning that stays during a shot."""
    thermal: float
    """Population of |1> at rest."""
    drive_hz: float
    """Rabi frequency of a drive at full scale."""
    resonator: ResonatorTruth

    @property
    def t2_echo_s(self) -> float:
        """Coherence time under an echo."""
        return 1.0 / (0.5 / self.t1_s + self.pure_dephasing_per_s)

    @property
    def t2_star_s(self) -> float:
        """Where exp(-t / T2) exp(-t^2 / Tg^2) has fallen to 1/e, with Tg = sqrt(2) / (2 pi sigma)."""
        linear, square = 1.0 / self.t2_echo_s, 2.0 * (math.pi * self.slow_detuning_hz) ** 2
        return 2.0 / (linear + math.sqrt(linear**2 + 4.0 * square))


def generator(seed: int, draw: Draw, *which: int) -> np.random.Generator:
    """The random numbers of one key."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(int(draw), *which)))


def draw_truth(seed: int, site: RequestSite, coherence: Coherence = DEFAULT) -> QubitTruth:
    """The qubit that a seed has at a site."""
    rng = generator(seed, Draw.QUBIT, int(site.id))
    frequency = _qubit_frequency(seed, site, rng)
    anharmonicity = -rng.uniform(0.28e9, 0.34e9)
    t1 = _log_uniform(rng, *coherence.t1_s)
    t2_echo = _log_uniform(rng, coherence.t2_echo_s[0], min(coherence.t2_echo_s[1], 1.9 * t1))
    t2_star = min(rng.uniform(*coherence.t2_star_s), 0.9 * t2_echo)
    gauss = math.sqrt(1.0 - t2_star / t2_echo) / t2_star
    thermal = rng.uniform(0.005, 0.03)
    pi_amplitude = rng.uniform(0.25, 0.45)
    return QubitTruth(
        id=site.id,
        frequency_hz=frequency,
        anharmonicity_hz=anharmonicity,
        t1_s=t1,
        pure_dephasing_per_s=1.0 / t2_echo - 0.5 / t1,
        slow_detuning_hz=math.sqrt(2.0) * gauss / (2.0 * math.pi),
        thermal=thermal,
        drive_hz=0.5 / (PULSE_S * _GAUSSIAN_MEAN * pi_amplitude),
        resonator=_resonator(seed, site, rng, frequency, anharmonicity),
    )


_GAUSSIAN_MEAN = (math.sqrt(math.pi / 8.0) * math.erf(math.sqrt(2.0)) - math.exp(-2.0)) / (1.0 - math.exp(-2.0))
"""Mean of the lifted Gaussian envelope: pi pulses of 32 ns have the drawn amplitude."""


def _qubit_frequency(seed: int, site: RequestSite, rng: np.random.Generator) -> float:
    """A checkerboard: qubits on even sites lie below their neighbours by 60 to 160 MHz.

    The scatter of two neighbours is cut at 16 MHz each, so a step of 92 to 128 MHz keeps the promise for
    every pair without looking at any.
    """
    chip = generator(seed, Draw.CHIP)
    low = chip.uniform(4.7e9, 5.15e9)
    step = chip.uniform(92e6, 128e6)
    odd = (site.x + site.y) % 2
    return low + odd * step + _SPREAD_HZ * cut_normal(rng)


def _resonator(
    seed: int, site: RequestSite, rng: np.random.Generator, qubit_hz: float, anharmonicity_hz: float
) -> ResonatorTruth:
    """Line width and dispersive shift are drawn, the coupling follows from them."""
    mux = generator(seed, Draw.MUX, site.mux)
    start = mux.uniform(6.6e9, 7.1e9)
    spacings = mux.uniform(60e6, 80e6, size=3)
    slot = 2 * (site.y % 2) + site.x % 2
    dressed = start + float(np.sum(spacings[:slot]))
    kappa = rng.uniform(1.5e6, 4e6)
    shift = -rng.uniform(0.5, 2.0) * kappa / 2
    # chi = g^2 a / (D (D + a)) and f_r(0) = f_bare - g^2 / D, with D = f_qubit - f_bare: two rounds settle both.
    bare = dressed
    for _ in range(8):
        distance = qubit_hz - bare
        square = shift * distance * (distance + anharmonicity_hz) / anharmonicity_hz
        bare = dressed + square / distance
    critical = distance**2 / (4.0 * square)
    return ResonatorTruth(
        bare_hz=bare,
        coupling_hz=math.sqrt(square),
        kappa_hz=kappa,
        loss_hz=kappa * rng.uniform(0.01, 0.05),
        design_amplitude=rng.uniform(0.08, 0.12),
        photons=critical * rng.uniform(0.1, 0.2),
        snr=rng.uniform(4.0, 6.0),
        phase_rad=rng.uniform(0.0, 2.0 * math.pi),
        delay_s=rng.uniform(40e-9, 60e-9),
        slope_per_hz=rng.uniform(-0.05, 0.05) / 100e6,
    )


def cut_normal(rng: np.random.Generator) -> float:
    """A standard normal number within two sigmas."""
    return float(ndtri(rng.uniform(ndtr(-_CUT), ndtr(_CUT))))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))
