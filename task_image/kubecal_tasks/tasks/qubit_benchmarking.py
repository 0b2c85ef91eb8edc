"""Benchmarking of one qubit: random sequences of X90 and virtual Z, and the decay they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.cliffords.actions import Action
from kubecal_tasks.cliffords.single import single_group
from kubecal_tasks.fits.rb import RBFit, fit_rb
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.programs import Acquisition, BlockAxis, Operation, Program
from kubecal_tasks.tasks.benchmarking import (
    LENGTHS,
    SEQUENCES,
    expected_lengths,
    gates,
    interleave,
    lengths_parameter,
    seeded,
    sequences_parameter,
    survival,
)
from kubecal_tasks.tasks.coherence import one_qubit_limit, with_error
from kubecal_tasks.tasks.declared import DRAG_HALF_PI_INPUTS, INTERVAL, STANDARD_INPUTS, duration_s, shots
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import QubitTask
from kubecal_tasks.tasks.trace import measured_trace, split

STATES = 2
EXPECTED_COHERENCE_S = 30e-6
"""T1 and T2 that lengths are chosen for where they are not known: the median of what chips of this kind have."""
T2_ECHO = InputParameter("t2_echo", "us", required=False)
_USUAL_GATE_S = 16e-9


@dataclass(frozen=True)
class Interleaved:
    """A gate that is played after every random Clifford."""

    action: Action
    gate: Operation


class QubitBenchmarkingTask(QubitTask):
    """A task that benchmarks the gates of one qubit."""

    inputs: ClassVar[tuple[InputParameter, ...]] = (*STANDARD_INPUTS, T2_ECHO, *DRAG_HALF_PI_INPUTS)
    run_parameters: ClassVar[tuple[RunParameter, ...]] = (
        lengths_parameter("coherence"),
        sequences_parameter(),
        shots(2048),
        INTERVAL,
    )
    timeout_s = 1800.0
    r2_threshold = 0.7
    swept = "lengths"

    def lengths(self) -> Array:
        """Numbers of Cliffords: as asked, else up to 0.7 over the error that coherence alone leaves."""
        if "lengths" in self.binding.parameters:
            return np.unique(np.rint(self.sweep("lengths")))
        t1, t2 = (self.value(name) if self.has(name) else EXPECTED_COHERENCE_S for name in ("t1", "t2_echo"))
        gate = one_qubit_limit(self.value("drag_hpi_length"), t1, t2)
        return expected_lengths(single_group().average_pulses * gate, STATES)

    def benchmark(self, pulses: Pulses, interleaved: Interleaved | None = None) -> Program:
        """Sequences of all lengths, round by round, so that drift befalls all lengths alike.

        With an interleaved gate every other sequence has it, so that it befalls both decays alike.
        """
        group, rng = single_group(), seeded(self.name, self.target)
        blocks = tuple(gates(element, pulses.drag_half_pi(), pulses.turn) for element in group.elements)
        values: list[float] = []
        words: list[tuple[int, ...]] = []
        for _ in range(self.integer("sequences")):
            for length in self.lengths():
                values.append(float(length))
                words.append(group.sequence(int(length), rng))
                if interleaved is not None:
                    values.append(float(length))
                    words.append(interleave(group.sequence(int(length), rng, interleaved.action), len(blocks)))
        if interleaved is not None:
            blocks = (*blocks, (interleaved.gate,))
        return pulses.chosen(BlockAxis("cliffords", tuple(values), blocks, tuple(words)))

    def decays(self, acquisition: Acquisition, number: int) -> tuple[tuple[RBFit, ...], bool]:
        """The decays of so many kinds of sequences played in turn; and whether signals are survival probabilities."""
        reference = self.reference()
        parts = [slice(kind, None, number) for kind in range(number)]
        trace = measured_trace(
            np.concatenate([acquisition.x[part] for part in parts]),
            np.concatenate([acquisition.iq[part] for part in parts]),
            np.concatenate([acquisition.covariance[part] for part in parts]),
            reference,
        )
        sizes = [len(acquisition.x[part]) for part in parts]
        fits = tuple(fit_rb(each.x, survival(each), each.variance) for each in split(trace, sizes))
        return fits, trace.referenced

    def gate_limit(self, gate_s: float) -> Measured | None:
        """Error that coherence alone leaves to a gate; None where the coherence times are not known."""
        if not (self.has("t1") and self.has("t2_echo")):
            return None
        times = [Measured(self.value(name), self.error(name)) for name in ("t1", "t2_echo")]
        return with_error(one_qubit_limit, gate_s, times)

    def decay_limit(self) -> float | None:
        """What coherence alone would leave of the polarisation after one Clifford."""
        limit = self.gate_limit(self.value("drag_hpi_length"))
        if limit is None:
            return None
        return 1.0 - STATES / (STATES - 1) * single_group().average_pulses * limit.value

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default settings, without an interleaved gate."""
        lengths = expected_lengths(one_qubit_limit(_USUAL_GATE_S, EXPECTED_COHERENCE_S, EXPECTED_COHERENCE_S), STATES)
        return duration_s(SEQUENCES * LENGTHS, 2048, float(lengths.mean()) * _USUAL_GATE_S)
