"""Figures: one function a kind of figure, in one house style, deterministic to the byte."""

from kubecal_tasks.figures.figure import Axis, Context, Figure
from kubecal_tasks.figures.ramsey import ramsey_figure
from kubecal_tasks.figures.series import (
    IQPlane,
    amplitude_figure,
    decay_figure,
    oscillation_figure,
    points_figure,
    repetition_figure,
)

__all__ = [
    "Axis",
    "Context",
    "Figure",
    "IQPlane",
    "amplitude_figure",
    "decay_figure",
    "oscillation_figure",
    "points_figure",
    "ramsey_figure",
    "repetition_figure",
]
