"""Tasks whose verdict, duration, metrics, suggestion and exit code are run parameters."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from typing import Any, ClassVar

from kubecal.api.catalogue import ParameterKind, RunParameter, TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import BaseTask, PostProcessed, PostProcessResult
from kubecal_tasks.programs import Acquisition

VERDICTS = tuple(verdict.value for verdict in Verdict)
SECONDS = RunParameter(
    name="seconds", kind=ParameterKind.NUMBER, unit="s", default=0, minimum=0.0, description="how long it takes"
)
SCRIPT = (
    RunParameter(
        name="verdict",
        kind=ParameterKind.STRING,
        default="ok",
        choices=VERDICTS,
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
    RunParameter(name="value", kind=ParameterKind.NUMBER, default=0.5, description="of its output"),
    RunParameter(name="metric", kind=ParameterKind.NUMBER, default=0, description="of its metric `scripted`"),
    RunParameter(
        name="suggested_verdict",
        kind=ParameterKind.STRING,
        choices=VERDICTS,
        description="unless it is ok: the verdict it suggests for another attempt",
    ),
    RunParameter(
        name="suggested_value",
        kind=ParameterKind.NUMBER,
        description="unless it is ok: the value it suggests for another attempt",
    ),
    RunParameter(
        name="suggested_seconds",
        kind=ParameterKind.NUMBER,
        unit="s",
        minimum=0.0,
        description="unless it is ok: the duration it suggests for another attempt",
    ),
)
FAILING = RunParameter(
    name="failing",
    kind=ParameterKind.STRING,
    default="",
    description="qubits that are judged as `verdict` says, like 1,3, while the others are ok; empty: all of them are",
)
VALUE = OutputParameter("scripted_value", "a.u.", description="as the run parameter `value` says")


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

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessed:
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
    outputs: ClassVar[tuple[OutputParameter, ...]] = (VALUE,)

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Wait, then end as asked."""
        if self.binding.parameters["blocked"]:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        time.sleep(self.number("seconds"))
        code = self.integer("exit_code")
        if code:
            raise SystemExit(code)
        return ()

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessed:
        """Judge as asked."""
        return self.judged(Verdict(str(self.binding.parameters["verdict"])))

    def judged(self, verdict: Verdict) -> PostProcessResult:
        """What the script says of this target, where that is its verdict."""
        ok = verdict is Verdict.OK
        check = Check("scripted", 0.0 if ok else 1.0, 0.0, ok, verdict, message=f"scripted to be {verdict}")
        return PostProcessResult(
            estimates=tuple(Estimate(output.name, self.number("value"), 0.01) for output in self.outputs),
            checks=(check,),
            metrics={"scripted": self.number("metric"), **self.told()},
            suggestion=None if ok else self.suggested(),
        )

    def told(self) -> dict[str, float]:
        """Its inputs, as further metrics: so that others see what reached the task."""
        return {key: self.value(key) for key in self.binding.inputs}

    def suggested(self) -> Suggestion | None:
        """What it is told to suggest."""
        # Any: as a manifest would write them.
        parameters: dict[str, Any] = {
            name: self.binding.parameters[f"suggested_{name}"]
            for name in ("verdict", "value", "seconds")
            if f"suggested_{name}" in self.binding.parameters
        }
        return Suggestion(parameters, "scripted to suggest it") if parameters else None


class ScriptedComputation(Scripted):
    """A task that only computes: it does what its run parameters say and claims nothing."""

    name = "ScriptedComputation"
    drives = False


class _ScriptedSeveral(Scripted):
    """A task of which each member is judged by itself."""

    run_parameters: ClassVar[tuple[RunParameter, ...]] = (*SCRIPT, FAILING)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessed:
        """Judge those as asked that are named, or all."""
        asked = Verdict(str(self.binding.parameters["verdict"]))
        failing = str(self.binding.parameters["failing"]).split(",")
        chosen = self.members if failing == [""] else failing
        return self.each(lambda one: one.judged(asked if one.target in chosen else Verdict.OK))


class ScriptedMux(_ScriptedSeveral):
    """A MUX task that does what its run parameters say."""

    name = "ScriptedMux"
    kind = TargetKind.MUX


class ScriptedBatch(_ScriptedSeveral):
    """A qubit task that can measure several qubits in one pod and does what its run parameters say."""

    name = "ScriptedBatch"
    batch = True


class ScriptedCoupling(Scripted):
    """A coupling task that does what its run parameters say; it reads the scripted values of both its qubits."""

    name = "ScriptedCoupling"
    kind = TargetKind.COUPLING
    inputs: ClassVar[tuple[InputParameter, ...]] = (
        InputParameter("scripted_value", "a.u.", required=False, hint="Scripted", role="control"),
        InputParameter("scripted_value", "a.u.", required=False, hint="Scripted", role="target"),
        InputParameter("scripted_strength", "a.u.", required=False, hint="ScriptedCoupling"),
    )
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter("scripted_strength", "a.u.", description="as the run parameter `value` says"),
    )


class ScriptedChip(Scripted):
    """A task on the whole chip that does what its run parameters say."""

    name = "ScriptedChip"
    kind = TargetKind.CHIP
    outputs: ClassVar[tuple[OutputParameter, ...]] = ()
