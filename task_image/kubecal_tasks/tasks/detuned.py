"""Programs whose drive is off resonance: what spectroscopy and chevrons play."""

from __future__ import annotations

import math
from collections.abc import Sequence

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

_FEWEST_SHOTS = 2


def detuned_drive(pulses: Pulses, amplitude: float, detunings: Array, durations: Array, share: int = 1) -> Program:
    """A rectangular drive at every detuning from the qubit, for every duration, then the readout.

    Parameters
    ----------
    detunings
        (D,) of the drive, Hz; relative, so that the same scan can be asked for of any qubit.
    durations
        (T,), s; the innermost axis.
    share
        The shots are divided among so many points.
    """
    return detuned_drives([(pulses, amplitude)], detunings, durations, share)


def detuned_drives(
    driven: Sequence[tuple[Pulses, float]],
    detunings: Array,
    durations: Array,
    share: int = 1,
    amplitudes: Array | None = None,
) -> Program:
    """The same for several qubits at once, each about its own frequency and at its own amplitude.

    Parameters
    ----------
    amplitudes
        (A,) that all go through together instead, as outermost axis.
    """
    axes: list[AnyAxis] = [_axis("detuning", detunings, "Hz"), _axis("duration", durations, "s")]
    if amplitudes is not None:
        axes.insert(0, _axis("amplitude", amplitudes, "a.u."))
    everyone = [pulses for pulses, _ in driven]
    return Program(
        frames=tuple(
            Frame(_frame(p.qubit), drive_line(p.qubit), Swept("detuning") + p.drive_hz, group=f"qubit/{p.qubit}")
            for p in everyone
        ),
        body=tuple(
            Play(_frame(p.qubit), Flat(), Swept("amplitude") if amplitudes is not None else own, Swept("duration"))
            for p, own in driven
        ),
        readout=Readout(
            tuple(Tone(readout_line(p.qubit), p.readout_hz, p.readout_amplitude) for p in everyone),
            max(p.readout_s for p in everyone),
        ),
        acquisition=Average(max(_FEWEST_SHOTS, math.ceil(max(p.shots for p in everyone) / share))),
        interval_s=max(p.interval_s for p in everyone),
        axes=tuple(axes),
    )


def driven_at(acquisition: Acquisition, qubit: str) -> float:
    """The frequency that detunings of a qubit's drive in a stored scan are counted from, Hz."""
    hertz = acquisition.program.frame_by_name[_frame(qubit)].frequency_hz
    assert isinstance(hertz, Swept), "a scan's drive follows its detunings"
    return hertz.offset


def driven_with(acquisition: Acquisition, qubit: str) -> float:
    """The amplitude of a qubit's drive in a stored scan that has only one."""
    amplitude: Amount = next(
        each.amplitude for each in acquisition.program.body if isinstance(each, Play) and each.frame == _frame(qubit)
    )
    assert not isinstance(amplitude, Swept), "this scan sweeps its amplitude"
    return float(amplitude)


def _frame(qubit: str) -> str:
    return f"drive {qubit}"


def _axis(name: str, values: Array, unit: str) -> Axis:
    return Axis(name, tuple(float(value) for value in np.asarray(values)), unit)
