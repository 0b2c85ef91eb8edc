"""The answers of two-qubit tasks, against the formulas of physics.md and against what the simulator shows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kubecal_tasks.physics.coupling import PairTruth
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.physics.pair.oracle import PAIR_PAULIS, ZX90, PairOracle
from kubecal_tasks.programs import Axis, Operation, Program, ShiftPhase, Swept
from tests.unit.kubecal_tasks.physics.builders import MHZ, US
from tests.unit.kubecal_tasks.physics.pair.pairs import ALL, NOISE, TARGET_HZ, cross, flip, pair, program, pulse, wait


def rates(truth: PairTruth, drive_mhz: float, **settings: complex) -> dict[str, float]:
    """In MHz, at a Rabi rate of the control's line."""
    found = PairOracle(truth).cross_resonance_hz(drive_mhz * MHZ / truth.control.drive_hz, **settings)
    return {name: rate / MHZ for name, rate in found.items()}


def to_third_order(truth: PairTruth, drive_mhz: float) -> tuple[float, float]:
    """ZX and IX of physics.md, in MHz: ZX to the third order of the drive, IX to the first."""
    j, a = truth.exchange_hz / MHZ, truth.control.anharmonicity_hz / MHZ
    d = (truth.control.frequency_hz - truth.target.frequency_hz) / MHZ
    first = -j * drive_mhz / d * a / (a + d)
    third = j * drive_mhz**3 * a**2 * (3 * a**3 + 11 * a**2 * d + 15 * a * d**2 + 9 * d**3)
    third /= 2 * d**3 * (a + d) ** 3 * (a + 2 * d) * (3 * a + 2 * d)
    return first + third, -j * drive_mhz / (d + a)


@pytest.mark.parametrize("apart_mhz", [-70.0, -110.0, -150.0])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.35])
def test_zx_and_ix_are_those_of_the_formulas(apart_mhz: float, share: float) -> None:
    """Up to a drive of a third of the detuning the third order is right to 2 %."""
    truth, drive_mhz = pair({"frequency_hz": TARGET_HZ + apart_mhz * MHZ}), share * abs(apart_mhz)
    found, (zx, ix) = rates(truth, drive_mhz), to_third_order(truth, drive_mhz)
    assert found["ZX"] == pytest.approx(zx, rel=0.02)
    assert found["IX"] == pytest.approx(ix, rel=0.02)
    assert found["ZY"] == pytest.approx(0.0, abs=1e-6)
    assert found["ZX"] > 0


def test_without_a_drive_only_the_static_zz_is_left() -> None:
    """The target is in step where the control is in |0>, and ahead by zeta where it is excited."""
    oracle = PairOracle(pair())
    found = oracle.cross_resonance_hz(0.0)
    assert found["ZZ"] == pytest.approx(-oracle.static_zz_hz / 2)
    assert found["IZ"] == pytest.approx(oracle.static_zz_hz / 2)
    assert found["IX"] == pytest.approx(0.0, abs=1e-6)


def test_crosstalk_turns_the_target_whatever_the_control_is_and_a_cancel_tone_undoes_it() -> None:
    quiet, leaking = rates(pair(), 30.0), rates(pair(onto_target=0.05j), 30.0)
    assert leaking["IY"] == pytest.approx(0.05 * 30.0, rel=0.05)
    assert leaking["ZX"] == pytest.approx(quiet["ZX"], rel=0.02)
    cancelled = rates(pair(onto_target=0.05j), 30.0, cancel=-leaking["IY"] * 1j * MHZ / 80e6)
    assert cancelled["IY"] == pytest.approx(0.0, abs=0.05)


def test_a_phase_of_the_drive_turns_the_axis() -> None:
    straight, turned = rates(pair(), 30.0), rates(pair(), 30.0, phase_rad=math.pi / 3)
    assert math.hypot(turned["ZX"], turned["ZY"]) == pytest.approx(straight["ZX"])
    assert turned["ZY"] / turned["ZX"] == pytest.approx(math.tan(math.pi / 3), rel=1e-4)


@pytest.mark.parametrize("flipped", [False, True])
def test_the_simulated_target_turns_at_these_rates(flipped: bool) -> None:
    """What tomography would see on a long flat tone."""
    truth, amplitude = pair(onto_target=0.02), 0.35
    found = PairOracle(truth).cross_resonance_hz(amplitude)
    sign = -1 if flipped else 1
    vector = [found[f"I{p}"] + sign * found[f"Z{p}"] for p in "XYZ"]
    rate = math.hypot(*vector)
    t = np.linspace(0.2 * US, 1.2 * US, 41)
    first: tuple[Operation, ...] = (flip("control"), ALL) if flipped else ()
    whole = program(*first, cross(amplitude, Swept("t")), axes=(Axis("t", tuple(t.tolist())),))
    shown = PairEvolution(truth).populations(whole, None).reshape(-1, 3, 3).sum(axis=1)[:, 1]
    grid = np.linspace(0.5, 1.5, 401) * rate
    columns = [
        np.stack([np.ones_like(t), np.cos(2 * math.pi * f * t), np.sin(2 * math.pi * f * t)], axis=1) for f in grid
    ]
    left = [np.linalg.lstsq(c, shown, rcond=None)[1].sum() for c in columns]
    assert grid[int(np.argmin(left))] == pytest.approx(rate, rel=0.02)


def echoed(amplitude: float, half_s: float = 130e-9) -> Program:
    """Two halves of opposite signs with flips of the control between and after."""
    turned = math.pi
    return program(
        cross(amplitude, half_s), ALL, flip("control"), ALL, cross(amplitude, half_s, turned), ALL, flip("control")
    )


def test_an_idle_program_is_the_identity_in_its_own_frames() -> None:
    oracle = PairOracle(pair(exchange_hz=0.0))
    idle = oracle.unitary(program(wait(0.7 * US)))
    assert np.abs(np.trace(idle)) / 4 == pytest.approx(1.0, abs=1e-6)
    turned = oracle.unitary(program(ShiftPhase("control", 0.4), wait(0.7 * US)))
    expected = np.cos(0.2) * PAIR_PAULIS["II"] - 1j * np.sin(0.2) * PAIR_PAULIS["ZI"]
    assert abs(np.trace(expected.conj().T @ turned)) / 4 == pytest.approx(1.0, abs=1e-6)


def test_pulses_turn_the_qubit_that_they_are_for() -> None:
    oracle = PairOracle(pair(exchange_hz=0.0))
    for name, frame, phase in (("XI", "control", 0.0), ("IX", "target", 0.0), ("IY", "target", -math.pi / 2)):
        found = oracle.unitary(program(wait(33e-9), ALL, pulse(frame, phase=phase)))
        expected = (PAIR_PAULIS["II"] - 1j * PAIR_PAULIS[name]) / math.sqrt(2)
        assert abs(np.trace(expected.conj().T @ found)) / 4 == pytest.approx(1.0, abs=2e-3)


def test_the_amplitude_of_a_zx90_is_found_and_makes_a_good_gate() -> None:
    oracle = PairOracle(pair())
    amplitude = oracle.amplitude_of_zx90(echoed, 0.2, 0.9)
    assert oracle.zx_angle(echoed(amplitude)) == pytest.approx(math.pi / 2, abs=1e-6)
    zx = oracle.cross_resonance_hz(amplitude)["ZX"]
    assert 2 * math.pi * zx * 2 * (130e-9 - 15e-9) == pytest.approx(math.pi / 2, rel=0.05)
    assert oracle.average_fidelity(echoed(amplitude)) > 0.98
    assert oracle.average_fidelity(echoed(0.8 * amplitude)) < oracle.average_fidelity(echoed(amplitude)) - 0.01


def test_noise_costs_what_coherence_allows() -> None:
    """An idle pair loses as the formula of the coherence limit says."""
    noise = NOISE | {"slow_detuning_hz": 0.0, "thermal": 0.0}
    truth = pair(noise, noise, exchange_hz=0.0)
    t, t1, t2 = 2 * US, truth.control.t1_s, truth.control.t2_echo_s
    fast, slow = math.exp(-t / t1), math.exp(-t / t2)
    lost = (15 - 2 * (2 * slow + fast) - fast**2 - 4 * slow**2 - 4 * fast * slow) / 20
    found = PairOracle(truth).average_fidelity(program(wait(t)), PAIR_PAULIS["II"])
    assert 1 - found == pytest.approx(lost, rel=0.01)


def test_the_ideal_gate_has_fidelity_one_with_itself_alone() -> None:
    assert pytest.approx(np.eye(4)) == ZX90 @ ZX90.conj().T
    assert abs(np.trace(ZX90 @ PAIR_PAULIS["ZX"])) > 2


def test_a_sweep_has_no_single_channel() -> None:
    swept = program(wait(Swept("t")), axes=(Axis("t", (0.0, 1e-6)),))
    with pytest.raises(ValueError, match="2 points"):
        PairOracle(pair()).channel(swept)


def test_a_drive_that_mixes_the_controls_states_has_no_rates() -> None:
    resonant = pair({"frequency_hz": TARGET_HZ - 7 * MHZ})
    with pytest.raises(ValueError, match="drive it less"):
        rates(resonant, 80.0)


def test_the_answers_lie_within_the_noise_of_what_is_drawn() -> None:
    """Drawing the slow detunings scatters around the quadrature, and by less than the shots do."""
    truth = pair(NOISE, NOISE, onto_target=0.03)
    whole = program(
        pulse("control"), cross(0.4, Swept("t")), ALL, pulse("target"), axes=(Axis("t", (0.2e-6, 0.5e-6, 0.9e-6)),)
    )
    exact = PairOracle(truth).populations(whole)
    drawn = [PairEvolution(truth).populations(whole, np.random.default_rng(seed)) for seed in range(5)]
    assert np.mean(drawn, axis=0) == pytest.approx(exact, abs=2e-3)
    assert np.std(drawn, axis=0).max() < 5e-3
