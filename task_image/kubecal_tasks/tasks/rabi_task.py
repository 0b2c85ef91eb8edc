"""A drive of constant amplitude, of swept duration: what every Rabi measurement plays."""

from __future__ import annotations

from collections.abc import Sequence

from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits import OscillationFit
from kubecal_tasks.fits.checks import FEWEST_PERIODS, oscillation_checks
from kubecal_tasks.fits.suggestions import Proposal, Sweep, oscillation_window, sweep_of
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import MAX_POINTS
from kubecal_tasks.tasks.findings import as_checks, could_show
from kubecal_tasks.tasks.qubit_task import TARGET_RATE_HZ, QubitTask

_GOOD_PERIODS = 4.0


class RabiTask(QubitTask):
    """A task that sweeps how long the qubit is driven, at ``control_amplitude``."""

    swept = "times"

    def preprocess(self, backend: Backend) -> None:
        """Drive for a while, read."""
        pulses = self.pulses(backend)
        amplitude = self.value("control_amplitude")
        self.program = pulses.swept("duration", "s", self.sweep("times"), lambda t: (pulses.drive(amplitude, t),))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "rabi", self.program),)

    def judged(self, fit: OscillationFit) -> tuple[Check, ...]:
        """What speaks against the oscillation; that nothing is seen in too short a time says nothing of the qubit."""
        periods = _expected_periods(fit)
        text = (
            f"nothing is seen in drives of up to {fit.x.max():.3g} s, {periods:.2g} periods of the rate that "
            f"control_amplitude stands for, of which {FEWEST_PERIODS} are needed: sweep further"
        )
        return could_show(as_checks(oscillation_checks(fit)), periods >= FEWEST_PERIODS, text)

    def next_times(
        self, checks: Sequence[Check], estimates: Sequence[Estimate], fit: OscillationFit
    ) -> Suggestion | None:
        """Other durations, as many periods as are good to see; where nothing was seen, of the expected rate."""

        def window(_: float, longest: float) -> Proposal | None:
            if _expected_periods(fit) >= FEWEST_PERIODS:
                return oscillation_window(fit, longest, MAX_POINTS)
            stop = min(_GOOD_PERIODS / TARGET_RATE_HZ, longest)
            reason = (
                f"sweep to {stop * 1e9:.3g} ns, {_GOOD_PERIODS:g} periods of the rate that control_amplitude stands for"
            )
            return Proposal(reason, Sweep(0.0, stop, sweep_of(fit.x).num, "linear"))

        return self.suggest(checks, estimates, fit.x, window)


def _expected_periods(fit: OscillationFit) -> float:
    return float(fit.x.max()) * TARGET_RATE_HZ
