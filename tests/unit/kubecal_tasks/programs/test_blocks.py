"""Sequences written as numbers of blocks are the sequences written out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
import pytest

from kubecal_tasks.programs import (
    Axis,
    Barrier,
    BlockAxis,
    Choose,
    Frame,
    Operation,
    Play,
    Program,
    ProgramError,
    SequenceAxis,
    ShiftPhase,
    Swept,
    describe,
    drive_line,
    program_from_dict,
    program_to_dict,
    timeline,
    total_duration_s,
)
from kubecal_tasks.programs.envelopes import Gaussian
from tests.unit.kubecal_tasks.programs.builders import DRIVE_HZ, FRAME, program, pulse, wait

OTHER = "drive 4"
FRAMES = (Frame(FRAME, drive_line("3"), DRIVE_HZ, "3"), Frame(OTHER, drive_line("4"), DRIVE_HZ + 1e8, "4"))
TURN = ShiftPhase(FRAME, 0.7)
OTHER_PULSE = Play(OTHER, Gaussian(), 0.1, 50e-9)
Words = tuple[tuple[int, ...], ...]
Blocks = tuple[tuple[Operation, ...], ...]

ONE_LINE: Blocks = ((pulse(),), (TURN,), (pulse(phase_rad=0.2), TURN, wait(10e-9), pulse(0.1)), ())
TOGETHER: Blocks = (
    (Barrier(), pulse(), OTHER_PULSE, Barrier()),
    (Barrier(), TURN, ShiftPhase(OTHER, -0.3), OTHER_PULSE, OTHER_PULSE, Barrier()),
    (Barrier(), pulse(), TURN, Barrier()),
)
APART: Blocks = ((pulse(),), (OTHER_PULSE, TURN), (Barrier(),))
WORDS: Words = ((0, 1, 2, 0, 1), (), (2,), (1, 1, 0, 2, 2, 0))


def in_blocks(
    blocks: Blocks, words: tuple[tuple[int, ...], ...] = WORDS, frames: tuple[Frame, ...] = FRAMES
) -> Program:
    axis = BlockAxis("word", tuple(float(len(word)) for word in words), blocks, words)
    return program(pulse(0.3), TURN, Choose("word"), pulse(0.4), axes=(axis,), frames=frames)


def written_out(blocks: Blocks, frames: tuple[Frame, ...] = FRAMES) -> Program:
    sequences = tuple(tuple(op for number in word for op in blocks[number]) for word in WORDS)
    axis = SequenceAxis("word", tuple(float(len(word)) for word in WORDS), sequences)
    return program(pulse(0.3), TURN, Choose("word"), pulse(0.4), axes=(axis,), frames=frames)


@pytest.mark.parametrize(
    ("blocks", "frames"), [(ONE_LINE, FRAMES[:1]), (TOGETHER, FRAMES), (APART, FRAMES)], ids=["line", "pair", "apart"]
)
def test_blocks_play_what_the_same_operations_play(blocks: Blocks, frames: tuple[Frame, ...]) -> None:
    first, second = in_blocks(blocks, frames=frames), written_out(blocks, frames)
    for point, other in zip(first.points(), second.points(), strict=True):
        got, expected = timeline(first, point), timeline(second, other)
        assert [each.pulse for each in got.pulses] == [each.pulse for each in expected.pulses]
        assert got.start_s == pytest.approx(expected.start_s, abs=1e-18)
        assert got.phase_rad == pytest.approx(expected.phase_rad, abs=1e-12)
        assert got.readout_start_s == pytest.approx(expected.readout_start_s, abs=1e-18)
    assert total_duration_s(first) == pytest.approx(total_duration_s(second))


def test_blocks_that_follow_another_axis_do_so() -> None:
    axes = (Axis("a", (0.1, 0.2)), BlockAxis("word", (2.0,), ((pulse(Swept("a")),),), ((0, 0),)))
    found = program(Choose("word"), axes=axes)
    amplitudes = [[each.pulse.amplitude for each in timeline(found, point).pulses] for point in found.points()]
    assert amplitudes == [[0.1, 0.1], [0.2, 0.2]]


def test_a_program_of_blocks_survives_being_stored() -> None:
    stored = json.loads(json.dumps(program_to_dict(in_blocks(TOGETHER))))
    assert program_from_dict(stored) == in_blocks(TOGETHER)


def _half_a_number() -> object:
    return BlockAxis("word", (1.0,), ONE_LINE, ((0.5,),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: in_blocks(ONE_LINE, ((0, 4),)), "word 0 of axis 'word' names blocks 0 ... 4, there are 0 ... 3"),
        (lambda: BlockAxis("word", (1.0, 2.0), ONE_LINE, ((0,),)), "2 coordinates and 1 words"),
        (_half_a_number, "is not made of whole numbers"),
        (lambda: in_blocks(((Play("nowhere", Gaussian(), 0.1, 1e-8),),), ((0,),)), "uses frame 'nowhere'"),
        (lambda: in_blocks(((Choose("word"),),), ((0,),)), "nested deeper"),
    ],
)
def test_blocks_that_contradict_themselves_are_refused(build: Callable[[], object], words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        build()


def test_a_long_sequence_is_described_by_its_beginning_and_its_end() -> None:
    words = describe(in_blocks(ONE_LINE, ((0,) * 500,), FRAMES[:1])).splitlines()
    assert len(words) < 60
    assert sum("gaussian" in line for line in words) == 43
    assert any("459 more pulses" in line for line in words)


def test_a_hundred_thousand_pulses_are_laid_out_at_once() -> None:
    rng = np.random.default_rng(1)
    words = tuple(tuple(rng.integers(0, 3, 1000).tolist()) for _ in range(100))
    began = time.process_time()
    assert total_duration_s(in_blocks(ONE_LINE, words, FRAMES[:1])) > 0
    assert time.process_time() - began < 1.0, "operation by operation it takes five times as long"
