"""Everything that flows written for other engines import: the flow itself, the service, targets, steps, task lists."""

from __future__ import annotations

from typing import NoReturn

from kubecal.service.calib_service import CalibService
from kubecal.service.config import CalibConfig
from kubecal.service.errors import Cancelled, TaskFailed
from kubecal.service.errors import is_cancellation as _is_cancellation
from kubecal.service.orchestrator import CalibOrchestrator
from kubecal.service.outcome import CalibData, FilterResult, OneQubitResult, TwoQubitResult
from kubecal.service.steps import (
    BringUp,
    ConfigureAll,
    CustomOneQubit,
    CustomTwoQubit,
    FilterByMetric,
    FilterByStatus,
    GenerateCRSchedule,
    OneQubitCheck,
    OneQubitFineTune,
    SetCRSchedule,
    Step,
    TwoQubitCalibration,
)
from kubecal.service.targets import AllMuxTargets, CouplingTargets, MuxTargets, QubitTargets, Target
from kubecal.service.task_lists import (
    BRINGUP_TASKS,
    CHECK_1Q_TASKS,
    FULL_1Q_TASKS,
    FULL_1Q_TASKS_AFTER_CHECK,
    FULL_2Q_TASKS,
)
from kubecal.workflow.flow import (
    FlowRun,
    State,
    flow,
    get_run_logger,
    on_flow_cancellation,
    on_flow_crashed,
    on_flow_failure,
)

__all__ = [
    "BRINGUP_TASKS",
    "CHECK_1Q_TASKS",
    "FULL_1Q_TASKS",
    "FULL_1Q_TASKS_AFTER_CHECK",
    "FULL_2Q_TASKS",
    "AllMuxTargets",
    "BringUp",
    "CalibConfig",
    "CalibData",
    "CalibOrchestrator",
    "CalibService",
    "Cancelled",
    "ConfigureAll",
    "CouplingTargets",
    "CustomOneQubit",
    "CustomTwoQubit",
    "FilterByMetric",
    "FilterByStatus",
    "FilterResult",
    "FlowRun",
    "GenerateCRSchedule",
    "MuxTargets",
    "OneQubitCheck",
    "OneQubitFineTune",
    "OneQubitResult",
    "QubitTargets",
    "SetCRSchedule",
    "State",
    "Step",
    "Target",
    "TaskFailed",
    "TwoQubitCalibration",
    "TwoQubitResult",
    "_is_cancellation",
    "flow",
    "get_run_logger",
    "on_flow_cancellation",
    "on_flow_crashed",
    "on_flow_failure",
]

_NOT_HERE = {
    "CheckSkew": "there is no task of that name in the catalogue: leave the step out",
    "ExperimentalSimultaneousBringUp": "write a manifest whose step has batch: Mux, and run it with kubecal run",
    "Pipeline": "run() checks its steps itself: give it the list",
    "StepContext": "steps are planned before anything runs: use what run() returns",
    "GitHubIntegration": "parameters are kept in the records, not in GitHub: leave it out",
    "GitHubPushConfig": "parameters are kept in the records, not in GitHub: leave it out",
    "ConfigFileType": "parameters are kept in the records, not in GitHub: leave it out",
    "generate_execution_id": "leave execution_id out, and the next free one of the day is taken",
    "init_calibration": "make a CalibService with qids instead",
    "finish_calibration": "call finish_calibration() of the CalibService",
    "get_session": "hand the CalibService on",
}


def __getattr__(name: str) -> NoReturn:
    if name in _NOT_HERE:
        # An AttributeError would be replaced by "cannot import name", which tells nobody what to do.
        raise ImportError(f"kubecal.workflow has no {name}: {_NOT_HERE[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
