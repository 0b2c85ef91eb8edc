"""The figures of scans and maps, drawn when they are asked for; matplotlib is imported then and not before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kubecal_tasks.fits.chevron import ChevronFit
from kubecal_tasks.fits.lines import LineFound
from kubecal_tasks.framework.task import FigureContext
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.pictures import Draw

if TYPE_CHECKING:
    from kubecal_tasks.figures import Axis, Figure


def _signal(referenced: bool) -> Axis:
    from kubecal_tasks.figures import Axis

    return Axis("P(1)") if referenced else Axis("Signal", "a.u.")


def chevron_picture(fit: ChevronFit, referenced: bool, drive_hz: float, name: str) -> Draw:
    """The map beside its fit."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.chevron import chevron_figure

        return chevron_figure(fit, context, drive_hz, z=_signal(referenced), name=name)

    return draw


def rates_picture(fit: ChevronFit, drive_hz: float) -> Draw:
    """The Rabi rate at every detuning, on its hyperbola."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.chevron import rates_figure

        return rates_figure(fit, context, drive_hz)

    return draw


def scan_picture(fit: ChevronFit, referenced: bool, drive_hz: float, photons: int = 1, name: str = "scan") -> Draw:
    """The line of a driven qubit, the mean over the durations of the drive."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.chevron import scan_figure

        return scan_figure(fit, context, drive_hz, _signal(referenced), name, photons)

    return draw


@dataclass(frozen=True)
class Marks:
    """Frequencies of the qubit that a spectrum shows, Hz; what was not found is None."""

    f01: float | None = None
    f12: float | None = None

    @property
    def lines(self) -> dict[str, float]:
        """By the names that figures give them; the two-photon line lies half-way between."""
        found = {} if self.f01 is None else {"f01": self.f01}
        if self.f01 is not None and self.f12 is not None:
            found |= {"two photons": (self.f01 + self.f12) / 2, "f12": self.f12}
        return found


def line_picture(line: LineFound, marks: Marks) -> Draw:
    """The coarse scan."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.spectrum import line_figure

        return line_figure(line, context, marks.lines)

    return draw


def power_map_picture(scan: Acquisition, drive_hz: float, marks: Marks) -> Draw:
    """How far the signal leaves its place, over drive frequency and power."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.spectrum import power_map_figure

        amplitudes, detunings, _ = scan.data.axes
        away = scan.iq - np.median(scan.iq.reshape(-1, 2), axis=0)
        signal = np.linalg.norm(away, axis=-1).mean(axis=2)
        return power_map_figure(drive_hz + detunings, 20 * np.log10(amplitudes), signal, context, marks.lines)

    return draw
