"""How long the excited state lasts, on average, and how much that wanders from run to run."""

from __future__ import annotations

from typing import ClassVar

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.tasks.average import RUNS, AverageTask, average_outputs
from kubecal_tasks.tasks.check_t1 import CheckT1


class CheckT1Average(AverageTask):
    """Energy relaxation time, mean and scatter of several runs."""

    name = "CheckT1Average"
    inputs: ClassVar[tuple[InputParameter, ...]] = CheckT1.inputs
    outputs: ClassVar[tuple[OutputParameter, ...]] = average_outputs("t1", "energy relaxation time")
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (RUNS, *CheckT1.run_parameters)
    r2_threshold = 0.7
    single = CheckT1
    quantity = "t1"
    words = "T1"
