"""Where many qubits are, looked for at once."""

from __future__ import annotations

from kubecal_tasks.tasks.spectroscopy_task import SpectroscopyTask


class CheckSimultaneousQubitSpectroscopy(SpectroscopyTask):
    """Coarse frequencies and anharmonicities of several qubits, whose drives are swept together."""

    name = "CheckSimultaneousQubitSpectroscopy"
    batch = True
