"""Tasks whose verdict, duration, metrics and exit code are run parameters."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from typing import ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.outcome import Check, Estimate
from kubecal_tasks.framework.task import BaseTask, PostProcessResult
from kubecal_tasks.programs import Acquisition

SECONDS = RunParameter(
    name="seconds", kind=ParameterKind.NUMBER, unit="s", default=0, minimum=0.0, description="how long it takes"
)
SCRIPT = (
    RunParameter(
        name="verdict",
        kind=ParameterKind.STRING,
        default="ok",
        choices=tuple(verdict.value for verdict in Verdict),
        description="what it is judged",
    ),
    SECONDS,
    RunParameter(
        name="exit_code",
        kind=ParameterKind.INTEGER,
        default=0,
        minimum=0,
        maximum=125,
        description="not 0: the measuring process ends with it, without a result",
    ),
    RunParameter(
        name="blocked",
        kind=ParameterKind.BOOLEAN,
        default=False,
        description="deaf to SIGTERM while it measures, as a driver blocked in native code is",
    ),
    RunParameter(name="value", kind=ParameterKind.NUMBER, default=0.5, description="of its output scripted_value"),
    RunParameter(name="metric", kind=ParameterKind.NUMBER, default=0, description="of its metric `scripted`"),
)


class Noop(BaseTask):
    """Nothing at all, as fast as a task can do it."""

    name = "Noop"
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (SECONDS,)

    def preprocess(self, backend: Backend) -> None:
        """Nothing to prepare."""

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Wait as long as asked."""
        time.sleep(self.number("seconds"))
        return ()

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Nothing was measured, nothing failed."""
        return PostProcessResult()

    @classmethod
    def estimated_duration_s(cls) -> float:
        """As its default says."""
        return 0.0


class Exit1(Noop):
    """A task whose process ends with exit code 1."""

    name = "Exit1"

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Wait as long as asked, then leave."""
        time.sleep(self.number("seconds"))
        raise SystemExit(1)


class Scripted(Noop):
    """A qubit task that does what its run parameters say."""

    name = "Scripted"
    run_parameters: ClassVar[tuple[RunParameter, ...]] = SCRIPT
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter("scripted_value", "a.u.", description="as the run parameter `value` says"),
    )

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Wait, then end as asked."""
        if self.binding.parameters["blocked"]:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        time.sleep(self.number("seconds"))
        code = self.integer("exit_code")
        if code:
            raise SystemExit(code)
        return ()

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Judge as asked."""
        verdict = Verdict(str(self.binding.parameters["verdict"]))
        ok = verdict is Verdict.OK
        check = Check("scripted", 0.0 if ok else 1.0, 0.0, ok, verdict, message=f"scripted to be {verdict}")
        return PostProcessResult(
            estimates=(Estimate("scripted_value", self.number("value"), 0.01),),
            checks=(check,),
            metrics={"scripted": self.number("metric")},
        )


class ScriptedComputation(Scripted):
    """A task that only computes: it does what its run parameters say and claims nothing."""

    name = "ScriptedComputation"
    drives = False
