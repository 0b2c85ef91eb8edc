"""A drive of constant amplitude, of swept duration: what every Rabi measurement plays."""

from __future__ import annotations

from collections.abc import Sequence

from kubecal_tasks.backends.base import Backend
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.qubit_task import QubitTask


class RabiTask(QubitTask):
    """A task that sweeps how long the qubit is driven, at ``control_amplitude``."""

    swept = "times"

    def preprocess(self, backend: Backend) -> None:
        """Drive for a while, read."""
        pulses = self.pulses(backend)
        amplitude = self.value("control_amplitude")
        self.program = pulses.swept("duration", "s", self.sweep("times"), lambda t: (pulses.drive(amplitude, t),))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """One sweep."""
        return (self.acquire(backend, "rabi", self.program),)
