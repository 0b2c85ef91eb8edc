"""How well single shots tell |0> from |1>, and the classifier that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.mixture import MixtureFit, fit_mixture, mixture_checks
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.outcome import Estimate
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import DRAG_PI_INPUTS, INTERVAL, STANDARD_INPUTS, duration_s, shots
from kubecal_tasks.tasks.findings import as_checks, estimate, value_line
from kubecal_tasks.tasks.pictures import classification_picture
from kubecal_tasks.tasks.qubit_task import QubitTask

GROUP = "classifier"
PERCENT = 0.01


def _fidelity(name: str, description: str) -> OutputParameter:
    return OutputParameter(
        name,
        "",
        description=description,
        minimum=0.0,
        maximum=1.0,
        precision=Precision(absolute=0.02),
        max_age_s=DAY_S,
    )


def _classifier(name: str, unit: str, description: str, minimum: float | None = None) -> OutputParameter:
    return OutputParameter(
        f"classifier_{name}", unit, group=GROUP, description=description, minimum=minimum, max_age_s=DAY_S
    )


class ReadoutClassification(QubitTask):
    """Fidelities of single-shot readout, and the classifier, from shots of |0> and of |1>."""

    name = "ReadoutClassification"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, *DRAG_PI_INPUTS)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        _classifier("ground_i", "a.u.", "centre of |0>"),
        _classifier("ground_q", "a.u.", "centre of |0>"),
        _classifier("excited_i", "a.u.", "centre of |1>"),
        _classifier("excited_q", "a.u.", "centre of |1>"),
        _classifier("sigma", "a.u.", "of one shot around its centre", minimum=0.0),
        _classifier("angle", "rad", "direction from |0> to |1> in the IQ plane"),
        _classifier("threshold", "a.u.", "a shot is |1> where I cos(angle) + Q sin(angle) is above it"),
        _fidelity("average_readout_fidelity", "mean of both"),
        _fidelity("readout_fidelity_0", "how often a shot of |0> is assigned to it"),
        _fidelity("readout_fidelity_1", "how often a shot of |1> is assigned to it"),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (shots(2048), INTERVAL)

    def preprocess(self, backend: Backend) -> None:
        """Nothing, or a pi pulse; then a readout of which every shot is kept."""
        pulses = self.pulses(backend)
        self.program = pulses.single_shots(((), (pulses.drag_pi(),)))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Both states."""
        return (self.acquire(backend, "shots", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Two blobs, of which that of |1> has a tail of shots that decayed while they were read."""
        ground, excited = result[0].iq
        fit = fit_mixture(ground, excited)
        checks = as_checks(mixture_checks(fit))
        estimates = _estimates(fit)
        zero, one = (state.correct for state in fit.states)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            metrics={
                "chi2": fit.chi2,
                "dof": float(fit.dof),
                "reduced_chi2": fit.chi2 / fit.dof,
                "separation": fit.separation.value,
                "not_ground_at_start": fit.wrong[0],
                "not_excited_at_start": fit.wrong[1],
                "decays_per_readout": fit.rate,
            },
            suggestion=self.suggest(checks, estimates),
            lines=(
                value_line("readout fidelity", fit.fidelity, "%", PERCENT),
                value_line("P(0|0)", zero, "%", PERCENT),
                value_line("P(1|1)", one, "%", PERCENT),
                value_line("separation", fit.separation, "σ"),
                f"χ²/dof = {fit.chi2 / fit.dof:.2f}",
            ),
            figures=(classification_picture(fit, ground, excited),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default shots."""
        return duration_s(2, 2048, 0.05e-6)


def _estimates(fit: MixtureFit) -> tuple[Estimate, ...]:
    zero, one = (state.correct for state in fit.states)
    (ground_i, ground_q), (excited_i, excited_q) = fit.ground, fit.excited
    return (
        estimate("classifier_ground_i", ground_i),
        estimate("classifier_ground_q", ground_q),
        estimate("classifier_excited_i", excited_i),
        estimate("classifier_excited_q", excited_q),
        estimate("classifier_sigma", fit.sigma),
        estimate("classifier_angle", fit.angle),
        estimate("classifier_threshold", fit.threshold),
        estimate("average_readout_fidelity", fit.fidelity),
        estimate("readout_fidelity_0", zero),
        estimate("readout_fidelity_1", one),
    )
