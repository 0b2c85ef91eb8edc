"""Programs whose drive is off resonance: what spectroscopy and chevrons play."""

from __future__ import annotations

import math

import numpy as np

from kubecal_tasks.fits.values import Array
from kubecal_tasks.programs import (
    Acquisition,
    Amount,
    AnyAxis,
    Average,
    Axis,
    Flat,
    Frame,
    Play,
    Program,
    Readout,
    Swept,
    Tone,
    drive_line,
    readout_line,
)
from kubecal_tasks.tasks.pulses import Pulses

_DRIVE = "drive"
_FEWEST_SHOTS = 2


def detuned_drive(
    pulses: Pulses, amplitude: float | Array, detunings: Array, durations: Array, share: int = 1
) -> Program:
    """A rectangular drive at every detuning from the qubit, for every duration, then the readout.

    Parameters
    ----------
    amplitude
        One, or (A,) of which each is an outermost point.
    detunings
        (D,) of the drive, Hz; relative, so that the same scan can be asked for of any qubit.
    durations
        (T,), s; the innermost axis.
    share
        The shots are divided among so many points.
    """
    axes: list[AnyAxis] = [_axis("detuning", detunings, "Hz"), _axis("duration", durations, "s")]
    strength: Amount = Swept("amplitude")
    if isinstance(amplitude, float):
        strength = amplitude
    else:
        axes.insert(0, _axis("amplitude", amplitude, "a.u."))
    tone = Tone(readout_line(pulses.qubit), pulses.readout_hz, pulses.readout_amplitude)
    hertz = Swept("detuning") + pulses.drive_hz
    return Program(
        frames=(Frame(_DRIVE, drive_line(pulses.qubit), hertz, group=f"qubit/{pulses.qubit}"),),
        body=(Play(_DRIVE, Flat(), strength, Swept("duration")),),
        readout=Readout((tone,), pulses.readout_s),
        acquisition=Average(max(_FEWEST_SHOTS, math.ceil(pulses.shots / share))),
        interval_s=pulses.interval_s,
        axes=tuple(axes),
    )


def driven_at(acquisition: Acquisition) -> float:
    """The frequency that detunings of a stored scan are counted from, Hz."""
    hertz = acquisition.program.frames[0].frequency_hz
    assert isinstance(hertz, Swept), "a scan's drive follows its detunings"
    return hertz.offset


def driven_with(acquisition: Acquisition) -> float:
    """The amplitude of a stored scan that has only one."""
    (play,) = acquisition.program.body
    assert isinstance(play, Play), "a scan plays one drive"
    assert not isinstance(play.amplitude, Swept), "this scan sweeps its amplitude"
    return float(play.amplitude)


def _axis(name: str, values: Array, unit: str) -> Axis:
    return Axis(name, tuple(float(value) for value in np.asarray(values)), unit)
