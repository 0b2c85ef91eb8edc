"""The figures of the readout tasks, drawn when they are asked for; see ``pictures.py`` for why not before."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubecal_tasks.fits.dispersive import DispersiveFit
from kubecal_tasks.fits.electrical_delay import DelayFit
from kubecal_tasks.fits.punch_out import LineTrack, PunchOutFit
from kubecal_tasks.fits.readout_power import ReadoutPowerFit
from kubecal_tasks.fits.resonator import ResonatorFit
from kubecal_tasks.fits.separation import SeparationFit
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.task import FigureContext
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.pictures import Draw

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure


_FEWEST_FOR_A_SHIFT = 3
LARGEST_SHIFT_HZ = 40e6
"""Of all lines together: with a whole spacing, a line that is missing and one that is none would pass for it."""


@dataclass(frozen=True)
class PowerMap:
    """A band measured at several powers, the lines in it and whose they are."""

    frequencies: Array
    """(N,) Hz."""
    amplitudes: Array
    """(R,) rising."""
    iq: Array
    """(R, N, 2)."""
    tracks: Sequence[LineTrack]
    owners: Mapping[str, int | None]
    """Number of its line by qubit; None: it has none."""
    expected: Mapping[str, float]
    """Where the design has it, Hz; of those it knows."""

    @property
    def shift(self) -> float:
        """By how much all lines are off the design, Hz; only where there is a line for everyone."""
        known = [(number, self.expected.get(qubit)) for qubit, number in self.owners.items()]
        away = [self.tracks[n].lowest - there for n, there in known if n is not None and there is not None]
        whole = len(away) == len(self.owners) == len(self.tracks) >= _FEWEST_FOR_A_SHIFT
        shift = float(statistics.median(away)) if whole else 0.0
        return shift if abs(shift) <= LARGEST_SHIFT_HZ else 0.0


def resonator_picture(fit: ResonatorFit, previous: float | None) -> Draw:
    """|S11| and phase against frequency, and the resonance circle."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.resonator import resonator_figure

        return resonator_figure(fit, context, previous)

    return draw


def power_map_picture(whole: PowerMap, fit: PunchOutFit | None) -> Draw:
    """The map of a cable, and a qubit's own line in it."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures import power_map

        names = ["" for _ in whole.tracks]
        for one, number in whole.owners.items():
            if number is not None:
                names[number] = one
        seen = power_map.PowerMap(whole.frequencies, whole.amplitudes, whole.iq, whole.tracks, names)
        return power_map.power_map_figure(seen, fit, context)

    return draw


def band_picture(acquired: Acquisition, lines: Sequence[ResonatorFit], own: ResonatorFit | None, design: float) -> Draw:
    """The phase over a whole band, and a qubit's own line in it."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.power_map import band_figure

        return band_figure(acquired.x, acquired.iq, lines, own, context, design)

    return draw


def separation_picture(fit: SeparationFit, iq: Array, shot_sigma: float, previous: float) -> Draw:
    """Distance of |0> and |1> against readout frequency."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.states import separation_figure

        return separation_figure(fit, iq, shot_sigma, context, previous)

    return draw


def dispersive_picture(fit: DispersiveFit, previous: float) -> Draw:
    """The resonator with |0> and with |1>, and their difference."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.states import dispersive_figure

        return dispersive_figure(fit, context, previous)

    return draw


def readout_power_picture(fit: ReadoutPowerFit, shot_sigma: float, previous: float) -> Draw:
    """Distance of |0> and |1> against readout amplitude."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.states import readout_power_figure

        return readout_power_figure(fit, shot_sigma, context, previous)

    return draw


def delay_picture(fit: DelayFit) -> Draw:
    """Phase against frequency, with and without the delay."""

    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.delay import delay_figure

        return delay_figure(fit, context)

    return draw
