"""Interleaved benchmarking of the echoed cross-resonance gate, with Cliffords of both qubits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.cliffords.pair import ZX90, PairGroup, pair_group
from kubecal_tasks.cliffords.single import single_group
from kubecal_tasks.fits.rb import RBFit, fit_rb, lost, ratio, rb_checks, scaled
from kubecal_tasks.fits.values import Array, Measured
from kubecal_tasks.framework.declarations import InputParameter, OutputParameter
from kubecal_tasks.framework.task import PostProcessResult
from kubecal_tasks.programs import Acquisition, Barrier, BlockAxis, Choose, Operation, Program, ShiftPhase, readout_line
from kubecal_tasks.tasks.benchmarking import (
    LENGTHS,
    SEQUENCES,
    benchmarking_picture,
    depolarizing_rate,
    expected_lengths,
    fidelity,
    fidelity_line,
    gates,
    lengths_parameter,
    longer_or_shorter,
    seeded,
    sequences_parameter,
    survival,
)
from kubecal_tasks.tasks.coherence import two_qubit_limit, with_error
from kubecal_tasks.tasks.coupling_task import CR_INPUTS, GATE_TIME, PAIR_INPUTS, ROLES, CouplingTask, of_both
from kubecal_tasks.tasks.cross_resonance import CONTROL, TARGET
from kubecal_tasks.tasks.declared import INTERVAL, duration_s, shots
from kubecal_tasks.tasks.findings import as_checks, estimate, metrics, quality_line
from kubecal_tasks.tasks.qubit_benchmarking import EXPECTED_COHERENCE_S, T2_ECHO
from kubecal_tasks.tasks.trace import measured_trace

STATES = 4
_LOCAL = len(single_group().elements)
_GATE = _LOCAL**2
"""Number of the block that is the gate; those before it turn both qubits, each by a Clifford."""


class ZX90InterleavedRandomizedBenchmarking(CouplingTask):
    """Fidelity of the ZX90 gate, from two-qubit sequences with and without it, played in turn."""

    name = "ZX90InterleavedRandomizedBenchmarking"
    inputs: ClassVar[tuple[InputParameter, ...]] = (*PAIR_INPUTS, *of_both((T2_ECHO,)), *CR_INPUTS, GATE_TIME)
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        fidelity("zx90_gate_fidelity", "of the echoed cross-resonance gate", 5e-3),
        depolarizing_rate("zx90_depolarizing_rate", "part of the polarisation that the gate loses"),
    )
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
        """Numbers of two-qubit Cliffords: as asked, else up to 1.4 of the decay lengths that coherence allows."""
        if "lengths" in self.binding.parameters:
            return np.unique(np.rint(self.sweep("lengths")))
        return expected_lengths(self._expected_error(), STATES)

    def preprocess(self, backend: Backend) -> None:
        """Random sequences without and with the gate after each Clifford, in turn, round by round."""
        group, rng = pair_group(), seeded(self.name, self.target)
        values: list[float] = []
        words: list[tuple[int, ...]] = []
        for _ in range(self.integer("sequences")):
            for length in self.lengths():
                for gate in (None, ZX90):
                    values.append(float(length))
                    numbers = group.sequence(int(length), rng, gate)
                    words.append(_word(group, numbers, interleaved=gate is not None))
        axis = BlockAxis("cliffords", tuple(values), self._blocks(), tuple(words))
        self.program: Program = self.pair().program((Choose("cliffords"),), (axis,), self.integer("shots"))

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """All sequences."""
        return (self.acquire(backend, "sequences", self.program),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Two decays, of which the ratio is the gate's own."""
        (reference, interleaved), referenced = self._decays(result[0])
        own = lost(ratio(interleaved.decay, reference.decay))
        error = scaled(own, 1.0 - 1.0 / STATES)
        found = Measured(1.0 - error.value, error.error)
        checks = (
            *as_checks(rb_checks(reference), prefix="reference "),
            *as_checks(rb_checks(interleaved), prefix="interleaved "),
        )
        estimates = (estimate("zx90_gate_fidelity", found), estimate("zx90_depolarizing_rate", own))
        per_clifford = reference.error_per_clifford(STATES)
        times = self._times() if self._coherence_known() else None
        limit = None if times is None else with_error(two_qubit_limit, self.value("zx90_gate_time"), times)
        return PostProcessResult(
            estimates=estimates,
            checks=checks,
            r2=reference.statistics.r2,
            metrics=metrics(reference.statistics)
            | {f"interleaved_{name}": value for name, value in metrics(interleaved.statistics).items()}
            | {"error_per_clifford": per_clifford.value},
            suggestion=self.suggest(checks, estimates, np.unique(reference.x), longer_or_shorter(reference, STATES)),
            lines=(
                fidelity_line("ZX90 fidelity", found),
                *(() if limit is None else (f"coherence limit {1e2 * (1.0 - limit.value):.3f} %",)),
                quality_line(reference.statistics),
            ),
            figures=(
                benchmarking_picture(
                    (("reference", reference), ("with ZX90", interleaved)),
                    referenced,
                    None if limit is None else 1.0 - STATES / (STATES - 1) * self._expected_error(),
                ),
            ),
        )

    def _expected_error(self) -> float:
        """Per Clifford, from coherence alone: its gates, and the turns of both qubits between them."""
        group = pair_group()
        half_pi_s = max(self.value(f"{role}_drag_hpi_length") for role in ROLES)
        clifford_s = group.average_entangling * self.value("zx90_gate_time") + group.average_pulses * half_pi_s
        return two_qubit_limit(clifford_s, *(each.value for each in self._times()))

    def _coherence_known(self) -> bool:
        return all(self.has(f"{role}_{time}") for role in ROLES for time in ("t1", "t2_echo"))

    def _times(self) -> list[Measured]:
        """T1 and T2 of the control, then of the target; what chips of this kind have where one is not known."""
        names = [f"{role}_{time}" for role in ROLES for time in ("t1", "t2_echo")]
        return [
            Measured(self.value(name), self.error(name)) if self.has(name) else Measured(EXPECTED_COHERENCE_S, 0.0)
            for name in names
        ]

    def _blocks(self) -> tuple[tuple[Operation, ...], ...]:
        """All turns of both qubits at once, control first, and the gate; each from when both lines are free."""
        pair, elements = self.pair(), single_group().elements
        control = [gates(e, pair.control.half_pi.play(CONTROL), lambda a: ShiftPhase(CONTROL, a)) for e in elements]
        target = [gates(e, pair.target.half_pi.play(TARGET), lambda a: ShiftPhase(TARGET, a)) for e in elements]
        turns = [(*first, *second) for first in control for second in target]
        gate = pair.zx90(self.cross_resonance(), pair.half_s(self.value("zx90_gate_time")))
        return tuple((Barrier(), *each, Barrier()) for each in (*turns, gate))

    def _decays(self, acquisition: Acquisition) -> tuple[tuple[RBFit, RBFit], bool]:
        """Without and with the gate; and whether signals are survival probabilities.

        Random Cliffords make every Pauli operator decay alike, so either qubit shows the decay of both; their mean
        shows it with less noise. Where |0> and |1> are not known for both, the target alone is looked at.
        """
        both = all(self.reference_of(role) is not None for role in ROLES)
        signals, variances = [], []
        for role, qubit in zip(ROLES, self.ends, strict=True):
            if not both and role == "control":
                continue
            tone = acquisition.tone(readout_line(qubit))
            trace = measured_trace(tone.x, tone.iq, tone.covariance, self.reference_of(role) if both else None)
            signals.append(survival(trace))
            variances.append(trace.variance)
        signal = np.mean(signals, axis=0)
        variance = np.sum(variances, axis=0) / len(variances) ** 2
        fits = [fit_rb(acquisition.x[kind::2], signal[kind::2], variance[kind::2]) for kind in (0, 1)]
        return (fits[0], fits[1]), both

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default settings."""
        return duration_s(2 * SEQUENCES * LENGTHS, 2048, 15e-6)


def _word(group: PairGroup, numbers: Sequence[int], interleaved: bool) -> tuple[int, ...]:
    """Cliffords as numbers of blocks; with the gate after each but the last."""
    word: list[int] = []
    for place, number in enumerate(numbers):
        element = group.element(number)
        for control, target in element.before:
            word += [_LOCAL * control + target, _GATE]
        word.append(_LOCAL * element.last[0] + element.last[1])
        if interleaved and place < len(numbers) - 1:
            word.append(_GATE)
    return tuple(word)
