"""The delay of a readout cable, from the slope of the phase about a resonator.

    S(f) = A (1 + s u) e^{-2 pi i (u tau + p / (d - u) - m / (d + u))} (1 - D / (1 + 2 i (f - f_r) / kappa))

with u = f - middle. The resonator's own turn of the phase is part of the model, so that nothing has to be left out. The
other resonators of the cable bend the phase by their tails: p and m stand for one beyond either end of the sweep, at
d = 0.65 spans. What they add to the slope, kappa / (2 pi away^2), is told from a longer cable by its bend alone and not
quite; the rest counts as an error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kubecal_tasks.fits.checks import Finding, believed, data_checks
from kubecal_tasks.fits.complex_model import Complex, derived, prepare_complex, real_columns, rescaled
from kubecal_tasks.fits.evidence import choose, evidence
from kubecal_tasks.fits.model import Model
from kubecal_tasks.fits.resonator import LONGEST_DELAY_S, Sweep, cable, fit_resonators, line
from kubecal_tasks.fits.resonator_checks import window_finding
from kubecal_tasks.fits.values import Array, Fit, Measured

TAILS_S = 0.1e-9
"""What resonators 60 to 80 MHz away, some MHz wide, leave in the delay."""
_BEYOND = 0.65
"""Where the others are taken to be, in spans from the middle: 65 MHz at the default sweep."""
_REAL_PARAMETERS = 10


@dataclass(frozen=True)
class DelayFit(Fit):
    """A fitted phase slope. The curve is (2, n): I and Q."""

    delay: Measured
    """s; its error contains ``TAILS_S``."""
    resonance: Measured
    """f_r, Hz."""

    def phase(self, f: Array) -> Array:
        """(n,) of the fit at rising frequencies, unwrapped, rad."""
        i, q = self.curve(f)
        return np.asarray(np.unwrap(np.arctan2(q, i)))


def fit_delay(f: Array, iq: Array, covariance: Array | None = None) -> DelayFit:
    """Fit one sweep.

    Parameters
    ----------
    f
        (N,) frequencies, Hz.
    iq, covariance
        (N, 2) mean IQ points and (N, 2, 2) the covariance of each mean; None: estimated from the residuals.

    Raises
    ------
    FitError
        If shapes do not fit together or too few points are finite.
    """
    sweep = Sweep.of(np.asarray(f, dtype=float))
    iq = np.asarray(iq, dtype=float)[None]
    own = None if covariance is None else np.asarray(covariance)[None]
    start = fit_resonators(sweep.frequencies, iq, own, thermal=False)[0]
    place = float(np.clip(sweep.own(np.asarray(start.frequency.value)), -0.6, 0.6))
    narrowest, widest = np.log(0.2 * sweep.spacing / sweep.span), np.log(2.0)
    width = float(np.clip(np.log(start.kappa.value / sweep.span), narrowest, widest))
    most = LONGEST_DELAY_S * sweep.span + 2.0
    model = Model(
        "delay",
        real_columns(_columns),
        np.asarray([[start.delay.value * sweep.span, 0.0, place, width, 0.0, 0.0]]),
        np.asarray([-2.0, -1.5, -0.7, narrowest, -2.0, -2.0]),
        np.asarray([most, 1.5, 0.7, widest, 2.0, 2.0]),
        trials=most / 0.25,
        level_known=True,
    )
    chosen = choose(model, prepare_complex(sweep.u, iq, own, _REAL_PARAMETERS), [], axes=2)[0]
    delay = derived(chosen, lambda t, c: float(t[0]) / sweep.span)
    return DelayFit(
        rescaled(evidence(chosen, axes=2), sweep.frequencies, sweep.own),
        delay=Measured(delay.value, float(np.hypot(delay.error, TAILS_S))),
        resonance=derived(chosen, lambda t, c: sweep.middle + float(t[2]) * sweep.span),
    )


def _columns(u: Array, theta: Array) -> Complex:
    """theta: turns, slope, place, log width, turns by a line above and by one below."""
    tails = theta[..., 4:5] / (_BEYOND - u) - theta[..., 5:6] / (_BEYOND + u)
    outside = cable(u, theta) * np.exp(-2j * np.pi * tails)
    return np.stack([outside, outside * line(u, theta[..., 2:3], theta[..., 3:4])], axis=-1)


def delay_checks(fit: DelayFit) -> list[Finding]:
    """Data checks, the signal being that anything comes back, and whether the spacing resolves the delay."""
    found = fit.delay.value
    longest = min(LONGEST_DELAY_S, 0.4 / fit.spacing)
    text = (
        f"the delay, {found * 1e9:.4g} ns, is beyond what is looked for at this spacing, {longest * 1e9:.4g} ns: sweep "
        "in finer steps"
    )
    return believed([*data_checks(fit), window_finding("aliased", found, longest, text)])
