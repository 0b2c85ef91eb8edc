"""The figures of two-qubit tasks, drawn when they are asked for; see ``pictures.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubecal_tasks.fits import OscillationFit, RepetitionFit
from kubecal_tasks.fits.gate_angle import GateAngleFit
from kubecal_tasks.fits.hamiltonian import HamiltonianFit
from kubecal_tasks.fits.parity import ParityFit
from kubecal_tasks.fits.tomography import TomographyFit
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.task import FigureContext
from kubecal_tasks.tasks.pictures import Draw
from kubecal_tasks.tasks.trace import Trace

if TYPE_CHECKING:
    from kubecal_tasks.figures import Axis, Figure


def _target_axis(referenced: bool) -> Axis:
    from kubecal_tasks.figures import Axis

    return Axis("P(1) of the target") if referenced else Axis("Signal of the target", "a.u.")


def hamiltonian_picture(fit: HamiltonianFit, times: Array, name: str) -> Draw:
    """How the target turns for both states of the control."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.coupling import hamiltonian_figure

        return hamiltonian_figure(fit, times, context, name=name)

    return draw


def duration_picture(fit: OscillationFit, trace: Trace) -> Draw:
    """Signal of the target against how long both halves of the gate are."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import Axis, oscillation_figure

        x = Axis("Duration of each half, without ramps", "ns", 1e-9)
        return oscillation_figure(fit, context, x=x, y=_target_axis(trace.referenced), name="duration")

    return draw


def gate_angle_picture(fit: GateAngleFit, referenced: bool, name: str) -> Draw:
    """Signal of the target against amplitude, for one, three and five gates."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.coupling import gate_angle_figure

        return gate_angle_figure(fit, context, y=_target_axis(referenced), name=name)

    return draw


def both_controls_picture(fits: Sequence[RepetitionFit], referenced: bool) -> Draw:
    """Signal of the target against the number of gates, for both states of the control."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.coupling import both_controls_figure

        return both_controls_figure(fits, context, y=_target_axis(referenced))

    return draw


def outcomes_picture(fit: ParityFit, settings: Sequence[tuple[str, str]]) -> Draw:
    """Probabilities of the four outcomes."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.coupling import outcomes_figure

        return outcomes_figure(fit, settings, context)

    return draw


def density_picture(fit: TomographyFit) -> Draw:
    """The density matrix."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.coupling import density_figure

        return density_figure(fit, context)

    return draw
