"""The box as a backend: its verbs, each one exchange of lines."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.base import DesignValue, InstrumentError, ModuleStatus, ProgramRefused
from kubecal_tasks.backends.capabilities import Band, Capabilities
from kubecal_tasks.programs import Acquired, Program, drive_line, readout_line
from kubecal_tasks.programs.document import program_to_dict
from kubecal_tasks.programs.timeline import total_duration_s
from mylab.box import BoxConfig

DRIVE, READOUT = Band(3.5e9, 6.5e9), Band(6.0e9, 8.0e9)


class BoxBackend:
    """The lines of one request's qubits on one box."""

    def __init__(self, request: TaskRequest, config: BoxConfig) -> None:
        self._qubits = request.qubits
        self._config = config
        self._connection: socket.socket | None = None

    def capabilities(self) -> Capabilities:
        """What the box's data sheet says."""
        drives = {drive_line(qubit): DRIVE for qubit in self._qubits}
        return Capabilities(
            bands=drives | {readout_line(qubit): READOUT for qubit in self._qubits},
            sample_rate_hz=10e9,
            duration_step_s=0.1e-9,
            max_shot_s=1.0,
            adc_full_scale=1.0,
        )

    def design(self, target: str) -> Mapping[str, DesignValue]:
        """The box knows nothing of the chip: design values stand in the Chip."""
        return {}

    def connect(self) -> None:
        """Open the connection."""
        address = (self._config.host, self._config.port)
        try:
            self._connection = socket.create_connection(address, timeout=self._config.seconds)
        except OSError as error:
            raise InstrumentError(f"{self._place} cannot be reached ({error}): look whether the box is on") from error

    def link_up(self) -> None:
        """Its links come up when it is switched on; what it says of them is its status."""
        self.status()

    def configure(self, targets: Sequence[str]) -> None:
        """Route these qubits, or single lines of them, to their channels."""
        self._ask("configure", targets=list(targets))

    def status(self) -> Sequence[ModuleStatus]:
        """One module: the box."""
        said = self._ask("status")
        return (ModuleStatus(f"box-{self._config.host}", bool(said["ok"]), str(said.get("message", ""))),)

    def noise(self) -> Mapping[str, float]:
        """As the box measures it."""
        return {line: float(level) for line, level in self._ask("noise", lines=self._readouts)["levels_db"].items()}

    def dump(self) -> Mapping[str, object]:
        """All that the box has set."""
        return self._ask("dump")

    def run(self, program: Program) -> Acquired:
        """Check, round to the box's grid, play, and hand back what came."""
        problem = self.capabilities().problem(program)
        if problem is not None:
            raise ProgramRefused(problem)
        played = self.capabilities().snapped(program)
        # A sweep takes as long as it takes; silence beyond that is trouble.
        seconds = self._config.seconds + total_duration_s(played)
        said = self._ask("run", seconds, program=program_to_dict(played))
        return Acquired(
            axes=tuple(np.asarray(axis.values, dtype=np.float64) for axis in played.axes),
            iq=np.asarray(said["iq"]),
            covariance=None if said["covariance"] is None else np.asarray(said["covariance"]),
            clipped=np.asarray(said["clipped"]),
            duration_s=float(said["duration_s"]),
            times_s=None if said["times_s"] is None else np.asarray(said["times_s"]),
        )

    def park(self) -> None:
        """Silence. Whatever state the box is in, this verb ends a program that it plays."""
        if self._connection is not None:
            self._ask("park", targets=list(self._qubits))

    def disconnect(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _place(self) -> str:
        return f"the box at {self._config.host}:{self._config.port}"

    @property
    def _readouts(self) -> list[str]:
        return [readout_line(qubit) for qubit in self._qubits]

    def _ask(self, verb: str, seconds: float | None = None, **given: Any) -> dict[str, Any]:
        """One exchange; Any: JSON. What the box refuses, and its silence, are errors of the instrument."""
        if self._connection is None:
            raise InstrumentError(f"{self._place} was not connected: call connect first")
        self._connection.settimeout(seconds or self._config.seconds)
        try:
            self._connection.sendall(json.dumps({"verb": verb, **given}).encode() + b"\n")
            with self._connection.makefile("rb") as answers:
                answer = answers.readline()
            said: dict[str, Any] = json.loads(answer)
        except (OSError, ValueError) as error:
            raise InstrumentError(f"{self._place} did not answer {verb!r} ({error})") from error
        if "error" in said:
            raise InstrumentError(f"{self._place} says: {said['error']}")
        return said
