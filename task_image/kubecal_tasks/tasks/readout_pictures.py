"""The figures of the readout tasks, drawn when they are asked for; see ``pictures.py`` for why not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubecal_tasks.fits.resonator import ResonatorFit
from kubecal_tasks.framework.task import FigureContext
from kubecal_tasks.tasks.pictures import Draw

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure


def resonator_picture(fit: ResonatorFit, previous: float | None) -> Draw:
    """|S11| and phase against frequency, and the resonance circle."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.resonator import resonator_figure

        return resonator_figure(fit, context, previous)

    return draw
