"""What ``import kubecal`` offers, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import kubecal


def test_everything_that_is_offered_is_there() -> None:
    assert [name for name in kubecal.__all__ if getattr(kubecal, name).__name__ != name] == []
    assert set(kubecal.__all__) <= set(dir(kubecal))


def test_importing_it_imports_nothing_and_calibrating_nothing_heavy() -> None:
    program = """
import sys
import kubecal
assert not [name for name in sys.modules if name.startswith(("kubecal.", "pydantic", "pymongo"))]
from kubecal import CalibConfig, CalibOrchestrator, CalibService
import kubecal.workflow
assert not {"numpy", "pymongo", "kubecal_tasks", "kubecal.local", "kubecal.cluster"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
