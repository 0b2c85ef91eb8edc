"""What programs do to a coupled pair, against two qubits by themselves and closed formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.evolution import Evolution
from kubecal_tasks.physics.pair import passage, stretches
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.programs import (
    Axis,
    Choose,
    Delay,
    Flat,
    Frame,
    Operation,
    Play,
    Program,
    SequenceAxis,
    ShiftPhase,
    Swept,
)
from tests.unit.kubecal_tasks.physics.builders import MHZ, US
from tests.unit.kubecal_tasks.physics.pair.pairs import (
    ALL,
    CONTROL_HZ,
    NOISE,
    TARGET_HZ,
    TURN,
    cross,
    flip,
    pair,
    program,
    pulse,
    wait,
)

Real = NDArray[np.float64]


def found(truth: PairTruth, of: Program, seed: int | None = None) -> Real:
    """(points, 3, 3) populations, the control's level first."""
    rng = None if seed is None else np.random.default_rng(seed)
    return PairEvolution(truth).populations(of, rng).reshape(-1, 3, 3)


def over(name: str, values: Real) -> tuple[Axis, ...]:
    return (Axis(name, tuple(values.tolist())),)


BOTH: tuple[Operation, ...] = (
    pulse("control", 1.1),
    pulse("target", 0.7, 24e-9, 0.3),
    wait(0.35 * US),
    ShiftPhase("target", 0.8),
    pulse("target", 1.3, phase=0.2),
    pulse("control", 0.9, phase=1.0),
    ALL,
    pulse("target", 2.0, phase=-0.4),
    wait(Swept("t")),
    pulse("control", 0.5),
)


@pytest.mark.parametrize("interval_s", [1e6, 30 * US])
def test_without_exchange_and_crosstalk_they_are_two_qubits_by_themselves(interval_s: float) -> None:
    noise = NOISE | {"slow_detuning_hz": 0.0}
    truth = pair(noise | {"frequency_hz": CONTROL_HZ + 0.2 * MHZ}, noise | {"thermal": 0.03}, exchange_hz=0.0)
    whole = program(*BOTH, axes=over("t", np.linspace(0, 3 * US, 5)), interval_s=interval_s)
    alone = [
        Evolution(qubit).populations(_of_one(whole, line), None)
        for qubit, line in ((truth.control, "drive/0"), (truth.target, "drive/1"))
    ]
    expected = np.einsum("pi,pj->pij", *alone)
    assert found(truth, whole) == pytest.approx(expected, abs=3e-4)


def _of_one(whole: Program, line: str) -> Program:
    """The same timeline with the other line silent."""
    frames = tuple(sorted(whole.frames, key=lambda frame: frame.line != line))
    others = {frame.name for frame in whole.frames if frame.line != line}
    body = (Delay(o.frame, o.duration_s) if isinstance(o, Play) and o.frame in others else o for o in whole.body)
    return replace(whole, frames=frames, body=tuple(body))


def test_slow_detuning_is_that_of_each_qubit_by_itself() -> None:
    truth = pair({"slow_detuning_hz": 40e3}, {"slow_detuning_hz": 25e3}, exchange_hz=0.0)
    t = np.linspace(0.5 * US, 8 * US, 6)
    ramsey = program(
        pulse("control"),
        pulse("target"),
        ALL,
        wait(Swept("t")),
        ALL,
        pulse("control"),
        pulse("target"),
        axes=over("t", t),
    )
    populations = found(truth, ramsey)
    for level, qubit in ((populations.sum(2), truth.control), (populations.sum(1), truth.target)):
        envelope = np.exp(-2 * (math.pi * qubit.slow_detuning_hz * (t + 16e-9)) ** 2)
        assert 2 * level[:, 1] - 1 == pytest.approx(envelope, abs=4e-3)
    drawn = found(truth, ramsey, seed=5)
    assert drawn == pytest.approx(populations, abs=0.02)
    assert not np.array_equal(drawn, found(truth, ramsey, seed=6))


@pytest.mark.parametrize("excited", [False, True])
def test_ramsey_finds_the_dressed_frequency_and_the_static_zz(excited: bool) -> None:
    """The truth's frequency is met with the other qubit in |0>; in |1> it is off by zeta."""
    truth = pair()
    zeta_hz = PairEvolution(truth).levels.static_zz / TURN
    t = np.linspace(0.2 * US, 4 * US, 20)
    first = (flip("control"), ALL) if excited else ()
    fringes = []
    for quarter in range(4):
        last = pulse("target", phase=Swept("t") * (-TURN * 1.0 * MHZ) + quarter * math.pi / 2)
        body = (*first, pulse("target"), ALL, wait(Swept("t")), ALL, last)
        fringes.append(found(truth, program(*body, axes=over("t", t))).sum(1)[:, 1])
    turning = (fringes[0] - fringes[2]) + 1j * (fringes[1] - fringes[3])
    slope = np.polyfit(t, np.unwrap(np.angle(turning)), 1)[0] / TURN
    assert slope == pytest.approx(1.0 * MHZ + excited * zeta_hz, abs=500.0)
    assert np.abs(turning) == pytest.approx(np.ones(20), abs=0.02)


def test_the_targets_turning_depends_on_the_control() -> None:
    t = np.linspace(40e-9, 1 * US, 25)
    idle, flipped = (
        found(pair(), program(*first, cross(0.4, Swept("t")), axes=over("t", t))).sum(1)[:, 1]
        for first in ((), (flip("control"), ALL))
    )
    assert idle.max() > 0.99
    assert np.argmax(idle) == pytest.approx(13, abs=1)
    assert np.all(np.diff(flipped) > 0)


def test_populations_are_those_of_a_state_whatever_is_played() -> None:
    truth = pair(NOISE, NOISE, onto_target=0.1j, onto_control=0.05)
    body = (pulse("control", Swept("a")), cross(0.8, 400e-9), ALL, pulse("target", Swept("a")), pulse("control", 2.0))
    populations = found(truth, program(*body, axes=over("a", np.linspace(0, 4, 9)), interval_s=100 * US), seed=1)
    assert populations.min() >= -1e-12
    assert populations.sum(axis=(1, 2)) == pytest.approx(np.ones(9), abs=1e-8)


@pytest.mark.parametrize("interval_s", [0.0, 5 * US, 60 * US])
def test_too_short_an_interval_shows_in_where_shots_start(interval_s: float) -> None:
    """Followed a few times or solved for: the whole shot leaves the populations as they are."""
    truth = pair(NOISE | {"slow_detuning_hz": 0.0}, NOISE | {"slow_detuning_hz": 0.0}, exchange_hz=0.0)
    (populations,) = found(truth, program(flip("control"), ALL, wait(1 * US), interval_s=interval_s))
    alone = Evolution(truth.control).populations(
        _of_one(program(flip("control"), ALL, wait(1 * US), interval_s=interval_s), "drive/0"), None
    )
    assert populations.sum(axis=1) == pytest.approx(alone[0], abs=1e-4)


def test_the_first_frame_and_a_late_start_change_nothing() -> None:
    """Frames keep their phase from the start of the shot: a pause of whole turns of all of them is no pause."""
    body = (pulse("control"), cross(0.5, 150e-9), ALL, pulse("target", 0.6), pulse("control", 1.2, phase=0.7))
    truth = pair(control={"frequency_hz": CONTROL_HZ + 1 * MHZ})
    own = program(*body)
    turned = replace(own, frames=(Frame("other", "drive/1", TARGET_HZ + 7 * MHZ, "qubit/1"), *own.frames[::-1]))
    late = program(wait(10 * US), ALL, *body)
    assert found(truth, turned) == pytest.approx(found(truth, own), abs=1e-9)
    assert found(truth, late) == pytest.approx(found(truth, own), abs=1e-6)


def test_equal_sequences_end_alike_whatever_else_is_swept() -> None:
    """Points are simulated together, long and short ones, and each is what it is by itself."""
    truth = pair(NOISE, NOISE | {"slow_detuning_hz": 0.0}, onto_target=0.03)
    sequences = tuple(
        (pulse("control", 0.3 * n), cross(0.1 * n, 100e-9 * n), ALL, pulse("target", 0.2)) for n in range(1, 6)
    )
    together = found(truth, program(Choose("s"), axes=(SequenceAxis("s", tuple(range(1, 6)), sequences),)))
    for number, sequence in enumerate(sequences):
        assert found(truth, program(*sequence))[0] == pytest.approx(together[number], abs=1e-6)


def test_a_pair_that_nothing_happens_to_is_at_rest() -> None:
    (populations,) = found(pair({"thermal": 0.02}, {"thermal": 0.01}), program())
    assert populations[:2, :2] == pytest.approx(np.outer([0.98, 0.02], [0.99, 0.01]))


def test_a_line_of_neither_qubit_is_refused() -> None:
    stray = Frame("other", "drive/7", TARGET_HZ, "qubit/7")
    with pytest.raises(ValueError, match="drive/7"):
        found(pair(), replace(program(), frames=(stray,), body=(Play("other", Flat(), 0.1, 20e-9),)))


def test_stretches_are_short_enough_for_what_noise_does_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = pair(NOISE | {"t1_s": 15 * US}, NOISE | {"t1_s": 15 * US}, onto_target=0.1)
    body = (pulse("control"), cross(0.5, Swept("t")), ALL, pulse("target"), cross(0.5, Swept("t"), math.pi))
    whole = program(*body, axes=over("t", np.linspace(0.1 * US, 0.9 * US, 5)))
    coarse = found(truth, whole)
    monkeypatch.setattr(stretches, "LONGEST_S", 8e-9)
    assert coarse == pytest.approx(found(truth, whole), abs=2e-4)


def test_phases_between_two_tones_are_told_apart_finely_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten pulses on both qubits at once, each at another phase of the two frequencies."""
    truth = pair(onto_target=0.1j, onto_control=0.1)
    body = tuple(
        each
        for number in range(10)
        for each in (pulse("control", phase=number), pulse("target", phase=2 * number), ALL, wait(7.3e-9), ALL)
    )
    coarse = found(truth, program(*body))
    monkeypatch.setattr(passage, "_LAGS", 1 << 14)
    assert coarse == pytest.approx(found(truth, program(*body)), abs=3e-4)
