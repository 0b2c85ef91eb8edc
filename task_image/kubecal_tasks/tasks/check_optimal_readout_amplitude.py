"""How hard to read: as far as the separation of |0> and |1> still rises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.readout_power import ReadoutPowerFit, fit_readout_power, readout_power_checks
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check, Suggestion
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Axis, Swept
from kubecal_tasks.tasks.declared import INTERVAL, MAX_SHOTS, PI_INPUTS, STANDARD_INPUTS, duration_s, shots, sweep
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line, value_line
from kubecal_tasks.tasks.readout_pictures import readout_power_picture
from kubecal_tasks.tasks.readout_task import ReadoutTask, readout_amplitude

_POINTS = 25


class CheckOptimalReadoutAmplitude(ReadoutTask):
    """Readout amplitude from the separation of |0> and |1> over the noise, below where it saturates."""

    name = "CheckOptimalReadoutAmplitude"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        readout_amplitude("at which the separation has risen to 95 % of its largest"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        sweep(
            "amplitudes",
            "a.u.",
            {"start": 0.01, "stop": 0.25, "num": _POINTS},
            0.0001,
            1.0,
            "amplitudes of the tone",
        ),
        shots(1024),
        INTERVAL,
    )
    swept = "amplitudes"

    def preprocess(self, backend: Backend) -> None:
        """The same sweep twice: with the qubit left alone, and after a pi pulse."""
        axis = Axis("amplitude", tuple(np.unique(self.sweep("amplitudes"))), "a.u.")
        self.programs = self.in_both_states(
            backend, axis, self.value("readout_frequency"), Swept("amplitude"), lambda pulses: (pulses.pi(),)
        )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both sweeps."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Rising with the amplitude, falling as the photons take the resonator out of the qubit's reach."""
        iq, covariance = self.both(result)
        fit = fit_readout_power(result[0].x, iq[1] - iq[0], covariance[0] + covariance[1])
        sigma = self.shot_sigma(covariance)
        checks = as_checks(readout_power_checks(fit))
        chosen = float(fit.separation(np.asarray([fit.amplitude.value]))[0]) / sigma
        estimates = (estimate("readout_amplitude", fit.amplitude),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.statistics.r2,
            metrics=metrics(fit.statistics) | {"separation_sigmas": chosen},
            suggestion=self._further(checks, fit) or self.suggest(checks, estimates),
            lines=(
                value_line("readout amplitude", fit.amplitude, "a.u."),
                f"{chosen:.2f} σ of a shot apart",
                quality_line(fit.statistics),
            ),
            figures=(readout_power_picture(fit, sigma, self.value("readout_amplitude")),),
        )

    def _further(self, checks: Sequence[Check], fit: ReadoutPowerFit) -> Suggestion | None:
        """Twice as far where the separation still rises, more shots where there is none."""
        failed = {check.verdict for check in checks if not check.ok}
        high, number = float(fit.x.max()), self.integer("shots")
        if Verdict.NO_SIGNAL in failed:
            more = min(4 * number, MAX_SHOTS)
            return Suggestion({"shots": more}, f"nothing seen: {more} shots instead of {number}")
        if Verdict.WINDOW in failed and high < 1.0:
            stop = min(2 * high, 1.0)
            swept = {"start": float(f"{fit.x.min():.6g}"), "stop": stop, "num": 2 * fit.x.size, "scale": "linear"}
            return Suggestion({"amplitudes": swept}, f"amplitudes to {stop:.4g} instead of {high:.4g}")
        return None

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return duration_s(2 * _POINTS, 1024, 0.1e-6)
