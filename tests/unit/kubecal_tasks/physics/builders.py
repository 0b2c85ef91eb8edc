"""A simulated qubit with round numbers, for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubecal_tasks.physics.truth import QubitTruth, ResonatorTruth

MHZ = 1e6
US = 1e-6

RESONATOR = ResonatorTruth(
    bare_hz=6.9e9,
    coupling_hz=100e6,
    kappa_hz=2e6,
    loss_hz=0.05e6,
    design_amplitude=0.1,
    photons=5.0,
    snr=5.0,
    phase_rad=0.3,
    delay_s=50e-9,
    slope_per_hz=0.0,
)


def qubit(**changes: Any) -> QubitTruth:  # any field of QubitTruth
    """A qubit that never relaxes and never dephases, unless told."""
    ideal = QubitTruth(
        id="3",
        frequency_hz=4.9e9,
        anharmonicity_hz=-300e6,
        t1_s=1e3,
        pure_dephasing_per_s=0.0,
        slow_detuning_hz=0.0,
        thermal=0.0,
        drive_hz=80e6,
        resonator=RESONATOR,
    )
    return replace(ideal, **changes)
