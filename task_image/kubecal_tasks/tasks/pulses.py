"""The pulses of a one-qubit measurement, and the programs made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.programs import (
    Amount,
    AnyAxis,
    Average,
    Axis,
    BlockAxis,
    Choose,
    Delay,
    Flat,
    Frame,
    Gaussian,
    Operation,
    Play,
    Program,
    Readout,
    Repeat,
    SequenceAxis,
    ShiftPhase,
    Shots,
    Swept,
    Tone,
    drive_line,
    readout_line,
)

_DRIVE = "drive"
_FEWEST_SHOTS = 2


@dataclass(frozen=True)
class Shape:
    """What calibrated a pulse, SI."""

    amplitude: float
    length_s: float
    beta_s: float = 0.0
    """DRAG coefficient; 0: none."""


@dataclass(frozen=True)
class Pulses:
    """What a qubit's inputs say of its pulses and its readout, SI."""

    qubit: str
    drive_hz: float
    readout_hz: Amount
    readout_amplitude: Amount
    readout_s: float
    interval_s: float
    shots: int
    half_pi_pulse: Shape | None = None
    """None where the task has no such input; so the others."""
    pi_pulse: Shape | None = None
    drag_half_pi_pulse: Shape | None = None
    drag_pi_pulse: Shape | None = None

    def pulse(self, amplitude: Amount, length_s: float, phase: Amount = 0.0, beta_s: Amount = 0.0) -> Play:
        """A shaped pulse; with DRAG where beta is not 0."""
        return Play(_DRIVE, Gaussian(), amplitude, length_s, phase, beta_s)

    def half_pi(self, phase: Amount = 0.0) -> Play:
        """The calibrated half-pi pulse about an axis of the equator."""
        return self._shaped(self.half_pi_pulse, phase)

    def pi(self, phase: Amount = 0.0) -> Play:
        """The calibrated pi pulse."""
        return self._shaped(self.pi_pulse, phase)

    def drag_half_pi(self, phase: Amount = 0.0) -> Play:
        """The calibrated half-pi pulse with DRAG."""
        return self._shaped(self.drag_half_pi_pulse, phase)

    def drag_pi(self, phase: Amount = 0.0) -> Play:
        """The calibrated pi pulse with DRAG."""
        return self._shaped(self.drag_pi_pulse, phase)

    def _shaped(self, shape: Shape | None, phase: Amount) -> Play:
        assert shape is not None, "the task declares the pulse among its inputs"
        return self.pulse(shape.amplitude, shape.length_s, phase, shape.beta_s)

    def drive(self, amplitude: float, duration_s: Amount) -> Play:
        """A rectangular drive."""
        return Play(_DRIVE, Flat(), amplitude, duration_s)

    def wait(self, duration_s: Amount) -> Delay:
        """Do nothing."""
        return Delay(_DRIVE, duration_s)

    def area_s(self, length_s: float) -> float:
        """How long a rectangular pulse of the same amplitude would turn as far as a shaped one of this length."""
        return Gaussian().area_s(length_s)

    def swept(
        self,
        name: str,
        unit: str,
        values: NDArray[np.float64],
        body: Callable[[Swept], Sequence[Operation]],
        share: int = 1,
    ) -> Program:
        """A program that sweeps one variable.

        Parameters
        ----------
        name, unit, values
            The variable, in SI.
        body
            What is played, given the variable.
        share
            The shots are divided among so many programs.
        """
        axis = Axis(name, tuple(float(value) for value in values), unit)
        return self._program(axis, tuple(body(Swept(name))), share)

    def repeated(self, pulse: Play, counts: Sequence[int]) -> Program:
        """A pulse so many times in a row."""
        return self.train((pulse,), counts)

    def train(self, pulses: Sequence[Play], counts: Sequence[int], lead: Sequence[Play] = ()) -> Program:
        """Some pulses in a row, so many times over, after a lead that is played once."""
        axis = Axis("repetitions", tuple(float(count) for count in counts))
        return self._program(axis, (*lead, Repeat(Swept("repetitions"), tuple(pulses))), share=1)

    def chosen(self, axis: BlockAxis) -> Program:
        """Sequences of blocks."""
        return self._program(axis, (Choose(axis.name),), share=1)

    def turn(self, angle_rad: float) -> ShiftPhase:
        """A virtual Z."""
        return ShiftPhase(_DRIVE, angle_rad)

    def single_shots(self, sequences: Sequence[Sequence[Operation]]) -> Program:
        """Every single shot after each of some sequences, by their number."""
        axis = SequenceAxis("prepared", tuple(map(float, range(len(sequences)))), tuple(map(tuple, sequences)))
        return replace(self._program(axis, (Choose("prepared"),), share=1), acquisition=Shots(self.shots))

    def _program(self, axis: AnyAxis, body: tuple[Operation, ...], share: int) -> Program:
        tone = Tone(readout_line(self.qubit), self.readout_hz, self.readout_amplitude)
        return Program(
            frames=(Frame(_DRIVE, drive_line(self.qubit), self.drive_hz, group=f"qubit/{self.qubit}"),),
            body=body,
            readout=Readout((tone,), self.readout_s),
            acquisition=Average(max(_FEWEST_SHOTS, math.ceil(self.shots / share))),
            interval_s=self.interval_s,
            axes=(axis,),
        )
