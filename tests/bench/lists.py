"""All tasks of the catalogue with the times they take, the standard lists, and both as sessions.

What is scheduled depends on kinds, claims and durations alone, so tasks that nobody has written yet can be planned:
durations are those of the shipped catalogue where it has the task, else shots x interval x points of its sweep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.catalogue import Catalogue, TargetKind
from kubecal.service.task_lists import FULL_1Q_TASKS_AFTER_CHECK, FULL_2Q_TASKS

CHECK = (
    "CheckRabi",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CheckT1",
    "CheckT2Echo",
    "CheckRamsey",
)
FINE, TWO_QUBIT = tuple(FULL_1Q_TASKS_AFTER_CHECK), tuple(FULL_2Q_TASKS)
_INTERVAL_S = 153.6e-6


def _sweep(points: int, shots: int = 1024) -> float:
    """Seconds that so many points take on instruments."""
    return round(points * shots * _INTERVAL_S, 1)


DURATION_S: Mapping[TargetKind, Mapping[str, float]] = {
    TargetKind.CHIP: {
        "ConfigureAll": 5.0,
        "LinkUp": 10.0,
        "CheckStatus": 2.0,
        "CheckNoise": 2.0,
        "DumpBox": 5.0,
        "ReadoutConfigure": 2.0,
    },
    TargetKind.MUX: {"CheckResonatorSpectroscopy": _sweep(600 * 13)},
    TargetKind.QUBIT: {
        "Configure": 1.0,
        "CheckResonatorFrequencies": _sweep(600),
        "CheckReflectionCoefficient": _sweep(201),
        "CheckElectricalDelay": _sweep(101),
        "CheckWaveform": _sweep(1, 2048),
        "CheckReadoutAmplitude": _sweep(51),
        "CheckQubitSpectroscopy": _sweep(240 * 9 + 1000),
        "CheckSimultaneousQubitSpectroscopy": _sweep(240 * 9 + 1000),
        "CheckQubitFrequencies": _sweep(101),
        "CheckControlAmplitude": _sweep(61, 8192),
        "CheckChevron": _sweep(41 * 51 + 21 * 26),
        "CheckCoarseChevron": _sweep(41 * 51),
        "CheckFineChevron": _sweep(21 * 26),
        "CheckQubit": _sweep(51),
        "CheckRabi": 16.1,
        "CheckQubitFrequency": _sweep(21 * 51),
        "CheckReadoutFrequency": _sweep(2 * 21),
        "CheckDispersiveShift": _sweep(2 * 101, 2048),
        "CheckOptimalReadoutAmplitude": _sweep(2 * 25),
        "CheckOptimalReadoutFrequency": _sweep(2 * 31),
        "CreateHPIPulse": 29.4,
        "CheckHPIPulse": 3.6,
        "CreatePIPulse": 29.4,
        "CheckPIPulse": 3.6,
        "CheckRamsey": 32.9,
        "CheckT1": 11.1,
        "CheckT1Average": 110.0,
        "CheckT2Echo": 8.9,
        "CheckT2EchoAverage": 90.0,
        "CreateDRAGHPIPulse": 55.0,
        "CreateDRAGPIPulse": 55.0,
        "CheckDRAGHPIPulse": 3.6,
        "CheckDRAGPIPulse": 3.6,
        "ReadoutClassification": 2.0,
        "RandomizedBenchmarking": 75.0,
        "X90InterleavedRandomizedBenchmarking": 150.0,
        "X180InterleavedRandomizedBenchmarking": 150.0,
        "Check1QGateCoherenceLimit": 1.0,
    },
    TargetKind.COUPLING: {
        "CheckCrossResonance": _sweep(2 * 3 * 51 * 3, 2048),
        "CreateZX90": _sweep(3 * 3 * 21, 2048),
        "CheckZX90": _sweep(2 * 21),
        "CheckBellState": _sweep(5, 4096),
        "CheckBellStateTomography": _sweep(9, 2048),
        "ZX90InterleavedRandomizedBenchmarking": _sweep(2 * 10 * 12, 2048),
        "Check2QGateCoherenceLimit": 1.0,
    },
}
_COMPUTED = ("Check1QGateCoherenceLimit", "Check2QGateCoherenceLimit")
_BATCHED = ("CheckSimultaneousQubitSpectroscopy",)
GATE_FIDELITY = "x90_gate_fidelity"
_OUTPUTS = {
    "CheckRamsey": ("qubit_frequency", "GHz"),
    "CheckT1": ("t1", "us"),
    "CheckCrossResonance": ("zx_rotation_rate", "MHz"),
    "X90InterleavedRandomizedBenchmarking": (GATE_FIDELITY, ""),
}
"""What sessions of tests ask for: in filters, or set by hand."""


def _entry(kind: TargetKind, name: str, seconds: float) -> dict[str, Any]:
    outputs = [{"name": output, "unit": unit} for task, (output, unit) in _OUTPUTS.items() if task == name]
    return {
        "name": name,
        "kind": kind,
        "description": "of the standard lists",
        "drives": name not in _COMPUTED,
        "batch": name in _BATCHED,
        "outputs": outputs,
        "timeoutS": 3600.0,
        "durationS": seconds,
    }


CATALOGUE = Catalogue.model_validate(
    {
        "tasks": [_entry(kind, *each) for kind, tasks in DURATION_S.items() for each in tasks.items()],
        "backends": [{"name": "fake", "configSchema": {"type": "object"}, "simulated": True}],
    }
)


@dataclass(frozen=True)
class Stage:
    """A list that all targets go through, or a filter of them."""

    name: str
    tasks: tuple[str, ...] = ()
    wanted: Mapping[str, Any] = field(default_factory=dict)
    """Instead of tasks the filter; Any: as in a manifest."""
    pairs: bool = False
    """Whether it is about all couplings of which both qubits came so far."""
    mode: str = ""
    """The schedule's; empty: as the other stages."""


def full(pairs: str = "") -> tuple[Stage, ...]:
    """A full calibration; ``pairs`` is the mode in which couplings are scheduled, if another than that of qubits."""
    return (
        Stage("check", CHECK),
        Stage("good", wanted={"status": "Succeeded"}),
        Stage("fine", FINE),
        Stage("better", wanted={"metric": GATE_FIDELITY, "min": 0.9}),
        Stage("pairs", TWO_QUBIT, pairs=True, mode=pairs),
    )


def calibration(stages: Sequence[Stage], mode: str, *, cap: int = 0, barriers: bool = False) -> list[dict[str, Any]]:
    """Steps of a session in which every target goes through the stages.

    Parameters
    ----------
    cap
        Most tasks of a step at a time: of pairs, if there are stages of pairs, else of all; 0: no limit.
    barriers
        Whether all targets wait for each other after each task, as scripts do that run a list task by task.
    """
    found: list[dict[str, Any]] = []
    of_pairs = any(stage.pairs for stage in stages)
    for stage in stages:
        if not stage.tasks:
            found.append({"name": stage.name, "filter": dict(stage.wanted)})
            continue
        schedule = {"mode": stage.mode or mode, "maxParallel": cap if stage.pairs or not of_pairs else 0}
        step: dict[str, Any] = {"schedule": schedule, "barrier": barriers}
        if stage.pairs:
            step["targets"] = {"couplings": {"auto": True}}
        cuts = [(task,) for task in stage.tasks] if barriers else [stage.tasks]
        for number, tasks in enumerate(cuts):
            name = f"{stage.name}-{number}" if barriers else stage.name
            found.append({**step, "name": name, "tasks": [{"task": task} for task in tasks]})
    return found
