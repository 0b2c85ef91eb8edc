"""A Bell state's parity: whether both qubits are found alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.parity import fit_parity, parity_checks
from kubecal_tasks.fits.tomography import contrast_checks
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.bell_task import BELL_INPUTS, BellTask
from kubecal_tasks.tasks.coupling_pictures import outcomes_picture
from kubecal_tasks.tasks.coupling_task import ROLES
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.findings import estimate, value_line

SETTINGS = (("Z", "Z"), ("X", "X"), ("Y", "Y"))
"""ZZ is what is reported. A mixture of 00 and 11 has it too: XX and YY, which it has not, go with it as metrics."""


class CheckBellState(BellTask):
    """Parity of a Bell state, from joint counts corrected for the readout's errors."""

    name = "CheckBellState"
    inputs: ClassVar[tuple[InputParameter, ...]] = BELL_INPUTS
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "bell_parity",
            "",
            description="how much more often both qubits are found alike than different",
            minimum=-1.0,
            maximum=1.0,
            precision=Precision(absolute=0.05),
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (shots(4096), INTERVAL)

    def preprocess(self, backend: Backend) -> None:
        """The state read along Z, X and Y of both qubits, and the basis states."""
        self.programs = self.bell_programs(SETTINGS)

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Settings and basis states, shot by shot."""
        return tuple(self.acquire(backend, label, program) for label, program in self.programs.items())

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Probabilities from counts by the inverse of the confusion matrix."""
        fit = fit_parity(self.counts(result, "settings"), self.confusion())
        found = fit.parity(0)
        contrast = contrast_checks(self.counts(result, "references"), ROLES)
        checks = self.checked(result, [*contrast, *parity_checks(fit)])
        estimates = (estimate("bell_parity", found),)
        xx, yy = fit.parity(1), fit.parity(2)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            metrics={"xx_parity": xx.value, "yy_parity": yy.value},
            suggestion=self.suggest(checks, estimates),
            lines=(value_line("⟨ZZ⟩", found, ""), value_line("⟨XX⟩", xx, ""), value_line("⟨YY⟩", yy, "")),
            figures=(outcomes_picture(fit, SETTINGS),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default shots."""
        return duration_s(len(SETTINGS) + 4, 4096, 0.4e-6)
