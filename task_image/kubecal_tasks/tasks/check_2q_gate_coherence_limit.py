"""What relaxation and dephasing of both qubits leave of a ZX90 gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import BaseTask, PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.coherence import two_qubit_limit, with_error
from kubecal_tasks.tasks.findings import estimate, value_line

_ROLES = ("control", "target")
_TIMES = (("t1_average", "CheckT1Average"), ("t2_echo_average", "CheckT2EchoAverage"))


class Check2QGateCoherenceLimit(BaseTask):
    """Fidelity that coherence alone allows the ZX90 gate; computed, nothing is measured."""

    name = "Check2QGateCoherenceLimit"
    kind = TargetKind.COUPLING
    drives = False
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        *(InputParameter(time, "us", role=role, hint=hint) for role in _ROLES for time, hint in _TIMES),
        InputParameter("zx90_gate_time", "ns", hint="CreateZX90"),
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "two_qubit_gate_coherence_limit",
            "",
            description="largest average fidelity of ZX90 that T1 and T2 of both qubits allow",
            minimum=0.0,
            maximum=1.0,
            max_age_s=DAY_S,
        ),
    )
    timeout_s = 1500.0

    def preprocess(self, backend: Backend) -> None:
        """There is nothing to prepare."""

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """There is nothing to measure."""
        return ()

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The formula, with the errors of the four times."""
        names = [f"{role}_{time}" for role in _ROLES for time, _ in _TIMES]
        times = [Measured(self.value(name), self.error(name)) for name in names]
        shortest = min(names, key=self.value)
        text = f"{shortest} is {self.value(shortest):.4g} s, which is no time: correct it, or measure it"
        positive = Check("positive", self.value(shortest), 0.0, self.value(shortest) > 0, Verdict.UNPHYSICAL, "", text)
        if not positive.ok:
            return PostProcessResult(checks=(positive,))
        lost = with_error(two_qubit_limit, self.value("zx90_gate_time"), times)
        found = Measured(1.0 - lost.value, lost.error)
        return PostProcessResult(
            checks=(positive,),
            estimates=(estimate("two_qubit_gate_coherence_limit", found),),
            metrics={"error_per_gate": lost.value},
            lines=(value_line("coherence limit", found, "%", 1e-2),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """Of the process that computes it; instruments take no part."""
        return 1.0
