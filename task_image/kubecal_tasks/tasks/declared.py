"""Inputs and run parameters that all one-qubit tasks declare alike.

The standard inputs of the catalogue ("std"), the calibrated pulses, and the drift that published values are
allowed before they count as stale or moved.
"""

from __future__ import annotations

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision

MAX_SHOTS = 1_000_000
MAX_POINTS = 1001
DEFAULT_INTERVAL_US = 153.6

STANDARD_INPUTS = (
    InputParameter("qubit_frequency", "GHz", hint="CheckChevron"),
    InputParameter("readout_frequency", "GHz", hint="CheckResonatorSpectroscopy"),
    InputParameter("readout_amplitude", "a.u.", hint="CheckResonatorSpectroscopy"),
    InputParameter("readout_length", "ns", fallback=384.0),
    InputParameter("iq_ground_i", "a.u.", required=False),
    InputParameter("iq_ground_q", "a.u.", required=False),
    InputParameter("iq_excited_i", "a.u.", required=False),
    InputParameter("iq_excited_q", "a.u.", required=False),
    InputParameter("t1", "us", required=False),
)
"""What every one-qubit task reads. t1 only lengthens the interval between shots, where it is known."""

CONTROL_AMPLITUDE = InputParameter("control_amplitude", "a.u.", hint="CheckChevron")
HALF_PI_INPUTS = (
    InputParameter("hpi_amplitude", "a.u.", hint="CreateHPIPulse"),
    InputParameter("hpi_length", "ns", hint="CreateHPIPulse"),
)
PI_INPUTS = (
    InputParameter("pi_amplitude", "a.u.", hint="CreatePIPulse"),
    InputParameter("pi_length", "ns", hint="CreatePIPulse"),
)
DRAG_HALF_PI_INPUTS = (
    InputParameter("drag_hpi_amplitude", "a.u.", hint="CreateDRAGHPIPulse"),
    InputParameter("drag_hpi_beta", "ns", hint="CreateDRAGHPIPulse"),
    InputParameter("drag_hpi_length", "ns", hint="CreateDRAGHPIPulse"),
)
DRAG_PI_INPUTS = (
    InputParameter("drag_pi_amplitude", "a.u.", hint="CreateDRAGPIPulse"),
    InputParameter("drag_pi_beta", "ns", hint="CreateDRAGPIPulse"),
    InputParameter("drag_pi_length", "ns", hint="CreateDRAGPIPulse"),
)


def shots(default: int) -> RunParameter:
    """How often each point of a sweep is measured."""
    return RunParameter(
        name="shots",
        kind=ParameterKind.INTEGER,
        default=default,
        minimum=2,
        maximum=MAX_SHOTS,
        description="repetitions of every point",
    )


INTERVAL = RunParameter(
    name="interval",
    kind=ParameterKind.NUMBER,
    unit="us",
    minimum=1.0,
    maximum=100_000.0,
    description="wait between shots; 153.6 us, or 5 t1 where that is longer and t1 is known",
)


def sweep(name: str, unit: str, default: object, minimum: float, maximum: float, description: str) -> RunParameter:
    """A swept quantity of at most 1001 points."""
    return RunParameter(
        name=name,
        kind=ParameterKind.SWEEP,
        unit=unit,
        default=default,
        minimum=minimum,
        maximum=maximum,
        max_points=MAX_POINTS,
        description=description,
    )


def decay_time(name: str, description: str, required: bool = True) -> OutputParameter:
    """A coherence time: useful to 20 %, and expected to wander by as much within a day."""
    return OutputParameter(
        name,
        "us",
        required=required,
        description=description,
        minimum=0.0,
        precision=Precision(relative=0.2),
        drift=0.2,
        drift_relative=True,
        max_age_s=DAY_S,
    )


def pulse_amplitude(name: str, group: str, description: str) -> OutputParameter:
    """A drive amplitude as a fraction of full scale."""
    return OutputParameter(
        name,
        "a.u.",
        group=group,
        description=description,
        minimum=0.0,
        maximum=1.0,
        precision=Precision(relative=0.02),
        drift=0.01,
        drift_relative=True,
        max_age_s=DAY_S,
    )


def duration_s(points: int, shots_each: int, sequence_s: float) -> float:
    """What a sweep takes on instruments: every shot waits for its sequence, the readout and the interval."""
    return points * shots_each * (sequence_s + 384e-9 + DEFAULT_INTERVAL_US * 1e-6)
