"""A Bell state's density matrix, and how near it is to the ideal one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.tomography import SETTINGS, contrast_checks, fit_tomography, tomography_checks
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.bell_task import BELL_INPUTS, BellTask
from kubecal_tasks.tasks.coupling_pictures import density_picture
from kubecal_tasks.tasks.coupling_task import ROLES
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.findings import estimate, value_line


class CheckBellStateTomography(BellTask):
    """Fidelity of a Bell state, from the most likely density matrix of nine settings."""

    name = "CheckBellStateTomography"
    inputs: ClassVar[tuple[InputParameter, ...]] = BELL_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "bell_state_fidelity",
            "",
            description="overlap with (|00> + |11>) / sqrt(2), the readout's errors taken out",
            minimum=0.0,
            maximum=1.0,
            precision=Precision(absolute=0.05),
            max_age_s=DAY_S,
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (shots(2048), INTERVAL)

    def preprocess(self, backend: Backend) -> None:
        """The state read along all pairs of axes, and the basis states."""
        self.programs = self.bell_programs(SETTINGS)

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Settings and basis states, shot by shot."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The most likely state; its error from the Fisher information."""
        fit = fit_tomography(self.counts(result, "settings"), self.confusion())
        contrast = contrast_checks(self.counts(result, "references"), ROLES)
        checks = self.checked(result, [*contrast, *tomography_checks(fit)])
        estimates = (estimate("bell_state_fidelity", fit.fidelity),)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=fit.r2,
            metrics={
                "linear_fidelity": fit.linear_fidelity,
                "purity": fit.purity,
                "reduced_chi2": fit.reduced_chi2,
            },
            suggestion=self.suggest(checks, estimates),
            lines=(
                value_line("Bell-state fidelity", fit.fidelity, ""),
                f"purity {fit.purity:.3f}",
                f"χ²/dof = {fit.reduced_chi2:.2f}",
            ),
            figures=(density_picture(fit),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default shots."""
        return duration_s(len(SETTINGS) + 4, 2048, 0.4e-6)
