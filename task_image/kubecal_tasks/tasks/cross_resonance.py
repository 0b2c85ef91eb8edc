"""The cross-resonance gate as pulses: the control is driven at the target's frequency, the target rotates.

What the drive does to the target depends on the control's state: it turns at IX + ZX or at IX - ZX. The gate is
echoed: both halves have opposite signs and the control is flipped between them, so that ZX adds up while IX and the
control's own Stark shift cancel. Everything here is pure: settings in, operations out.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kubecal_tasks.programs import (
    Amount,
    Average,
    Barrier,
    FlatTop,
    Frame,
    Gaussian,
    Operation,
    Play,
    Program,
    Readout,
    Shots,
    Tone,
    drive_line,
    readout_line,
)
from kubecal_tasks.programs.axes import AnyAxis

CONTROL, TARGET, CR = "control", "target", "cr"
"""Frames: the control's and the target's own, and the control's line at the target's frequency."""
RAMP_S = 30e-9
"""Of the tones: slow enough that a control 60 MHz away follows and comes back."""
HALF_PI, PI = math.pi / 2, math.pi


@dataclass(frozen=True)
class DragPulse:
    """A calibrated DRAG pulse."""

    amplitude: float
    beta_s: float
    length_s: float

    def play(self, frame: str, phase: Amount = 0.0) -> Play:
        """Turn about an axis of the equator: phase 0 is X, pi/2 is Y."""
        return Play(frame, Gaussian(), self.amplitude, self.length_s, phase, self.beta_s)

    def rate_hz(self, turns: float) -> float:
        """Rabi frequency of a drive at full scale, from how far this pulse turns, in full turns."""
        return turns / (self.amplitude * Gaussian().area_s(self.length_s))


@dataclass(frozen=True)
class End:
    """One of a coupling's qubits: its frequency, pulses and readout."""

    qubit: str
    drive_hz: float
    readout_hz: float
    readout_amplitude: float
    half_pi: DragPulse
    pi: DragPulse

    @property
    def rate_hz(self) -> float:
        """Rabi frequency of its drive at full scale."""
        return self.pi.rate_hz(0.5)

    @property
    def tone(self) -> Tone:
        """Its readout."""
        return Tone(readout_line(self.qubit), self.readout_hz, self.readout_amplitude)


@dataclass(frozen=True)
class CrossResonance:
    """Settings of the two tones; amplitudes in full scales, phases as the target's axes have them."""

    amplitude: float
    phase: float = 0.0
    cancel_amplitude: float = 0.0
    cancel_phase: float = 0.0
    cancel_beta_s: float = 0.0
    rotary_amplitude: float = 0.0

    @property
    def cancel(self) -> complex:
        """The cancel tone as a complex amplitude."""
        return cmath.rect(self.cancel_amplitude, self.cancel_phase)

    @property
    def on_target(self) -> complex:
        """What is played on the target: the cancel tone, and the rotary one along X."""
        return self.cancel + self.rotary_amplitude

    def with_cancel(self, cancel: complex) -> CrossResonance:
        """The same with another cancel tone."""
        return replace(self, cancel_amplitude=abs(cancel), cancel_phase=cmath.phase(cancel))

    def scaled(self, factor: float) -> CrossResonance:
        """Stronger or weaker: what crosstalk puts on the target, hence the cancel tone, goes with the amplitude."""
        return replace(self, amplitude=self.amplitude * factor, cancel_amplitude=self.cancel_amplitude * factor)

    def tones(self, duration_s: Amount, sign: int = 1) -> tuple[Operation, ...]:
        """Both tones at once, after everything before them and before everything after them."""
        turned = 0.0 if sign > 0 else PI
        envelope, played = FlatTop(RAMP_S), self.on_target
        on_control = Play(CR, envelope, self.amplitude, duration_s, self.phase + turned)
        on_target = Play(TARGET, envelope, abs(played), duration_s, cmath.phase(played) + turned, self.cancel_beta_s)
        return (Barrier((CONTROL, TARGET)), on_control, on_target, Barrier((CONTROL, TARGET)))


@dataclass(frozen=True)
class Pair:
    """Both qubits of a coupling, and how programs on them are read."""

    control: End
    target: End
    readout_s: float
    interval_s: float

    @property
    def distance_hz(self) -> float:
        """Of the two frequencies."""
        return abs(self.control.drive_hz - self.target.drive_hz)

    def frames(self) -> tuple[Frame, ...]:
        """The control's and the target's, and the cross-resonance tone's, which turns with the target's phase."""
        control, target = self.control, self.target
        return (
            Frame(CONTROL, drive_line(control.qubit), control.drive_hz, group=f"qubit/{control.qubit}"),
            Frame(TARGET, drive_line(target.qubit), target.drive_hz, group=f"qubit/{target.qubit}"),
            Frame(CR, drive_line(control.qubit), target.drive_hz, group=f"qubit/{target.qubit}"),
        )

    def zx90(self, cr: CrossResonance, half_s: Amount) -> tuple[Operation, ...]:
        """The echoed gate exp(-i pi/4 ZX).

        The second flip turns the control back the way it came, so that an error of the pulse does so too.

        Parameters
        ----------
        half_s
            Duration of each of the two tones, ramps included.
        """
        pi = self.control.pi
        return (
            *cr.tones(half_s),
            pi.play(CONTROL),
            *cr.tones(half_s, -1),
            pi.play(CONTROL, PI),
            Barrier((CONTROL, TARGET)),
        )

    def gate_s(self, half_s: float) -> float:
        """How long the echoed gate takes."""
        return 2 * (half_s + self.control.pi.length_s)

    def half_s(self, gate_s: float) -> float:
        """How long each half of a gate of this duration is."""
        return gate_s / 2 - self.control.pi.length_s

    def bell(self, gate: Sequence[Operation]) -> tuple[Operation, ...]:
        """From |00> to (|00> + |11>) / sqrt(2): the control to the equator, ZX90, the target back by X90."""
        return (
            self.control.half_pi.play(CONTROL),
            *gate,
            self.target.half_pi.play(TARGET, PI),
            Barrier((CONTROL, TARGET)),
        )

    def prepared(self, control: int, target: int) -> tuple[Operation, ...]:
        """A basis state."""
        plays: list[Operation] = []
        if control:
            plays.append(self.control.pi.play(CONTROL))
        if target:
            plays.append(self.target.pi.play(TARGET))
        return (*plays, Barrier((CONTROL, TARGET)))

    def program(self, body: Sequence[Operation], axes: Sequence[AnyAxis], shots: int, single: bool = False) -> Program:
        """A program that reads both qubits, the control first; averaged, or shot by shot."""
        return Program(
            frames=self.frames(),
            body=tuple(body),
            readout=Readout((self.control.tone, self.target.tone), self.readout_s),
            acquisition=Shots(shots) if single else Average(shots),
            interval_s=self.interval_s,
            axes=tuple(axes),
        )


def measured_along(axis: str, end: End, frame: str) -> tuple[Operation, ...]:
    """What brings the X, Y or Z component to where the readout sees it."""
    match axis:
        case "X":
            return (end.half_pi.play(frame, -HALF_PI),)
        case "Y":
            return (end.half_pi.play(frame),)
        case "Z":
            return ()
    raise ValueError(f"{axis!r} is no axis: X, Y or Z")
