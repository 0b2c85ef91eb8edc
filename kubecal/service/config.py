"""What a program says about the session it wants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from kubecal.lab.lab import Lab

Where = Literal["local", "cluster"]


@dataclass
class CalibConfig:
    """One calibration session.

    >>> CalibConfig(username="alice", chip_id="64Qv3", qids=["0", "1"], backend_name="fake")
    """

    username: str
    """Whose session it is: a label, no right."""
    chip_id: str
    """The chip's name. On this computer a name like ``64Qv3`` that is not known yet becomes a simulated chip."""
    qids: Sequence[str] | None = None
    """Qubits to calibrate; ``[]``: none, only tasks of the whole chip; None: those of ``muxes``."""
    execution_id: str = ""
    """``YYYYMMDD-NNN``: taken if it is free, joined if it is an open session of the same chip and user."""
    backend_name: str | None = None
    """The chip's backend, to be sure that it is this one; None: whichever it is."""
    flow_name: str | None = None
    """A label on the execution; sessions are named after it."""
    tags: Sequence[str] | None = None
    """Labels on the execution and its results."""
    note: Mapping[str, Any] | str | None = None
    """For people; a mapping is kept as JSON."""
    muxes: Sequence[int] | None = None
    """MUXes whose qubits are calibrated, instead of ``qids``."""
    project_id: str | None = None
    """To which project the records belong; None: the chip's."""
    default_run_parameters: Mapping[str, Any] = field(default_factory=dict)
    """Run parameters for every task that knows the name."""
    task_run_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Run parameters for single tasks, by name."""
    source_execution_id: str | None = None
    """An earlier execution, whose inputs the tasks take as they were then."""
    idle_seconds: int = 1800
    """How long the chip is kept with nothing to do, for a program that forgets it or a kernel that dies."""
    tasks: Sequence[Path | str | type] | None = None
    """Own tasks: files, or classes out of files; None: all classes that the program has imported. This computer only:
    a cluster has them in images."""
    where: Where | Lab | None = None
    """``local`` or ``cluster``; None: as the environment variable KUBECAL_LAB says, else this computer."""
    namespace: str = ""
    """On the cluster; empty: the one of the context."""
    context: str = ""
    """Of the kubeconfig; empty: the current one."""
    operator_namespace: str = "kubecal"
    """Where kubecal is installed on the cluster."""
    release: str = "kubecal"
    """The operator's Helm release."""

    @property
    def note_text(self) -> str:
        """The note as text."""
        if self.note is None or isinstance(self.note, str):
            return self.note or ""
        return json.dumps(self.note, ensure_ascii=False, default=str) if self.note else ""
