"""The figures of scans and maps, drawn when they are asked for; matplotlib is imported then and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubecal_tasks.fits.chevron import ChevronFit
from kubecal_tasks.framework.task import FigureContext
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


def scan_picture(fit: ChevronFit, referenced: bool, drive_hz: float) -> Draw:
    """The line of a driven qubit, the mean over the durations of the drive."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.chevron import scan_figure

        return scan_figure(fit, context, drive_hz, y=_signal(referenced))

    return draw
