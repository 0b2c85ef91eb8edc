from __future__ import annotations

import cmath
import math

import pytest

from kubecal_tasks.programs import Axis, Program, timeline
from kubecal_tasks.programs.timeline import Played
from kubecal_tasks.tasks.cross_resonance import CrossResonance, DragPulse, End, Pair

PI_PULSE, HALF_PI_PULSE = DragPulse(0.4, 0.2e-9, 24e-9), DragPulse(0.3, 0.2e-9, 16e-9)
PAIR = Pair(
    End("0", 4.9e9, 6.9e9, 0.1, HALF_PI_PULSE, PI_PULSE),
    End("1", 5.0e9, 7.0e9, 0.1, HALF_PI_PULSE, PI_PULSE),
    readout_s=384e-9,
    interval_s=150e-6,
)
SETTINGS = CrossResonance(0.5, 0.3, cancel_amplitude=0.02, cancel_phase=-1.0, rotary_amplitude=0.05)


def played(program: Program) -> list[Played]:
    return list(timeline(program, next(program.points())).pulses)


def test_the_gate_takes_as_long_as_it_says() -> None:
    program = PAIR.program(PAIR.zx90(SETTINGS, 120e-9), (), 100)
    shot = timeline(program, next(program.points()))
    assert shot.readout_start_s == pytest.approx(PAIR.gate_s(120e-9), abs=1e-12)
    assert PAIR.half_s(PAIR.gate_s(120e-9)) == pytest.approx(120e-9, abs=1e-12)


def test_both_halves_have_opposite_signs_and_the_control_is_flipped_between_and_back() -> None:
    pulses = played(PAIR.program(PAIR.zx90(SETTINGS, 120e-9), (), 100))
    for frame in ("cr", "target"):
        first, second = (each for each in pulses if each.pulse.frame.name == frame)
        assert first.pulse == second.pulse
        assert second.phase_rad - first.phase_rad == pytest.approx(math.pi)
    there, back = (each for each in pulses if each.pulse.frame.name == "control")
    assert (there.phase_rad, back.phase_rad) == (0.0, math.pi)


def test_both_tones_start_together_and_the_cr_tone_is_on_the_controls_line_at_the_targets_frequency() -> None:
    cr, target = played(PAIR.program(SETTINGS.tones(100e-9), (), 100))
    assert cr.start_s == target.start_s == 0.0
    frames = {each.pulse.frame.name: each.pulse.frame for each in (cr, target)}
    assert (frames["cr"].line, frames["cr"].frequency_hz) == ("drive/0", 5.0e9)
    assert frames["cr"].group == frames["target"].group == "qubit/1"


def test_the_rotary_tone_is_added_along_x() -> None:
    _, target = played(PAIR.program(SETTINGS.tones(100e-9), (), 100))
    tone = cmath.rect(target.pulse.amplitude, target.phase_rad)
    assert tone - cmath.rect(0.02, -1.0) == pytest.approx(0.05)


def test_the_cancel_tone_follows_the_amplitude_and_the_rotary_one_does_not() -> None:
    twice = SETTINGS.scaled(2.0)
    assert (twice.amplitude, twice.cancel_amplitude, twice.rotary_amplitude) == (1.0, 0.04, 0.05)
    assert SETTINGS.with_cancel(SETTINGS.cancel).cancel == pytest.approx(SETTINGS.cancel)


def test_both_qubits_are_read_the_control_first() -> None:
    program = PAIR.program(PAIR.prepared(1, 0), (Axis("dummy", (0.0,)),), 10, single=True)
    assert [tone.line for tone in program.readout.tones] == ["readout/0", "readout/1"]
    assert [each.pulse.frame.name for each in played(program)] == ["control"]


def test_a_pulse_says_what_full_scale_drives() -> None:
    """Twice the amplitude that turns by half a turn would turn by a whole one."""
    assert PI_PULSE.rate_hz(0.5) * PI_PULSE.amplitude == pytest.approx(0.5 / 24e-9 / 0.54, rel=0.05)
