"""What pulses do, against the closed formulas of physics.md: the simulator does not use them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kubecal_tasks.physics.evolution import Evolution
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs import Axis, FlatTop, Frame, Gaussian, Operation, Play, Program, Repeat, Swept, drive_line
from tests.unit.kubecal_tasks.physics.builders import MHZ, US, qubit
from tests.unit.kubecal_tasks.programs.builders import DRIVE_HZ, FRAME, drive, program, pulse, wait

TURN = 2 * math.pi
FAR = -100e9
"""An anharmonicity that leaves a two-level system."""
TIMES = np.linspace(0.0, 400e-9, 51)


def excited(truth: QubitTruth, program_: Program, seed: int | None = None) -> NDArray[np.float64]:
    rng = None if seed is None else np.random.default_rng(seed)
    found: NDArray[np.float64] = Evolution(truth).populations(program_, rng)[:, 1]
    return found


def over(name: str, values: NDArray[np.float64]) -> tuple[Axis, ...]:
    return (Axis(name, tuple(values.tolist())),)


def half_pi_amplitude(truth: QubitTruth, duration_s: float = 32e-9) -> float:
    return 0.25 / (truth.drive_hz * Gaussian().area_s(duration_s))


@pytest.mark.parametrize("detuning_mhz", [0.0, 3.0, -12.0, 40.0])
def test_rabi_oscillations_follow_the_generalised_rate(detuning_mhz: float) -> None:
    truth = qubit(anharmonicity_hz=FAR)
    amplitude = 12.5 * MHZ / truth.drive_hz
    rabi = program(
        drive(amplitude, Swept("t")), axes=over("t", TIMES), drive_hz=truth.frequency_hz + detuning_mhz * MHZ
    )
    rate = math.hypot(12.5, detuning_mhz) * MHZ
    expected = (12.5 * MHZ / rate) ** 2 * np.sin(math.pi * rate * TIMES) ** 2
    assert excited(truth, rabi) == pytest.approx(expected, abs=1e-3)


def test_rabi_oscillations_are_damped_by_relaxation_and_dephasing() -> None:
    t1, t2 = 2 * US, 3 * US
    truth = qubit(anharmonicity_hz=FAR, t1_s=t1, pure_dephasing_per_s=1 / t2 - 0.5 / t1)
    times = np.linspace(0, 4 * US, 41)
    rabi = program(drive(12.5 * MHZ / truth.drive_hz, Swept("t")), axes=over("t", times))
    gamma = 0.5 / t1 + 0.5 / t2
    expected = (1 - np.exp(-gamma * times) * np.cos(TURN * 12.5 * MHZ * times)) / 2
    assert excited(truth, rabi) == pytest.approx(expected, abs=5e-3)


def test_a_swept_frame_drives_every_point_at_its_own_frequency() -> None:
    """A chevron: detunings by durations, all pulses propagated together."""
    truth = qubit(anharmonicity_hz=FAR)
    detunings, times = np.asarray([-40e6, -3e6, 0.0, 12e6]), TIMES[:7]
    swept = program(
        drive(12.5 * MHZ / truth.drive_hz, Swept("t")),
        frames=(Frame(FRAME, drive_line("3"), Swept("detuning") + truth.frequency_hz, "3"),),
        axes=(*over("detuning", detunings), *over("t", times)),
    )
    rate = np.hypot(12.5 * MHZ, detunings)[:, None]
    expected = (12.5 * MHZ / rate) ** 2 * np.sin(math.pi * rate * times) ** 2
    assert excited(truth, swept).reshape(4, 7) == pytest.approx(expected, abs=1e-3)


def test_a_swept_frame_tells_the_two_pulses_of_a_fringe_how_far_the_qubit_turned_between_them() -> None:
    truth = qubit(anharmonicity_hz=FAR)
    half = pulse(half_pi_amplitude(truth))
    detunings = np.asarray([0.0, 0.5e6, 1e6])
    swept = program(
        half, wait(468e-9), half,
        frames=(Frame(FRAME, drive_line("3"), Swept("detuning") + truth.frequency_hz, "3"),),
        axes=over("detuning", detunings),
    )  # fmt: skip
    fixed = [excited(truth, program(half, wait(468e-9), half, drive_hz=truth.frequency_hz + d)) for d in detunings]
    assert excited(truth, swept) == pytest.approx(np.concatenate(fixed), abs=1e-9)
    assert np.ptp(np.concatenate(fixed)) > 0.9


def test_a_pulse_turns_by_its_area() -> None:
    truth = qubit(anharmonicity_hz=FAR)
    amplitudes = np.linspace(0, 4 * half_pi_amplitude(truth), 21)
    swept = program(pulse(amplitude=Swept("a")), axes=over("a", amplitudes))
    expected = np.sin(math.pi / 4 * amplitudes / half_pi_amplitude(truth)) ** 2
    assert excited(truth, swept) == pytest.approx(expected, abs=2e-3)


def test_ramsey_fringes_turn_with_the_sign_of_the_detuning_and_decay_as_said() -> None:
    """A qubit that is ahead of the drive leads; so does a fringe whose second pulse falls behind."""
    truth = qubit(
        frequency_hz=DRIVE_HZ + 0.3 * MHZ,
        anharmonicity_hz=FAR,
        t1_s=30 * US,
        pure_dephasing_per_s=1e4,
        slow_detuning_hz=20e3,
    )
    t = np.linspace(0.2 * US, 8 * US, 40)
    a = half_pi_amplitude(truth, 8e-9)
    quarters = []
    for quarter in range(4):
        last = pulse(a, 8e-9, phase_rad=Swept("t") * (-TURN * MHZ) + quarter * math.pi / 2)
        quarters.append(excited(truth, program(pulse(a, 8e-9), wait(Swept("t")), last, axes=over("t", t))))
    fringes = (quarters[0] - quarters[2]) + 1j * (quarters[1] - quarters[3])
    envelope = np.exp(-t / truth.t2_echo_s) * np.exp(-2 * (math.pi * truth.slow_detuning_hz * t) ** 2)
    assert np.abs(fringes) == pytest.approx(envelope, abs=5e-3)
    assert np.polyfit(t, np.unwrap(np.angle(fringes)), 1)[0] / TURN == pytest.approx(1.3 * MHZ, rel=1e-3)


def test_t2_star_is_where_the_envelope_has_fallen_to_one_over_e() -> None:
    truth = qubit(t1_s=30 * US, pure_dephasing_per_s=2e4, slow_detuning_hz=25e3, anharmonicity_hz=FAR)
    t = truth.t2_star_s
    assert t / truth.t2_echo_s + 2 * (math.pi * truth.slow_detuning_hz * t) ** 2 == pytest.approx(1.0)
    a = half_pi_amplitude(truth, 8e-9)
    fringe = [
        excited(truth, program(pulse(a, 8e-9), wait(t), pulse(a, 8e-9, phase_rad=lead)))[0] for lead in (0.0, math.pi)
    ]
    assert fringe[0] - fringe[1] == pytest.approx(math.exp(-1), abs=5e-3)


def test_an_echo_undoes_slow_detuning_and_leaves_what_is_fast() -> None:
    truth = qubit(t1_s=40 * US, pure_dephasing_per_s=1e4, slow_detuning_hz=30e3, anharmonicity_hz=FAR)
    t = np.linspace(0, 60 * US, 13)
    a, half = half_pi_amplitude(truth, 8e-9), Swept("t") * 0.5
    found = []
    for lead in (0.0, math.pi):
        middle = Repeat(2, (pulse(a, 8e-9, phase_rad=math.pi / 2),))
        last = pulse(a, 8e-9, phase_rad=lead)
        echo = program(pulse(a, 8e-9), wait(half), middle, wait(half), last, axes=over("t", t))
        found.append(excited(truth, echo, seed=3))
    assert found[0] - found[1] == pytest.approx(np.exp(-t / truth.t2_echo_s), abs=5e-3)


def test_relaxation_ends_in_the_thermal_population() -> None:
    truth = qubit(t1_s=30 * US, thermal=0.02)
    t = np.geomspace(0.1 * US, 500 * US, 21)
    a = half_pi_amplitude(truth, 16e-9)
    decay = program(Repeat(2, (pulse(a, 16e-9),)), wait(Swept("t")), axes=over("t", t))
    assert excited(truth, decay) == pytest.approx(0.02 + 0.96 * np.exp(-t / truth.t1_s), abs=3e-3)


def test_too_short_an_interval_shows_in_where_shots_start() -> None:
    """The steady state of excite, wait t, read, wait the interval is a closed formula."""
    truth = qubit(t1_s=60 * US, anharmonicity_hz=FAR)
    t, interval, read = 20 * US, 40 * US, 384e-9
    a = half_pi_amplitude(truth)
    (found,) = excited(truth, program(Repeat(2, (pulse(a),)), wait(t), interval_s=interval))
    kept = math.exp(-t / truth.t1_s)
    again = math.exp(-(interval + read) / truth.t1_s)
    assert found == pytest.approx(kept / (1 + kept * again), abs=2e-3)


@pytest.mark.parametrize("beta_alpha", [0.0, 0.5, 1.0])
def test_drag_tilts_the_axis_as_the_formula_says(beta_alpha: float) -> None:
    """(X180 X-180)^N from |0>: P = sin^2(2 N n_z), n_z = 5.06 / (t |alpha|) (beta |alpha| - 1/2)."""
    alpha, t = 300 * MHZ * TURN, 32e-9
    truth, beta = qubit(), beta_alpha / alpha
    a = _pi_amplitude(truth, t, beta)
    found = [
        excited(truth, program(Repeat(n, (pulse(a, t, 0.0, beta), pulse(a, t, math.pi, beta)))))[0] for n in (2, 4)
    ]
    tilt = 5.06 / (t * alpha) * (beta_alpha - 0.5)
    assert found == pytest.approx([math.sin(2 * n * tilt) ** 2 for n in (2, 4)], abs=0.02)


def _pi_amplitude(truth: QubitTruth, t: float, beta: float) -> float:
    estimate = 2 * half_pi_amplitude(truth, t)
    scales = np.linspace(0.98, 1.02, 9)
    found = excited(truth, program(pulse(Swept("a"), t, 0.0, beta), axes=over("a", scales * estimate)))
    curve = np.polyfit(scales, found, 2)
    return float(-curve[1] / (2 * curve[0]) * estimate)


def test_a_strong_short_pulse_leaks_and_drag_keeps_it() -> None:
    truth, t = qubit(drive_hz=300e6), 6e-9
    a, alpha = 2 * half_pi_amplitude(truth, t), 300 * MHZ * TURN
    bare, kept = (Evolution(truth).populations(program(pulse(a, t, 0.0, b)), None)[0, 2] for b in (0.0, 1 / alpha))
    assert bare > 1e-3
    assert kept < bare / 5


@pytest.mark.parametrize("offset_mhz", [-7.0, 0.0, 11.0])
def test_the_frame_of_the_program_does_not_matter(offset_mhz: float) -> None:
    """A frame that comes first and plays nothing changes the bookkeeping and nothing else."""
    truth = qubit(frequency_hz=DRIVE_HZ + 0.4 * MHZ, t1_s=20 * US, slow_detuning_hz=20e3)
    a = half_pi_amplitude(truth)
    own = Frame(FRAME, drive_line("3"), DRIVE_HZ, "3")
    other = Frame("first", drive_line("3"), DRIVE_HZ + offset_mhz * MHZ, "3")
    body: tuple[Operation, ...] = (pulse(a), wait(0.7 * US), pulse(a, phase_rad=0.4))
    first = excited(truth, program(*body, frames=(own,)), seed=1)
    second = excited(truth, program(*body, frames=(other, own)), seed=1)
    assert second == pytest.approx(first, abs=1e-9)


def test_frames_keep_their_phase_from_the_start_of_the_shot() -> None:
    """A tone 5 MHz off is behind by a full turn after 200 ns, and by half a one after 100 ns."""
    truth = qubit(anharmonicity_hz=FAR, drive_hz=800e6)
    a = half_pi_amplitude(truth, 4e-9)
    frames = (
        Frame(FRAME, drive_line("3"), DRIVE_HZ, "3"),
        Frame("off", drive_line("3"), DRIVE_HZ + 5 * MHZ, "3"),
    )
    for gap, expected in ((196e-9, 1.0), (96e-9, 0.0)):
        body = (pulse(a, 4e-9), wait(gap), Play("off", Gaussian(), a, 4e-9))
        (found,) = excited(truth, program(*body, frames=frames))
        assert found == pytest.approx(expected, abs=0.02)


def test_a_flat_top_pulse_drives_as_its_area_says() -> None:
    truth = qubit(anharmonicity_hz=FAR)
    flat_top = FlatTop(10e-9)
    a = 0.5 / (truth.drive_hz * flat_top.area_s(60e-9))
    assert excited(truth, program(Play(FRAME, flat_top, a, 60e-9)))[0] == pytest.approx(1.0, abs=1e-3)


def test_slow_detuning_is_drawn_and_not_a_fixed_grid() -> None:
    """A fixed quadrature would revive at long delays; draws differ from point to point and from seed to seed."""
    truth = qubit(slow_detuning_hz=40e3)
    a = half_pi_amplitude(truth)
    t = np.linspace(40 * US, 80 * US, 8)
    ramsey = program(pulse(a), wait(Swept("t")), pulse(a), axes=over("t", t))
    first, second = (excited(truth, ramsey, seed) for seed in (1, 2))
    assert not np.array_equal(first, second)
    assert np.abs(first - 0.5).max() < 0.1


def test_populations_are_populations() -> None:
    truth = replace(qubit(t1_s=15 * US, thermal=0.03, slow_detuning_hz=30e3), pure_dephasing_per_s=3e4)
    swept = program(drive(1.0, Swept("t")), wait(1e-6), pulse(0.7), axes=over("t", TIMES), interval_s=20e-6)
    found = Evolution(truth).populations(swept, np.random.default_rng(0))
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    assert found.min() > -1e-9
