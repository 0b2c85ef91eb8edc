"""What of a program is simulated together, and that it then is what the pair's simulator says."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.backends.fake.groups import as_seen_by, groups, marginal, read_states
from kubecal_tasks.physics.coupling import draw_pair
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.programs import (
    Average,
    Axis,
    Barrier,
    BlockAxis,
    Choose,
    FlatTop,
    Frame,
    Gaussian,
    Operation,
    Play,
    Program,
    Readout,
    Repeat,
    SequenceAxis,
    Shots,
    Swept,
    Tone,
    readout_line,
    timeline,
)
from tests.unit.kubecal_tasks.backends.fake.builders import backend

COUPLINGS = (("0", "1"), ("0", "2"), ("3", "1"), ("3", "2"))
DRIVES = {
    qubit: Frame(f"drive {qubit}", f"drive/{qubit}", 4.9e9 + int(qubit) * 5e7, f"qubit/{qubit}") for qubit in "0123"
}
EXACT = {"priors": {"frequencyMHz": 0.0, "amplitude": 0.0, "readoutMHz": 0.0}}
CROSS = Frame("cr", "drive/0", 4.95e9, "qubit/1")


def program(frames: str, read: str, *more: Frame, body: tuple[Operation, ...] = ()) -> Program:
    """Frames on the drives of some qubits, some read."""
    tones = tuple(Tone(readout_line(qubit), 6.9e9 + int(qubit) * 7e7, 0.1) for qubit in read)
    return Program((*(DRIVES[qubit] for qubit in frames), *more), body, Readout(tones, 384e-9), Average(100), 1e-4)


@pytest.mark.parametrize(
    ("frames", "more", "read", "expected"),
    [
        ("", (), "01", [("0",), ("1",)]),
        ("0", (), "01", [("0",), ("1",)]),
        ("01", (), "01", [("0", "1")]),
        ("13", (), "13", [("3", "1")]),
        ("01", (), "1", [("0", "1")]),
        ("03", (), "03", [("0",), ("3",)]),
        ("012", (), "012", [("0",), ("1",), ("2",)]),
        ("0123", (), "0123", [("0",), ("1",), ("2",), ("3",)]),
        ("0", (CROSS,), "1", [("0", "1")]),
        ("01", (CROSS,), "10", [("0", "1")]),
        ("0123", (CROSS,), "0123", [("0", "1"), ("2",), ("3",)]),
    ],
)
def test_who_is_simulated_with_whom(
    frames: str, more: tuple[Frame, ...], read: str, expected: list[tuple[str, ...]]
) -> None:
    assert list(groups(program(frames, read, *more), COUPLINGS)) == expected


def test_a_marginal_does_not_care_for_the_others() -> None:
    first, second = np.asarray([[0.7, 0.2, 0.1]]), np.asarray([[0.5, 0.4, 0.1]])
    both = np.kron(first, second)
    assert marginal(both, [0]) == pytest.approx(first)
    assert marginal(both, [1]) == pytest.approx(second)
    assert marginal(both, [0, 1]) == pytest.approx(both)


def test_what_other_lines_play_is_waiting_for_a_qubit() -> None:
    frames = (Frame("a", "drive/0", 5e9, "qubit/0"), Frame("b", "drive/1", 5.1e9, "qubit/1"))
    pulses = {name: Play(name, Gaussian(), 0.1, Swept("length")) for name in "ab"}
    sequences = SequenceAxis("which", (0.0, 1.0), ((pulses["b"],), (Repeat(2, (pulses["a"], pulses["b"])),)))
    blocks = BlockAxis("word", (1.0, 2.0), ((pulses["a"],), (pulses["b"],)), ((0,), (1, 0)))
    program = Program(
        frames=frames,
        body=(
            Choose("which"),
            Choose("word"),
            pulses["a"],
            Barrier(),
            pulses["b"],
            Barrier(),
            Repeat(3, (pulses["a"],)),
        ),
        readout=Readout((Tone("readout/0", 7e9, 0.1),), 384e-9),
        acquisition=Average(10),
        interval_s=1e-4,
        axes=(Axis("length", (10e-9, 30e-9)), sequences, blocks),
    )
    for qubit, line in (("0", "drive/0"), ("1", "drive/1")):
        reduced = as_seen_by(program, (qubit,))
        assert reduced.frames[0].line == line
        for point in program.points():
            whole, own = timeline(program, point), timeline(reduced, point)
            assert own.pulses == tuple(each for each in whole.pulses if each.pulse.frame.line == line)
            assert own.readout_start_s == whole.readout_start_s
    assert as_seen_by(program, ("0", "1")) is program


def crossed(*before: Operation, read: str = "01", acquisition: Average | Shots | None = None) -> Program:
    """A cross-resonance tone of the design's settings, after what is played before it."""
    chip = backend("0-1", TargetKind.COUPLING, config=EXACT)
    designs = {qubit: chip.design(qubit) for qubit in "01"}
    frequencies = {qubit: design["qubit_frequency"].value * 1e9 for qubit, design in designs.items()}
    frames = (
        *(Frame(f"drive {qubit}", f"drive/{qubit}", frequencies[qubit], f"qubit/{qubit}") for qubit in "01"),
        Frame("cr", "drive/0", frequencies["1"], "qubit/1"),
    )
    tones = tuple(Tone(readout_line(qubit), designs[qubit]["readout_frequency"].value * 1e9, 0.1) for qubit in read)
    axis = Axis("duration", tuple(k * 50e-9 for k in range(2, 12)))
    body = (*before, Barrier(), Play("cr", FlatTop(15e-9), 0.4, Swept("duration")))
    return Program(frames, body, Readout(tones, 384e-9), acquisition or Average(4000), 153.6e-6, (axis,))


def flip() -> Play:
    """A pi pulse on the control."""
    amplitude = backend("0", config=EXACT).design("0")["control_amplitude"].value
    return Play("drive 0", Gaussian(), amplitude * 0.5 / (12.5e6 * Gaussian().area_s(32e-9)), 32e-9)


def test_the_chip_does_to_a_pair_what_the_pairs_simulator_does() -> None:
    chip = backend("0-1", TargetKind.COUPLING, config=EXACT)._chip
    pair = draw_pair(3, chip.truth("0"), chip.truth("1"))
    of = crossed(flip())
    exact = PairEvolution(pair).populations(of, None)
    (states,) = read_states(chip, of, np.random.default_rng(1))
    assert states.tones == (0, 1)
    assert states.populations == pytest.approx(exact, abs=0.02)
    (one,) = read_states(chip, crossed(flip(), read="1"), np.random.default_rng(1))
    assert one.tones == (0,)
    assert one.populations == pytest.approx(marginal(exact, [1]), abs=0.02)


def test_tones_in_another_order_read_the_same_qubits() -> None:
    chip = backend("0-1", TargetKind.COUPLING, config=EXACT)._chip
    (states,) = read_states(chip, crossed(flip(), read="10"), np.random.default_rng(1))
    (straight,) = read_states(chip, crossed(flip()), np.random.default_rng(1))
    assert (states.tones, straight.tones) == ((1, 0), (0, 1))
    assert np.array_equal(states.populations, straight.populations)


def test_the_target_turns_the_other_way_where_the_control_is_excited() -> None:
    """The mark of a cross resonance: what the target does depends on the control."""
    chip = backend("0-1", TargetKind.COUPLING, config=EXACT)
    rest, excited = (chip.run(crossed(*before)) for before in ((), (flip(),)))
    assert rest.covariance is not None
    sigma = np.sqrt(rest.covariance[:, 1].max())
    assert np.abs(rest.iq[:, 1] - excited.iq[:, 1]).max() > 20 * sigma


def test_single_shots_of_a_pair_come_together() -> None:
    chip = backend("0-1", TargetKind.COUPLING, config=EXACT)
    data = chip.run(crossed(acquisition=Shots(50)))
    assert data.iq.shape == (10, 50, 2, 2)


def test_two_lines_of_a_pair_are_four_combinations() -> None:
    faults = [{"kind": "TwoLines", "target": "0-1", "value": 300.0}]
    broken = backend("0-1", TargetKind.COUPLING, config=EXACT | {"faults": faults})._chip
    chip = backend("0-1", TargetKind.COUPLING, config=EXACT)._chip
    half_pi = Play("drive 1", Gaussian(), 0.5 * flip().amplitude, 32e-9)  # type: ignore[operator]
    found = [read_states(each, crossed(half_pi), np.random.default_rng(1))[0].populations for each in (chip, broken)]
    assert found[1].sum(axis=1) == pytest.approx(1.0)
    assert np.abs(found[1] - found[0]).max() > 0.01
