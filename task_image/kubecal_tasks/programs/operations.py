"""What a program does: play, wait, turn a phase, repeat, read out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from kubecal_tasks.programs.envelopes import Envelope
from kubecal_tasks.programs.errors import ProgramError
from kubecal_tasks.programs.swept import Amount, Swept


def drive_line(qubit: str) -> str:
    """Name of the line that drives a qubit."""
    return f"drive/{qubit}"


def readout_line(qubit: str) -> str:
    """Name of the channel that reads a qubit; those of one MUX share a cable."""
    return f"readout/{qubit}"


def qubit_of(line: str) -> str:
    """The qubit that a line drives or reads."""
    return line.partition("/")[2]


@dataclass(frozen=True)
class Frame:
    """A rotating frame on a line, phase-coherent from the shot's t = 0."""

    name: str
    line: str
    frequency_hz: Amount
    """The same throughout a shot; it may differ from one point of the sweep to the next."""
    group: str
    """Frames of one group turn together under ShiftPhase: all that see the same qubit's phase."""

    def __post_init__(self) -> None:
        hertz = self.frequency_hz
        if not isinstance(hertz, Swept) and not (math.isfinite(hertz) and hertz > 0):
            raise ProgramError(f"frame {self.name!r} at {hertz} Hz: give a positive frequency in Hz")

    def at(self, point: Mapping[str, float]) -> Frame:
        """The frame where every axis has the value that ``point`` says, with a frequency that is a number."""
        if not isinstance(self.frequency_hz, Swept):
            return self
        return replace(self, frequency_hz=self.frequency_hz.at(point))


@dataclass(frozen=True)
class Play:
    """A pulse: ``amplitude * (envelope + i beta d envelope/dt) * exp(i phase)`` on a frame."""

    frame: str
    envelope: Envelope
    amplitude: Amount
    """Fraction of full scale, -1 ... 1."""
    duration_s: Amount
    phase_rad: Amount = 0.0
    """0 turns about X, pi/2 about Y."""
    beta_s: Amount = 0.0
    """DRAG coefficient; 0: none."""


@dataclass(frozen=True)
class ShiftPhase:
    """A virtual Z: every later pulse on any frame of this frame's group has its phase advanced."""

    frame: str
    phase_rad: Amount


@dataclass(frozen=True)
class Delay:
    """Wait on a frame's line."""

    frame: str
    duration_s: Amount


@dataclass(frozen=True)
class Barrier:
    """Nothing that comes later starts on these frames' lines before all of them are free; no frames: all."""

    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repeat:
    """The same operations several times in a row."""

    count: int | Swept
    body: tuple[Operation, ...]


@dataclass(frozen=True)
class Choose:
    """Whichever sequence a SequenceAxis, or blocks a BlockAxis, has at this point."""

    axis: str


@dataclass(frozen=True)
class Tone:
    """What one qubit's readout channel sends and integrates."""

    line: str
    frequency_hz: Amount
    amplitude: Amount
    """Fraction of full scale, 0 ... 1."""


@dataclass(frozen=True)
class Readout:
    """All tones at once, when every line is free; the last operation of a program."""

    tones: tuple[Tone, ...]
    length_s: Amount


Operation = Play | ShiftPhase | Delay | Barrier | Repeat | Choose
"""What may stand in a program's body and in the sequences and blocks of an axis."""
