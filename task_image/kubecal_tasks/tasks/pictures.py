"""The figures of the built-in tasks, drawn when they are asked for.

matplotlib is imported then and not before: half a second that neither the verdict nor the catalogue needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubecal_tasks.fits import AmplitudeFit, DecayFit, OscillationFit, RamseyFit, RepetitionFit
from kubecal_tasks.fits.drag import DragFit
from kubecal_tasks.fits.mixture import MixtureFit
from kubecal_tasks.fits.train import TrainFit
from kubecal_tasks.fits.values import Array, Mask, Measured
from kubecal_tasks.framework.task import FigureContext
from kubecal_tasks.tasks.trace import Trace

if TYPE_CHECKING:
    from kubecal_tasks.figures import Axis, Figure

Draw = Callable[[FigureContext], "Figure"]


def _signal_axis(trace: Trace, quantity: str = "P(1)") -> Axis:
    """Populations where |0> and |1> are known, else what the IQ plane says."""
    from kubecal_tasks.figures import Axis

    return Axis(quantity) if trace.referenced else Axis("Signal", "a.u.")


def decay_picture(fit: DecayFit, trace: Trace, name: str, quantity: str, previous: float | None = None) -> Draw:
    """Signal against delay."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import decay_figure

        return decay_figure(fit, context, y=_signal_axis(trace, quantity), name=name, previous=previous)

    return draw


def rabi_picture(fit: OscillationFit, trace: Trace, expected_hz: float) -> Draw:
    """Signal against duration, and the IQ plane with |0> and |1>."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import IQPlane, oscillation_figure

        (ground, _), (excited, _) = trace.iq(fit.ground), trace.iq(fit.excited)
        plane = IQPlane(trace.iq_points, (float(ground[0]), float(ground[1])), (float(excited[0]), float(excited[1])))
        return oscillation_figure(fit, context, y=_signal_axis(trace), name="rabi", previous=expected_hz, iq=plane)

    return draw


def amplitude_picture(fit: AmplitudeFit, trace: Trace, chosen: float) -> Draw:
    """Signal against amplitude with the chosen one."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import amplitude_figure

        return amplitude_figure(fit, context, y=_signal_axis(trace), name="amplitude", chosen=chosen)

    return draw


def repetition_picture(fit: RepetitionFit, trace: Trace, name: str) -> Draw:
    """Signal against the number of pulses."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import repetition_figure

        return repetition_figure(fit, context, y=_signal_axis(trace), name=name)

    return draw


def train_picture(fit: TrainFit, trace: Trace, name: str) -> Draw:
    """Signal against the number of repetitions, of every series."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.train import train_figure

        return train_figure(fit, context, y=_signal_axis(trace), name=name)

    return draw


def drag_picture(fit: DragFit, trace: Trace) -> Draw:
    """Lines of signal against the DRAG coefficient, which cross where it is right."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.drag import drag_figure

        return drag_figure(fit, context, y=_signal_axis(trace))

    return draw


def classification_picture(fit: MixtureFit, ground: Array, excited: Array) -> Draw:
    """The shots in the IQ plane, their histograms with the threshold, and how they were assigned."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.classification import classification_figure

        return classification_figure(fit, ground, excited, context)

    return draw


def runs_picture(values: Array, errors: Array, used: Mask, mean: Measured, std: Measured, quantity: str) -> Draw:
    """A coherence time in each of several runs, with mean and scatter."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import Axis
        from kubecal_tasks.figures.runs import runs_figure

        return runs_figure(values, errors, used, mean, std, context, y=Axis(quantity, "us", 1e-6))

    return draw


def limit_picture(gate_s: float, lost: Measured, curves: dict[str, Callable[[float], float]]) -> Draw:
    """What coherence leaves of a gate, against its duration."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.limit import limit_figure

        return limit_figure(gate_s, lost, curves, context)

    return draw


def ramsey_picture(fit: RamseyFit, trace: Trace) -> Draw:
    """Both fringes and the trajectory they make."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import ramsey_figure

        return ramsey_figure(fit, context, y=_signal_axis(trace))

    return draw
