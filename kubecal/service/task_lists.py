"""The standard lists of tasks, by the names under which flows know them."""

from __future__ import annotations

BRINGUP_TASKS = ["CheckResonatorSpectroscopy", "CheckQubitSpectroscopy", "CheckControlAmplitude", "CheckChevron"]
"""From nothing but the design to a qubit that can be driven."""
CHECK_1Q_TASKS = [
    "CheckRabi",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CheckOptimalReadoutAmplitude",
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CheckT1",
    "CheckT2Echo",
    "CheckRamsey",
]
"""Whether a qubit is as it should be."""
FULL_1Q_TASKS_AFTER_CHECK = [
    "CheckRabi",
    "CreateHPIPulse",
    "CheckHPIPulse",
    "CreatePIPulse",
    "CheckPIPulse",
    "CreateDRAGHPIPulse",
    "CheckDRAGHPIPulse",
    "CreateDRAGPIPulse",
    "CheckDRAGPIPulse",
    "ReadoutClassification",
    "CheckT1Average",
    "CheckT2EchoAverage",
    "Check1QGateCoherenceLimit",
    "RandomizedBenchmarking",
    "X90InterleavedRandomizedBenchmarking",
]
"""From a checked qubit to gates of known fidelity."""
FULL_1Q_TASKS = [*CHECK_1Q_TASKS, *FULL_1Q_TASKS_AFTER_CHECK]
"""Both."""
FULL_2Q_TASKS = [
    "CheckCrossResonance",
    "CreateZX90",
    "CheckZX90",
    "CheckBellState",
    "CheckBellStateTomography",
    "Check2QGateCoherenceLimit",
    "ZX90InterleavedRandomizedBenchmarking",
]
"""Cross-resonance gates of coupled qubits."""
