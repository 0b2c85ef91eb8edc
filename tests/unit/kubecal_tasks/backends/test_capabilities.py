"""What an instrument refuses before anything is sent."""

from __future__ import annotations

from kubecal_tasks.backends.capabilities import Band, Capabilities
from kubecal_tasks.programs import Axis, Frame, Swept, drive_line, readout_line
from tests.unit.kubecal_tasks.programs.builders import DRIVE_HZ, FRAME, QUBIT, program, pulse

INSTRUMENT = Capabilities(
    bands={drive_line(QUBIT): Band(4e9, 5e9), readout_line(QUBIT): Band(6e9, 8e9)},
    sample_rate_hz=1e9,
    duration_step_s=1e-9,
    max_shot_s=1.0,
    adc_full_scale=1.0,
)


def test_a_swept_drive_must_stay_within_its_band_at_both_ends() -> None:
    frame = Frame(FRAME, drive_line(QUBIT), Swept("detuning") + DRIVE_HZ, QUBIT)
    for reach, refused in ((0.09e9, False), (0.2e9, True)):
        swept = program(pulse(), frames=(frame,), axes=(Axis("detuning", (-reach, reach), "Hz"),))
        problem = INSTRUMENT.problem(swept)
        assert (problem is not None) is refused
        assert problem is None or "frame 'drive 3' is at 5.1 GHz, 'drive/3' plays 4 ... 5 GHz" in problem
