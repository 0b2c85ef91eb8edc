"""All settings of the instruments, as raw data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.backends.reading import Reading
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.tasks.set_up import SetUpTask


class DumpBox(SetUpTask):
    """Keep all settings of the instruments as raw data."""

    name = "DumpBox"
    kind = TargetKind.CHIP

    def ask(self, backend: Backend) -> Reading:
        """Everything the backend can tell."""
        return Reading("settings", backend.dump())

    def judge(self, said: Mapping[str, Any]) -> PostProcessResult:
        """Something was said."""
        text = "the instruments told no settings at all: look at the backend's log"
        told = Check("settings", len(said), 1.0, len(said) >= 1, Verdict.HARDWARE_ERROR, message=text)
        return PostProcessResult(checks=(told,), metrics={"sections": float(len(said))})
