"""Small programs on one qubit, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubecal_tasks.programs import (
    Amount,
    Average,
    Axis,
    BlockAxis,
    Delay,
    Flat,
    Frame,
    Gaussian,
    Operation,
    Play,
    Program,
    Readout,
    SequenceAxis,
    Shots,
    Tone,
    Trace,
    drive_line,
    readout_line,
)

QUBIT = "3"
FRAME = "drive 3"
DRIVE_HZ = 4.9e9
READ_HZ = 6.9e9


def pulse(amplitude: Amount = 0.2, duration_s: Amount = 32e-9, phase_rad: Amount = 0.0, beta_s: Amount = 0.0) -> Play:
    """A Gaussian pulse."""
    return Play(FRAME, Gaussian(), amplitude, duration_s, phase_rad, beta_s)


def drive(amplitude: Amount, duration_s: Amount) -> Play:
    """A drive of constant amplitude."""
    return Play(FRAME, Flat(), amplitude, duration_s)


def wait(duration_s: Amount) -> Delay:
    """Nothing for a while."""
    return Delay(FRAME, duration_s)


def program(
    *body: Operation,
    axes: Sequence[Axis | SequenceAxis | BlockAxis] = (),
    drive_hz: float = DRIVE_HZ,
    read_hz: Amount = READ_HZ,
    read_amplitude: Amount = 0.1,
    read_s: Amount = 384e-9,
    acquisition: Average | Shots | Trace | None = None,
    interval_s: float = 1e6,
    **changes: Any,  # whatever else of a Program a test wants otherwise
) -> Program:
    """A program on qubit 3; by default with so long an interval that every shot starts at rest."""
    given: dict[str, Any] = {
        "frames": (Frame(FRAME, drive_line(QUBIT), drive_hz, QUBIT),),
        "body": tuple(body),
        "readout": Readout((Tone(readout_line(QUBIT), read_hz, read_amplitude),), read_s),
        "acquisition": acquisition or Average(1000),
        "interval_s": interval_s,
        "axes": tuple(axes),
    }
    return Program(**(given | changes))
