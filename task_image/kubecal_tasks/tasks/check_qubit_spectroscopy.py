"""Where a qubit is of which only the band is known."""

from __future__ import annotations

from kubecal_tasks.tasks.spectroscopy_task import SpectroscopyTask


class CheckQubitSpectroscopy(SpectroscopyTask):
    """Coarse qubit frequency and anharmonicity from the lines in its band at several powers."""

    name = "CheckQubitSpectroscopy"
