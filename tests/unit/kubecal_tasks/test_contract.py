"""The contract that other software relies on: names, kinds, outputs, units, groups and gates of all tasks.

Records and dashboards of labs know these names; a change here is a change for everyone who reads them.
"""

# ruff: noqa: E501 - a table is read line by line
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.active_protocols import TASKS
from kubecal_tasks.framework.task import BaseTask

# name | kind, + batch, - computes only | outputs: unit, ! optional, [..] published as a whole | R2 | timeout in s
CONTRACT = """
Configure | q | | | 3600
ConfigureAll | g | | | 3600
LinkUp | g | | | 3600
CheckStatus | g | | | 3600
CheckNoise | g | noise_floor (dB)! | | 3600
DumpBox | g | | | 3600
ReadoutConfigure | g | | | 3600
CheckResonatorSpectroscopy | m | [readout_frequency (GHz), readout_amplitude (a.u.)], optimal_power (dB) | | 7200
CheckResonatorFrequencies | q | coarse_resonator_frequency (GHz) | | 3600
CheckReflectionCoefficient | q | resonator_frequency (GHz), kappa_external (MHz), kappa_internal (MHz)! | | 3600
CheckElectricalDelay | q | electrical_delay (ns) | | 3600
CheckWaveform | q | | | 3600
CheckReadoutAmplitude | q | readout_amplitude (a.u.) | | 3600
CheckQubitSpectroscopy | q | [coarse_qubit_frequency (GHz)], anharmonicity (GHz)!, f01_quality_level ()!, coarse_control_amplitude (a.u.)! | | 7200
CheckSimultaneousQubitSpectroscopy | q+ | [coarse_qubit_frequency (GHz)], anharmonicity (GHz)!, f01_quality_level ()!, coarse_control_amplitude (a.u.)! | | 7200
CheckQubitFrequencies | q | coarse_qubit_frequency (GHz) | | 3600
CheckControlAmplitude | q | [coarse_control_amplitude (a.u.)], coarse_qubit_frequency (GHz) | | 3600
CheckChevron | q | [qubit_frequency (GHz), control_amplitude (a.u.)] | | 14400
CheckCoarseChevron | q | [qubit_frequency (GHz), control_amplitude (a.u.)] | | 3600
CheckFineChevron | q | [qubit_frequency (GHz), control_amplitude (a.u.)] | | 3600
CheckQubit | q | rabi_frequency (MHz), rabi_amplitude (a.u.) | 0.7 | 3600
CheckRabi | q | [control_amplitude (a.u.), rabi_frequency (MHz), maximum_rabi_frequency (MHz/a.u.)], rabi_amplitude (a.u.), rabi_phase (rad), rabi_offset (a.u.), [iq_ground_i (a.u.), iq_ground_q (a.u.), iq_excited_i (a.u.), iq_excited_q (a.u.), iq_sigma (a.u.)] | 0.6 | 3600
CheckQubitFrequency | q | qubit_frequency (GHz) | | 3600
CheckReadoutFrequency | q | readout_frequency (GHz) | | 3600
CheckDispersiveShift | q | dispersive_shift (MHz), optimal_readout_frequency (GHz) | | 3600
CheckOptimalReadoutAmplitude | q | readout_amplitude (a.u.) | | 3600
CheckOptimalReadoutFrequency | q | readout_frequency (GHz) | | 3600
CreateHPIPulse | q | [hpi_amplitude (a.u.), hpi_length (ns)] | 0.7 | 3600
CheckHPIPulse | q | hpi_error (rad) | | 3600
CreatePIPulse | q | [pi_amplitude (a.u.), pi_length (ns)] | 0.7 | 3600
CheckPIPulse | q | pi_error (rad) | | 3600
CheckRamsey | q | qubit_frequency (GHz), ramsey_frequency (MHz), t2_star (us)! | 0.7 | 3600
CheckT1 | q | t1 (us) | 0.7 | 3600
CheckT1Average | q | t1_average (us), t1_std (us) | 0.7 | 14400
CheckT2Echo | q | t2_echo (us) | 0.7 | 3600
CheckT2EchoAverage | q | t2_echo_average (us), t2_echo_std (us) | 0.7 | 14400
CreateDRAGHPIPulse | q | [drag_hpi_amplitude (a.u.), drag_hpi_beta (ns), drag_hpi_length (ns)] | 0.7 | 3600
CreateDRAGPIPulse | q | [drag_pi_amplitude (a.u.), drag_pi_beta (ns), drag_pi_length (ns)] | 0.7 | 3600
CheckDRAGHPIPulse | q | drag_hpi_error (rad), drag_hpi_axis_tilt (rad) | | 3600
CheckDRAGPIPulse | q | drag_pi_error (rad), drag_pi_axis_tilt (rad) | | 3600
ReadoutClassification | q | [classifier_ground_i (a.u.), classifier_ground_q (a.u.), classifier_excited_i (a.u.), classifier_excited_q (a.u.), classifier_sigma (a.u.), classifier_angle (rad), classifier_threshold (a.u.)], average_readout_fidelity (), readout_fidelity_0 (), readout_fidelity_1 () | | 3600
RandomizedBenchmarking | q | average_gate_fidelity (), depolarizing_rate () | 0.7 | 1800
X90InterleavedRandomizedBenchmarking | q | x90_gate_fidelity (), x90_depolarizing_rate () | 0.7 | 1800
X180InterleavedRandomizedBenchmarking | q | x180_gate_fidelity (), x180_depolarizing_rate () | 0.7 | 1800
Check1QGateCoherenceLimit | q- | one_qubit_gate_coherence_limit () | | 3600
CheckCrossResonance | c | [cr_amplitude (a.u.), cr_phase (rad), rotary_amplitude (a.u.), cancel_amplitude (a.u.), cancel_phase (rad), cancel_beta (ns)], zx_rotation_rate (MHz) | | 1500
CreateZX90 | c | [cr_amplitude (a.u.), cr_phase (rad), rotary_amplitude (a.u.), cancel_amplitude (a.u.), cancel_phase (rad), cancel_beta (ns), zx90_gate_time (ns)] | | 1500
CheckZX90 | c | zx90_error (rad) | | 1500
CheckBellState | c | bell_parity () | | 1500
CheckBellStateTomography | c | bell_state_fidelity () | | 1500
ZX90InterleavedRandomizedBenchmarking | c | zx90_gate_fidelity (), zx90_depolarizing_rate () | 0.7 | 1800
Check2QGateCoherenceLimit | c- | two_qubit_gate_coherence_limit () | | 1500
"""
NOT_YET: frozenset[str] = frozenset()
"""Tasks that are still to be written; when one is, its name leaves this list in the same change."""

_KINDS = {"q": TargetKind.QUBIT, "c": TargetKind.COUPLING, "m": TargetKind.MUX, "g": TargetKind.CHIP}
_OUTPUT = re.compile(r"(\w+) \(([^)]*)\)(!?)")


@dataclass(frozen=True)
class Promise:
    """One line of the contract."""

    name: str
    kind: TargetKind
    batch: bool
    drives: bool
    outputs: dict[str, tuple[str, bool]]
    """Unit and whether required, by name."""
    groups: frozenset[frozenset[str]]
    r2_threshold: float | None
    timeout_s: float


def _promise(line: str) -> Promise:
    name, kind, outputs, r2, timeout = (part.strip() for part in line.split("|"))
    groups = [_OUTPUT.findall(part) for part in re.findall(r"\[([^\]]*)\]", outputs)]
    return Promise(
        name=name,
        kind=_KINDS[kind[0]],
        batch=kind.endswith("+"),
        drives=not kind.endswith("-"),
        outputs={name: (unit, not mark) for name, unit, mark in _OUTPUT.findall(outputs)},
        groups=frozenset(frozenset(name for name, _, _ in group) for group in groups if len(group) > 1),
        r2_threshold=float(r2) if r2 else None,
        timeout_s=float(timeout),
    )


PROMISES = {each.name: each for each in map(_promise, CONTRACT.strip().splitlines())}


def _groups(task: type[BaseTask]) -> frozenset[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for output in task.outputs:
        if output.group:
            found.setdefault(output.group, set()).add(output.name)
    return frozenset(frozenset(names) for names in found.values() if len(names) > 1)


def test_there_are_52_tasks_and_those_that_are_not_there_are_known() -> None:
    assert len(PROMISES) == 52
    assert {task.name for task in TASKS} == set(PROMISES) - NOT_YET


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_is_what_the_contract_says(task: type[BaseTask]) -> None:
    promise = PROMISES[task.name]
    found: Any = Promise(
        name=task.name,
        kind=task.kind,
        batch=task.batch,
        drives=task.drives,
        outputs={output.name: (output.unit, output.required) for output in task.outputs},
        groups=_groups(task),
        r2_threshold=task.r2_threshold,
        timeout_s=task.timeout_s,
    )
    assert found == promise


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_that_drives_takes_shots_and_an_interval_between_them(task: type[BaseTask]) -> None:
    names = {parameter.name for parameter in task.run_parameters}
    measures = task.drives and task.kind is not TargetKind.CHIP and task.name != "Configure"
    assert ({"shots", "interval"} <= names) == measures
