"""What the tones of a program's readout find on their cables, at every point of its sweep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kubecal_tasks.backends.fake.chip import Chip
from kubecal_tasks.backends.fake.faults import readout_gain
from kubecal_tasks.physics.readout import Complex, Readout, Real, digitised
from kubecal_tasks.physics.sampling import cross_talk
from kubecal_tasks.programs.operations import Tone, qubit_of
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.swept import Amount, Swept


@dataclass(frozen=True)
class Tones:
    """The readout of a program on a chip."""

    chip: Chip
    program: Program

    @cached_property
    def cables(self) -> tuple[int, ...]:
        """The MUX of each tone."""
        return tuple(self.chip.site(qubit_of(tone.line)).mux for tone in self.program.readout.tones)

    @cached_property
    def readouts(self) -> tuple[Readout, ...]:
        """Each tone as digitised together with those on its cable."""
        free = [self._readout(tone) for tone in self.program.readout.tones]
        found = dict(enumerate(free))
        for cable in dict.fromkeys(self.cables):
            members = [number for number, each in enumerate(self.cables) if each == cable]
            found |= dict(zip(members, digitised([free[number] for number in members]), strict=True))
        return tuple(found.values())

    @property
    def length_s(self) -> float:
        """Of a readout that is as long at every point."""
        return float(at_points(self.program, self.program.readout.length_s))

    @cached_property
    def leaks(self) -> dict[tuple[int, int], Complex]:
        """What each channel takes of the others' tones."""
        return cross_talk(self.readouts, self.cables)

    def clipped(self) -> Real:
        """(T,) fraction of all shots that the ADC cut off."""
        return np.asarray([float(np.mean(each.clipped)) for each in self.readouts])

    def _readout(self, tone: Tone) -> Readout:
        qubit = qubit_of(tone.line)
        own = self.chip.resonator(qubit)
        found = Readout.of(
            own.truth,
            at_points(self.program, tone.frequency_hz),
            at_points(self.program, tone.amplitude),
            at_points(self.program, self.program.readout.length_s),
            alive=own.alive,
            others=self.chip.others_on_cable(qubit),
        )
        return found.amplified(readout_gain(qubit, self.chip.faults))


def at_points(program: Program, amount: Amount) -> Real:
    """(points,) an amount at every point of the sweep; () where it is the same at all."""
    if not isinstance(amount, Swept):
        return np.asarray(float(amount))
    shape = [1] * len(program.axes)
    place = next(number for number, axis in enumerate(program.axes) if axis.name == amount.axis)
    shape[place] = -1
    values = np.asarray([amount.at({amount.axis: value}) for value in program.axes[place].values])
    return np.broadcast_to(values.reshape(shape), program.shape).ravel()
