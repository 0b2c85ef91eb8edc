"""What a shell offers to complete, as far as it costs nothing to know: no lab is asked while somebody types."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path

_KINDS = ("sessions", "chips", "executions")
_OFFERED = 50


def complete_kinds(incomplete: str) -> list[str]:
    """What can be got."""
    return [kind for kind in _KINDS if kind.startswith(incomplete)]


def complete_tasks(incomplete: str) -> list[str]:
    """Built-in tasks."""
    catalogue = json.loads(resources.files("kubecal.api").joinpath("catalogue.json").read_text("utf-8"))
    names = [task["name"] for task in catalogue["tasks"]]
    return [name for name in names if name.startswith(incomplete)]


def complete_executions(incomplete: str) -> list[str]:
    """``latest``, and executions of this computer whose figures are at hand, the newest first."""
    folder = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "kubecal" / "figures"
    found = sorted((one.name for one in folder.iterdir()), reverse=True) if folder.is_dir() else []
    return [name for name in ("latest", *found) if name.startswith(incomplete)][:_OFFERED]
