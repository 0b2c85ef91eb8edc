"""What the third level of a driven transmon does to the line between the first two, to lowest order in the drive.

With levels 0, -d and a - 2 d in the frame of the drive (d its detuning, a the anharmonicity, all in Hz) and couplings
R/2 and sqrt(2) R/2 between neighbours, second-order perturbation theory gives the shifts below.
"""

from __future__ import annotations

import math

from kubecal_tasks.fits.values import Measured


def line_shift_hz(rate_hz: float, anharmonicity_hz: float) -> float:
    """By how much the drive moves its own resonance up: |2> pushes |1> away, R^2 / 2|a|."""
    return rate_hz**2 / (2 * abs(anharmonicity_hz))


def undressed_rate(found: Measured, anharmonicity_hz: float, neglected: float) -> Measured:
    """The Rabi rate that the line would have with two levels: |1> is mixed with |2>, so it is slower by (R / 2a)^2.

    Parameters
    ----------
    neglected
        Part of that difference which is added to the error.
    """
    part = (found.value / (2 * anharmonicity_hz)) ** 2
    return Measured(found.value * (1.0 + part), math.hypot(found.error, neglected * part * found.value))


def pair_rate_hz(rate_hz: float, anharmonicity_hz: float) -> float:
    """Rabi rate between |0> and |2> where two photons together are resonant: sqrt(2) R^2 / 2 over |a|/2."""
    return math.sqrt(2) * rate_hz**2 / abs(anharmonicity_hz)


def pair_shift_hz(rate_hz: float, anharmonicity_hz: float) -> float:
    """By how much twice the drive's frequency is lower there than the levels without a drive: R^2 / 2|a|.

    |1> lies |a|/2 above both, pushes |0> down by R^2 / 2|a| and |2> by twice as much.
    """
    return rate_hz**2 / (2 * abs(anharmonicity_hz))
