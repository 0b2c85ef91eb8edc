"""Design values of a simulated qubit: the drawn truth with an error of stated size."""

from __future__ import annotations

from collections.abc import Mapping

from kubecal_tasks.backends.base import DesignValue
from kubecal_tasks.backends.fake.config import FakeConfig
from kubecal_tasks.physics.readout import design_readout_hz
from kubecal_tasks.physics.truth import Draw, QubitTruth, cut_normal, generator

TARGET_RATE_HZ = 12.5e6
"""The Rabi rate that ``control_amplitude`` stands for."""
_GHZ, _MHZ_IN_GHZ = 1e9, 1e-3


def design_values(drawn: QubitTruth, config: FakeConfig) -> Mapping[str, DesignValue]:
    """Parameters in the catalogue's units, off the truth by errors within two sigmas of the priors."""
    rng = generator(config.seed, Draw.DESIGN, int(drawn.id))
    priors = config.priors
    qubit, drive, readout = (cut_normal(rng) for _ in range(3))
    control = TARGET_RATE_HZ / drawn.drive_hz * (1.0 + priors.amplitude * drive)
    return {
        "qubit_frequency": _frequency(drawn.frequency_hz, priors.frequency_mhz, qubit),
        "readout_frequency": _frequency(design_readout_hz(drawn), priors.readout_mhz, readout),
        "readout_amplitude": DesignValue(drawn.resonator.design_amplitude, 0.0, "a.u."),
        "control_amplitude": DesignValue(control, priors.amplitude * control, "a.u."),
    }


def _frequency(truth_hz: float, prior_mhz: float, sigmas: float) -> DesignValue:
    return DesignValue(truth_hz / _GHZ + sigmas * prior_mhz * _MHZ_IN_GHZ, prior_mhz * _MHZ_IN_GHZ, "GHz")
