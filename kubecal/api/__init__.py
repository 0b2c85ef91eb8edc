"""The two kinds, and the contracts between operator, task pods and records.

A task process starts in a light parent that needs only names and requests, so what is re-exported here is imported
when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubecal.api.chip import Chip, ChipSpec, ChipStatus
    from kubecal.api.manifests import ManifestError, Manifests, load_manifests
    from kubecal.api.session import CalibrationSession, SessionSpec
    from kubecal.api.session_status import SessionStatus

__all__ = [
    "CalibrationSession",
    "Chip",
    "ChipSpec",
    "ChipStatus",
    "ManifestError",
    "Manifests",
    "SessionSpec",
    "SessionStatus",
    "load_manifests",
]

_MODULES = {
    "chip": ("Chip", "ChipSpec", "ChipStatus"),
    "manifests": ("ManifestError", "Manifests", "load_manifests"),
    "session": ("CalibrationSession", "SessionSpec"),
    "session_status": ("SessionStatus",),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"kubecal.api.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
