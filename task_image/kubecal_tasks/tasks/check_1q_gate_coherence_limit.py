"""What relaxation and dephasing leave of a one-qubit gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import BaseTask, PostProcessResult
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.coherence import one_qubit_limit, with_error
from kubecal_tasks.tasks.findings import estimate, value_line
from kubecal_tasks.tasks.pictures import limit_picture

MICROSECOND, PERCENT = 1e-6, 1e-2
_SIGMAS = 3.0
T1 = InputParameter("t1_average", "us", hint="CheckT1Average", instead="t1")
T2_ECHO = InputParameter("t2_echo_average", "us", hint="CheckT2EchoAverage", instead="t2_echo")


class Check1QGateCoherenceLimit(BaseTask):
    """Fidelity that coherence alone allows a one-qubit gate; computed, nothing is measured."""

    name = "Check1QGateCoherenceLimit"
    drives = False
    inputs: ClassVar[tuple[InputParameter, ...]] = (T1, T2_ECHO)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "one_qubit_gate_coherence_limit",
            "",
            description="largest average fidelity of a one-qubit gate that T1 and T2 allow",
            minimum=0.0,
            maximum=1.0,
            max_age_s=DAY_S,
        ),
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        RunParameter(
            name="drag_hpi_duration",
            kind=ParameterKind.NUMBER,
            unit="ns",
            default=16,
            minimum=1.0,
            maximum=1000.0,
            description="duration of the gate",
        ),
    )

    def preprocess(self, backend: Backend) -> None:
        """There is nothing to prepare."""

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """There is nothing to measure."""
        return ()

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """The formula, with the errors of both times."""
        t1, t2 = (Measured(self.value(each.key), self.error(each.key)) for each in (T1, T2_ECHO))
        checks = _time_checks(t1, t2)
        if not all(check.ok for check in checks):
            return PostProcessResult(checks=checks)
        gate_s = self.number("drag_hpi_duration")
        lost = with_error(one_qubit_limit, gate_s, (t1, t2))
        found = Measured(1.0 - lost.value, lost.error)
        return PostProcessResult(
            estimates=(estimate("one_qubit_gate_coherence_limit", found),),
            checks=checks,
            metrics={"error_per_gate": lost.value},
            lines=(
                value_line("coherence limit", found, "%", PERCENT),
                value_line("T1", t1, "us", MICROSECOND),
                value_line("T2 echo", t2, "us", MICROSECOND),
            ),
            figures=(
                limit_picture(
                    gate_s,
                    lost,
                    {
                        "T1 and T2": lambda t: one_qubit_limit(t, t1.value, t2.value),
                        "T1 alone": lambda t: one_qubit_limit(t, t1.value, 2 * t1.value),
                    },
                ),
            ),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """Of the process that computes it; instruments take no part."""
        return 1.0


def _time_checks(t1: Measured, t2: Measured) -> tuple[Check, ...]:
    """Both times last, and T2 not longer than T1 lets it, within three sigma of both."""
    shortest = min(t1.value, t2.value)
    limit = 2 * t1.value + _SIGMAS * ((2 * t1.error) ** 2 + t2.error**2) ** 0.5
    words = f"T1 = {t1.value / MICROSECOND:.4g} us and T2 echo = {t2.value / MICROSECOND:.4g} us"
    return (
        Check(
            "positive",
            shortest,
            0.0,
            shortest > 0,
            Verdict.UNPHYSICAL,
            message=f"{words} are no times: correct the one that was set by hand, or measure it",
        ),
        Check(
            "2 t1",
            t2.value,
            limit,
            t2.value <= limit,
            Verdict.UNPHYSICAL,
            message=f"{words}: the latter is longer than 2 T1 by more than 3 sigma; measure both again",
        ),
    )
