"""Named judgements of a fit: what was compared with which limit, and what an output is if it fails.

These look at data and model. Whether a value lies within its bounds, is precise enough and passes the R2 gate
depends on what a task declares and is judged by the framework.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from scipy import special

from kubecal_tasks.fits.amplitude import AmplitudeFit
from kubecal_tasks.fits.decay import DecayFit
from kubecal_tasks.fits.oscillation import OscillationFit
from kubecal_tasks.fits.ramsey import RamseyFit
from kubecal_tasks.fits.repetition import RepetitionFit
from kubecal_tasks.fits.values import Array, Fit, Measured
from kubecal_tasks.fits.weights import MAX_CLIPPED

VerdictName = Literal["no_signal", "unphysical", "window", "poor_fit"]

POOR_P = 1e-5
"""p-value below which chi2 fails: of a hundred tasks a night that are right, none may fail by chance."""
TOLERATED_CHI2 = 1.5
"""chi2/dof that never fails: errors are scaled by its root, and no instrument's noise is known better."""
MOST_SCATTER = 2.0
"""About a flat line, in sigmas: no noise is known so badly, and half of the points cannot all be glitches."""
LONGEST_WINDOWS = 1.5
FEWEST_PERIODS = 0.5
HIGHEST_NYQUIST = 0.8
FEWEST_SIGMAS = 5.0
_LIKELY = 2.0
"""Sigmas by which a number of periods is taken low, or a decay time high, before it is compared."""


@dataclass(frozen=True)
class Finding:
    """One check."""

    name: str
    value: float
    limit: float
    ok: bool
    verdict: VerdictName
    """What an output is if this fails."""
    message: str
    """What is wrong and what to do, one sentence."""


def data_checks(fit: Fit) -> list[Finding]:
    """Is there a signal, does the model describe it, and is it mostly free of glitches."""
    return [signal_check(fit), chi2_check(fit), glitch_check(fit)]


def believed(findings: list[Finding]) -> list[Finding]:
    """The findings as they count: where most is garbage, whatever else fails fails because of that.

    Garbage hides a signal and moves every decay time: ``no_signal`` or ``window`` would send a reader to the
    qubit, or to the sweep, when it is the instrument that has to be looked at.
    """
    causes = [each for each in findings if not each.ok and _is_garbage(each)]
    if not causes:
        return findings
    others = [each if each.ok else replace(each, verdict="poor_fit") for each in findings if each not in causes]
    return [*causes, *others]


def _is_garbage(finding: Finding) -> bool:
    return finding.name == "glitches" or (finding.name == "no_signal" and finding.verdict == "poor_fit")


def signal_check(fit: Fit) -> Finding:
    """Whether the model is better than a flat line by more than noise ever makes it.

    Where it is not, there is no signal only if the flat line does describe the data: what varies far beyond its
    noise, and not as the model says, is garbage.
    """
    statistics = fit.statistics
    value, limit = statistics.delta_chi2, statistics.delta_chi2_limit
    if value <= limit and statistics.flat_scatter > MOST_SCATTER:
        return _finding("no_signal", value, limit, False, "poor_fit", _scattered(fit))
    text = (
        f"no signal: the model improves chi2 over a flat line by {value:.3g}, noise alone by up to {limit:.3g}; "
        "check drive, frequency and readout, or take more shots"
    )
    return _finding("no_signal", value, limit, value > limit, "no_signal", text)


def _scattered(fit: Fit) -> str:
    return (
        f"the points scatter {fit.statistics.flat_scatter:.3g} times as far as their noise, and not as the model says: "
        "look for instrument glitches"
    )


def chi2_check(fit: Fit) -> Finding:
    """Whether the residuals are what the noise explains."""
    statistics = fit.statistics
    if not statistics.sigma_known:
        p = statistics.p_value
        text = f"the model leaves residuals that hang together (p = {p:.2g}): look at the figure for what it misses"
        return _finding("poor_fit", p, POOR_P, p >= POOR_P, "poor_fit", text)
    value = statistics.reduced_chi2
    limit = max(TOLERATED_CHI2, float(special.chdtri(statistics.dof, POOR_P)) / statistics.dof)
    text = f"the model does not describe the data: chi2/dof is {value:.3g}, the limit {limit:.3g}; look at the figure"
    return _finding("poor_fit", value, limit, value <= limit, "poor_fit", text)


def glitch_check(fit: Fit) -> Finding:
    """Whether few enough points are garbage."""
    value = fit.statistics.clipped_fraction
    text = (
        f"{value:.0%} of the points lie beyond four sigmas, at most {MAX_CLIPPED:.0%} may: look for instrument glitches"
    )
    return _finding("glitches", value, MAX_CLIPPED, value <= MAX_CLIPPED, "poor_fit", text)


def oscillation_checks(fit: OscillationFit) -> list[Finding]:
    """Data checks, and whether the window holds half a period and resolves it."""
    lowest = fit.periods - _LIKELY * fit.frequency.error * fit.span
    window = _finding("window", lowest, FEWEST_PERIODS, lowest >= FEWEST_PERIODS, "window", _too_few(fit.periods))
    return believed([*data_checks(fit), window, _aliased(fit.frequency.value, fit.nyquist)])


def amplitude_checks(fit: AmplitudeFit) -> list[Finding]:
    """Data checks, and whether the sweep reaches the pi amplitude and resolves it."""
    reach = float(abs(fit.x).max())
    found = fit.pi_amplitude.value
    text = f"the pi amplitude, {found:.3g}, lies outside the sweep, which ends at {reach:.3g}: sweep further"
    window = _finding("window", found, reach, found <= reach, "window", text)
    return believed([*data_checks(fit), window, _aliased(0.5 / found, 0.5 / fit.spacing)])


def decay_checks(fit: DecayFit) -> list[Finding]:
    """Data checks, and whether the delays see the decay from beginning to end."""
    return believed([*data_checks(fit), *_window(fit.tau, fit.x)])


def ramsey_checks(fit: RamseyFit) -> list[Finding]:
    """What the frequency needs: data checks, half a turn or an end of the fringes, and slow enough for the spacing.

    Before half a turn the arc says little of its centre; but fringes that die away do so at their centre.
    """
    lowest = fit.periods - _LIKELY * fit.frequency.error * fit.span
    dies = _window(fit.t2_star, fit.x)[0].ok
    window = _finding(
        "window", lowest, FEWEST_PERIODS, lowest >= FEWEST_PERIODS or dies, "window", _too_few(fit.periods)
    )
    return believed([*data_checks(fit), window, _aliased(fit.frequency.value, fit.nyquist)])


def coherence_checks(fit: RamseyFit) -> list[Finding]:
    """What T2* needs besides: an envelope that falls within the delays."""
    return _window(fit.t2_star, fit.x)


def repetition_checks(fit: RepetitionFit) -> list[Finding]:
    """Data checks, with the signal judged on the contrast of |0> and |1> where both were measured."""
    if not math.isnan(float(fit.x[-1])):
        return believed(data_checks(fit))
    noise = math.hypot(fit.ground.error, fit.excited.error)
    contrast = abs(fit.excited.value - fit.ground.value)
    value = contrast / noise if noise > 0 else math.nan
    text = f"no signal: |0> and |1> differ by {value:.2g} sigmas, {FEWEST_SIGMAS:g} are needed; run CheckRabi"
    verdict: VerdictName = "no_signal"
    if fit.statistics.flat_scatter > MOST_SCATTER:
        verdict, text = "poor_fit", f"|0> and |1> look alike, but {_scattered(fit)}"
    signal = _finding("no_signal", value, FEWEST_SIGMAS, value >= FEWEST_SIGMAS, verdict, text)
    return believed([signal, chi2_check(fit), glitch_check(fit)])


def _window(tau: Measured, x: Array) -> list[Finding]:
    last, first = float(x.max()), float(x[x > 0].min(initial=math.inf))
    limit = LONGEST_WINDOWS * last
    highest = tau.value + _LIKELY * tau.error
    slow = (
        f"the decay time may be {highest / last if last > 0 else math.inf:.3g} times the longest delay, at most "
        f"{LONGEST_WINDOWS} times can be told: wait longer"
    )
    fast = f"the decay is over before the first delay: its time is {tau.value / first:.2g} times that; start earlier"
    return [
        _finding("window", highest, limit, highest <= limit, "window", slow),
        _finding("window_start", tau.value, first, tau.value >= first, "window", fast),
    ]


def _too_few(periods: float) -> str:
    return f"the sweep holds {periods:.2g} periods and must hold {FEWEST_PERIODS} for certain: sweep further"


def _aliased(frequency: float, nyquist: float) -> Finding:
    value, limit = abs(frequency), HIGHEST_NYQUIST * nyquist
    text = (
        f"the oscillation is at {value / nyquist:.2f} of what the spacing resolves, at most {HIGHEST_NYQUIST} can be "
        "trusted: use a finer sweep, or correct the frequency first"
    )
    return _finding("aliased", value, limit, value <= limit, "window", text)


def _finding(name: str, value: float, limit: float, ok: bool, verdict: VerdictName, text: str) -> Finding:
    """NaN compares false both ways, hence never passes."""
    return Finding(name, float(value), float(limit), bool(ok), verdict, "" if ok else text)
