"""Programs: checked when built, laid out in time, the same after they were stored."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import pytest

from kubecal_tasks.programs import (
    Average,
    Axis,
    Barrier,
    Choose,
    Delay,
    Flat,
    FlatTop,
    Frame,
    Play,
    Program,
    ProgramError,
    Readout,
    Repeat,
    SequenceAxis,
    ShiftPhase,
    Shots,
    Swept,
    Tone,
    Trace,
    describe,
    drive_line,
    program_from_dict,
    program_to_dict,
    timeline,
    total_duration_s,
)
from tests.unit.kubecal_tasks.programs.builders import DRIVE_HZ, FRAME, program, pulse, wait

DELAYS = Axis("delay", (0.0, 1e-6, 2e-6), "s")


def echo() -> Program:
    t = Swept("delay")
    return program(pulse(), wait(t * 0.5), pulse(phase_rad=1.0 - t * 1e6), wait(t / 2), pulse(), axes=(DELAYS,))


def spectroscopy() -> Program:
    frame = Frame(FRAME, drive_line("3"), Swept("detuning") + DRIVE_HZ, "3")
    return program(pulse(), frames=(frame,), axes=(Axis("detuning", (-5e6, 0.0, 5e6), "Hz"),))


def everything() -> Program:
    """One of each thing there is."""
    n = Swept("n")
    sequences = SequenceAxis("which", (1.0, 5.0), ((pulse(),), (pulse(), ShiftPhase(FRAME, 0.5), Barrier((FRAME,)))))
    return program(
        Repeat(n, (Play(FRAME, FlatTop(8e-9), 0.1, 32e-9, beta_s=1e-9),)),
        Choose("which"),
        Play(FRAME, Flat(), Swept("a"), 16e-9),
        wait(1e-7),
        axes=(Axis("n", (0.0, 2.0)), sequences, Axis("a", (0.1, 0.2), "a.u.")),
        acquisition=Shots(7),
    )


def test_one_axis_zips_delays_and_a_phase() -> None:
    played = [timeline(echo(), point) for point in echo().points()]
    assert [shot.pulses[1].start_s for shot in played] == pytest.approx([32e-9, 0.532e-6, 1.032e-6])
    assert [shot.pulses[1].phase_rad for shot in played] == pytest.approx([1.0, 0.0, -1.0])
    assert [shot.readout_start_s for shot in played] == pytest.approx([96e-9, 1.096e-6, 2.096e-6])


def test_a_frame_may_follow_an_axis_from_point_to_point() -> None:
    played = [timeline(spectroscopy(), point).pulses[0] for point in spectroscopy().points()]
    assert [each.pulse.frequency_hz for each in played] == pytest.approx([4.895e9, 4.9e9, 4.905e9])
    assert len({each.pulse for each in played}) == 3, "pulses of different frequencies are different pulses"


def test_points_run_with_the_innermost_axis_fastest() -> None:
    assert [point.index for point in everything().points()] == [
        (n, which, a) for n in range(2) for which in range(2) for a in range(2)
    ]


def test_repetitions_and_chosen_sequences_are_written_out() -> None:
    n, which = Swept("n"), SequenceAxis("which", (0.0, 3.0), ((), (pulse(), pulse(), pulse())))
    swept = program(Repeat(n, (pulse(), Repeat(2, (pulse(),)))), Choose("which"), axes=(Axis("n", (0.0, 2.0)), which))
    assert [len(timeline(swept, point).pulses) for point in swept.points()] == [0, 3, 6, 9]


def test_a_virtual_z_turns_every_later_pulse_of_its_group_and_no_other() -> None:
    frames = (
        Frame(FRAME, drive_line("3"), DRIVE_HZ, "3"),
        Frame("cross", drive_line("4"), DRIVE_HZ, "3"),
        Frame("other", drive_line("5"), 5e9, "5"),
    )
    body = (
        pulse(),
        ShiftPhase(FRAME, 0.7),
        pulse(phase_rad=0.1),
        *(Play(f, Flat(), 0.1, 8e-9) for f in ("cross", "other")),
    )
    shot = timeline(program(*body, frames=frames), next(program().points()))
    assert {(p.pulse.frame.name, round(p.phase_rad, 9)) for p in shot.pulses} == {
        (FRAME, 0.0), (FRAME, 0.8), ("cross", 0.7), ("other", 0.0),
    }  # fmt: skip


def test_lines_run_side_by_side_until_a_barrier() -> None:
    frames = (Frame(FRAME, drive_line("3"), DRIVE_HZ, "3"), Frame("other", drive_line("4"), 5e9, "4"))
    other = Play("other", Flat(), 0.1, 8e-9)
    shot = timeline(program(pulse(), other, Barrier(), other, frames=frames), next(program().points()))
    assert [p.start_s for p in shot.pulses] == pytest.approx([0.0, 0.0, 32e-9])


@pytest.mark.parametrize("make", [echo, everything, spectroscopy])
def test_a_program_survives_being_stored(make: Callable[[], Program]) -> None:
    assert program_from_dict(json.loads(json.dumps(program_to_dict(make())))) == make()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "no program of version 1"),
        ({"version": 2}, "no program of version 1"),
        ({"version": 1, "frames": [{"type": "Laser"}]}, "nothing of type 'Laser'"),
        ({"version": 1, "colour": 3}, "has no colour"),
        ({"version": 1}, "Program cannot be made"),
    ],
)
def test_what_is_no_program_is_not_read(document: dict[str, object], words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        program_from_dict(document)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: program(pulse(amplitude=1.1)), "amplitude of Play on 'drive 3' is 1.1: it must be -1 ... 1"),
        (lambda: program(pulse(amplitude=math.nan)), "amplitude of Play on 'drive 3' is nan: give a finite number"),
        (lambda: program(pulse(amplitude="much")), "is 'much': give a number or a Swept"),  # type: ignore[arg-type]
        (lambda: program(wait(-1e-9)), "duration_s of Delay on 'drive 3' is -1e-09: it must be 0 or more"),
        (lambda: program(Delay("laser", 0.0)), "uses frame 'laser', the program's frames are drive 3"),
        (lambda: program(wait(Swept("x"))), "follows axis 'x', the program's axes are none"),
        (lambda: program(wait(Swept("delay") - 1e-6), axes=(DELAYS,)), "is -1e-06: it must be 0 or more"),
        (lambda: program(Repeat(Swept("n"), ()), axes=(Axis("n", (0.5,)),)), "is 0.5: give a whole number"),
        (lambda: program(Repeat(-1, ())), "count of Repeat is -1"),
        (lambda: program(Choose("delay"), axes=(DELAYS,)), "needs a SequenceAxis"),
        (lambda: program(axes=(DELAYS, DELAYS)), "two axes are called 'delay'"),
        (lambda: program(frames=(echo().frames[0],) * 2), "two frames are called"),
        (
            lambda: program(frames=(Frame(FRAME, "l", Swept("delay") - 1.0, "g"),), axes=(DELAYS,)),
            "frequency_hz of Frame on 'l' is -1: it must be",
        ),
        (lambda: program(readout=Readout((), 1e-6)), "has no tones"),
        (lambda: program(readout=Readout((Tone("r", 7e9, 0.1),) * 2, 1e-6)), "two tones on 'r'"),
        (lambda: program(read_s=0.0), "length_s of Readout is 0"),
        (lambda: program(interval_s=-1.0), "an interval of -1.0 s"),
        (lambda: program(Readout((Tone("r", 7e9, 0.1),), 1e-6)), "is no operation of a body"),
        (lambda: program(axes=tuple(Axis(f"x{k}", (0.0,) * 101) for k in range(4))), "more than 1000000"),
        (lambda: SequenceAxis("which", (1.0, 2.0), ((),)), "2 coordinates and 1 sequences"),
        (lambda: program(Choose("s"), axes=(SequenceAxis("s", (0.0,), ((Choose("s"),),)),)), "nested deeper"),
        (lambda: Axis("x", ()), "has no values"),
        (lambda: Axis("x", (0.0, math.inf)), "value 1 of axis 'x' is inf"),
        (lambda: Frame("f", "l", -1.0, "g"), "give a positive frequency"),
        (lambda: FlatTop(0.0), "no positive time"),
        (lambda: Average(1), "take at least 2"),
        (lambda: Trace(100, 0.0), "samples of 0.0 s"),
        (lambda: Trace(100, 8e-9, -1e-9), "a margin of -1e-09 s"),
        (
            lambda: program(read_s=Swept("delay") + 1e-6, axes=(DELAYS,), acquisition=Trace(100, 8e-9)),
            "make a program for each length",
        ),
    ],
)  # fmt: skip
def test_a_program_that_contradicts_itself_is_refused(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(words)):
        build()


def test_the_duration_counts_shots_points_and_intervals() -> None:
    one_shot = sum(96e-9 + delay + 384e-9 for delay in DELAYS.values)
    assert total_duration_s(echo()) == pytest.approx(1000 * (one_shot + 3 * 1e6))


def test_a_program_describes_itself_as_a_timeline() -> None:
    text = describe(echo())
    assert "drive 3: 4.9 GHz on drive/3" in text
    assert "axis delay: 3 values, 0 ... 2e-06 s" in text
    assert "1032.000 ns  drive 3: gaussian 32 ns, amplitude 0.2, phase -1.0000 rad" in text
    assert "drive 3: 4.9 GHz +1 detuning on drive/3" in describe(spectroscopy())
    assert "2096.000 ns  readout/3: read 384 ns at 6.9 GHz" in text
