"""Pulse programs: what every task that drives or reads a line hands to a backend, simulated or real.

A program is a value: frozen dataclasses in SI units, checked when it is built, stored with its data, printable
as a timeline (``describe``). It says nothing of any instrument.
"""

from kubecal_tasks.programs.acquisition import Acquired, Acquisition
from kubecal_tasks.programs.axes import AnyAxis, Axis, BlockAxis, SequenceAxis
from kubecal_tasks.programs.document import program_from_dict, program_to_dict
from kubecal_tasks.programs.envelopes import Envelope, Flat, FlatTop, Gaussian
from kubecal_tasks.programs.operations import (
    Barrier,
    Choose,
    Delay,
    Frame,
    Operation,
    Play,
    Readout,
    Repeat,
    ShiftPhase,
    Tone,
    drive_line,
    qubit_of,
    readout_line,
)
from kubecal_tasks.programs.program import Program, ProgramError
from kubecal_tasks.programs.swept import Amount, Swept
from kubecal_tasks.programs.timeline import describe, timeline, total_duration_s
from kubecal_tasks.programs.wanted import Average, Shots, Trace

__all__ = [
    "Acquired",
    "Acquisition",
    "Amount",
    "AnyAxis",
    "Average",
    "Axis",
    "Barrier",
    "BlockAxis",
    "Choose",
    "Delay",
    "Envelope",
    "Flat",
    "FlatTop",
    "Frame",
    "Gaussian",
    "Operation",
    "Play",
    "Program",
    "ProgramError",
    "Readout",
    "Repeat",
    "SequenceAxis",
    "ShiftPhase",
    "Shots",
    "Swept",
    "Tone",
    "Trace",
    "describe",
    "drive_line",
    "program_from_dict",
    "program_to_dict",
    "qubit_of",
    "readout_line",
    "timeline",
    "total_duration_s",
]
