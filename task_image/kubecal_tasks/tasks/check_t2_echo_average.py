"""How long the phase lasts once slow detunings are refocused, on average, and how much that wanders."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.average import RUNS, AverageTask, average_outputs
from kubecal_tasks.tasks.check_t2_echo import CheckT2Echo


class CheckT2EchoAverage(AverageTask):
    """Echo coherence time, mean and scatter of several runs."""

    name = "CheckT2EchoAverage"
    inputs: ClassVar[tuple[InputParameter, ...]] = CheckT2Echo.inputs
    outputs: ClassVar[tuple[OutputParameter, ...]] = average_outputs(
        "t2_echo", "coherence time under one refocusing pulse"
    )
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (RUNS, *CheckT2Echo.run_parameters)
    r2_threshold = 0.7
    single = CheckT2Echo
    quantity = "t2_echo"
    words = "T2 echo"
