"""kubecal: calibration of superconducting quantum processors from a Kubernetes cluster, or on a laptop.

What programs use is here; each name is imported when it is first asked for, so that ``import kubecal`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubecal.service.calib_service import CalibService
    from kubecal.service.calibration import AsyncCalibService
    from kubecal.service.config import CalibConfig
    from kubecal.service.errors import Cancelled, ServiceError, SessionOverError, TaskFailed
    from kubecal.service.orchestrator import CalibOrchestrator
    from kubecal.service.results import TaskResult
    from kubecal.service.values import Value
    from kubecal_tasks.framework.task import BaseTask

__version__ = "0.1.0"
__all__ = [
    "AsyncCalibService",
    "BaseTask",
    "CalibConfig",
    "CalibOrchestrator",
    "CalibService",
    "Cancelled",
    "ServiceError",
    "SessionOverError",
    "TaskFailed",
    "TaskResult",
    "Value",
]

_MODULES = {
    "kubecal.service.calib_service": ("CalibService",),
    "kubecal.service.calibration": ("AsyncCalibService",),
    "kubecal.service.config": ("CalibConfig",),
    "kubecal.service.errors": ("Cancelled", "ServiceError", "SessionOverError", "TaskFailed"),
    "kubecal.service.orchestrator": ("CalibOrchestrator",),
    "kubecal.service.results": ("TaskResult",),
    "kubecal.service.values": ("Value",),
    "kubecal_tasks.framework.task": ("BaseTask",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
