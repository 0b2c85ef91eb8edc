"""What is planted, which tasks it touches, and the verdict it must get: the table that ``faults.py`` checks.

A fault touches a task where it changes what the task's instruments are told or tell: a set-up task plays nothing, a
resonator is there without its qubit, and a coherence limit is computed. Where the data of a task it touches can
honestly say nothing but something else, that is its verdict, with the reason (``Otherwise``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.request import Verdict
from kubecal_tasks.framework.registry import all_tasks

SET_UP = ("Configure", "ConfigureAll", "LinkUp", "CheckStatus", "CheckNoise", "DumpBox", "ReadoutConfigure")
"""Backend verbs, no pulse program."""
COMPUTED = ("Check1QGateCoherenceLimit", "Check2QGateCoherenceLimit")
"""From what is known; no instrument."""
RESONATOR = (
    *("CheckResonatorSpectroscopy", "CheckResonatorFrequencies", "CheckReflectionCoefficient"),
    *("CheckElectricalDelay", "CheckWaveform", "CheckReadoutAmplitude"),
)
"""A readout tone, and no drive."""
TWO_QUBIT = (
    *("CheckCrossResonance", "CreateZX90", "CheckZX90", "CheckBellState", "CheckBellStateTomography"),
    "ZX90InterleavedRandomizedBenchmarking",
)
DRIVEN = tuple(name for name in all_tasks() if name not in (*SET_UP, *COMPUTED, *RESONATOR))
"""The qubit is driven and read."""
ONE_QUBIT = tuple(name for name in DRIVEN if name not in TWO_QUBIT)
READ = (*RESONATOR, *DRIVEN)
INSTRUMENTS = (*SET_UP, *READ)
SWEPT = (
    *("CheckResonatorSpectroscopy", "CheckResonatorFrequencies", "CheckReflectionCoefficient", "CheckReadoutAmplitude"),
    *("CheckQubitSpectroscopy", "CheckSimultaneousQubitSpectroscopy", "CheckQubitFrequencies", "CheckControlAmplitude"),
    *("CheckChevron", "CheckCoarseChevron", "CheckFineChevron", "CheckQubit", "CheckRabi", "CheckQubitFrequency"),
    *("CheckReadoutFrequency", "CheckDispersiveShift", "CheckOptimalReadoutAmplitude", "CheckOptimalReadoutFrequency"),
    *("CreateHPIPulse", "CreatePIPulse", "CheckRamsey", "CheckT1", "CheckT1Average", "CheckT2Echo"),
    *("CheckT2EchoAverage", "CreateDRAGHPIPulse", "CreateDRAGPIPulse", "CheckCrossResonance", "CreateZX90"),
)
"""Tasks that need the whole of a sweep of times, amplitudes or frequencies. Numbers of repetitions and sequences stay;
so do samples of a trace, and of a cable's delay, which any part of a band tells, the lowest part is enough."""

ALLOWED: Mapping[Verdict, float] = {Verdict.OK: 0.02, Verdict.POOR_FIT: 0.05, Verdict.WINDOW: 0.05}
"""Part of the runs that may end otherwise (physics.md, section 4): right fits rejected under 2 %, wrong ones accepted
under 5 %; what has no signal, no room or no instrument is told every time."""


@dataclass(frozen=True)
class Otherwise:
    """What a task's data say instead, and why they can say nothing else."""

    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Planted:
    """A fault and the verdict that it must get."""

    kind: str
    expected: Verdict
    touches: tuple[str, ...]
    why: str
    """What the fault does to these tasks."""
    value: float | None = None
    otherwise: Mapping[str, Otherwise] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    """Metrics that must be 1, by the task that has to tell so."""

    @property
    def words(self) -> str:
        """``Glitches 0.25``."""
        return self.kind if self.value is None else f"{self.kind} {self.value:g}"

    def config(self, target: str) -> list[dict[str, Any]]:
        """As ``backend.config.faults`` has it; Any: of JSON."""
        if self.kind == HEALTHY:
            return []
        return [{"kind": self.kind, "target": target} | ({} if self.value is None else {"value": self.value})]

    def verdict_of(self, task: str) -> Verdict:
        """What it must get out of a task."""
        return self.otherwise[task].verdict if task in self.otherwise else self.expected


HEALTHY = "nothing"
PLANTED = (
    Planted(HEALTHY, Verdict.OK, tuple(all_tasks()), "a healthy chip"),
    Planted("DeadQubit", Verdict.NO_SIGNAL, DRIVEN, "no pulse changes what is read"),
    Planted("NoLine", Verdict.NO_SIGNAL, DRIVEN, "no pulse arrives"),
    Planted("Glitches", Verdict.OK, READ, "few points are garbage", 0.04),
    # One garbage point in twenty lies among the good ones by chance, so that 16 % would not always be seen as such.
    Planted("Glitches", Verdict.POOR_FIT, READ, "too many points are garbage", 0.25),
    # Nothing here was published in this cool-down, so what has moved is not judged against the past.
    Planted("Tls", Verdict.OK, DRIVEN, "T1 and the frequency are others"),
    # Half a microsecond of a gate turns lines 300 kHz apart against each other: what it then looks like is chance.
    Planted("TwoLines", Verdict.OK, ONE_QUBIT, "two frequencies", flags={"CheckRamsey": "two_lines"}),
    Planted("SaturatedReadout", Verdict.UNPHYSICAL, READ, "the ADC cuts off what is read"),
    Planted("InstrumentError", Verdict.HARDWARE_ERROR, INSTRUMENTS, "an error instead of data"),
    Planted("InstrumentHang", Verdict.HARDWARE_ERROR, INSTRUMENTS, "no answer", 0.0),
    Planted("WrongWindow", Verdict.WINDOW, SWEPT, "the sweep ends before there is anything to see"),
)
