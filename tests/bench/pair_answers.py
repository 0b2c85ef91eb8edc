"""What two-qubit tasks should have found: exact runs of the simulator with the settings that were found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubecal.api.topology import Topology
from kubecal.api.units import to_si
from kubecal.records.results import Offer
from kubecal_tasks.physics.pair.oracle import PairOracle
from kubecal_tasks.tasks.check_zx90 import CheckZX90
from kubecal_tasks.tasks.coherence import two_qubit_limit
from tests.bench.answers import Pull
from tests.bench.closed_loop import Outcome
from tests.unit.kubecal_tasks.tasks.couplings import CalibratedCoupling


@dataclass(frozen=True)
class PairAnswers:
    """What a simulated chip's couplings hide, without drift and faults."""

    topology: Topology
    seed: int

    def pulls(self, coupling: str, outcome: Outcome, found: Mapping[str, Mapping[str, Offer]]) -> Iterator[Pull]:
        """Of every accepted output that has an error and a right value.

        Parameters
        ----------
        found
            What is known of the coupling and of its qubits when the task has ended.
        """
        for each in outcome.judged.outputs:
            if each.accepted and each.error > 0:
                truth = self._right(each.name, self._coupling(coupling, found))
                if truth is not None:
                    yield Pull(coupling, each.name, to_si(each.value, each.unit), to_si(each.error, each.unit), truth)

    def _coupling(self, name: str, found: Mapping[str, Mapping[str, Offer]]) -> CalibratedCoupling:
        known = CalibratedCoupling(self.seed, name, topology=self.topology)
        known.found |= {one: dict(found[one]) for one in (*name.split("-"), name)}
        return known

    @staticmethod
    def _right(output: str, known: CalibratedCoupling) -> float | None:
        match output:
            case "zx90_error":
                return known.zx90_error()
            case "bell_state_fidelity":
                return known.bell_fidelity()
            case "zx90_gate_fidelity":
                return gate_fidelity(known)
            case "two_qubit_gate_coherence_limit":
                pair = known.truth
                times = [time for q in (pair.control, pair.target) for time in (q.t1_s, q.t2_echo_s)]
                return 1.0 - two_qubit_limit(known.task(CheckZX90).value("zx90_gate_time"), *times)
        return None


def gate_fidelity(known: CalibratedCoupling) -> float:
    """Average fidelity of the gate's own channel."""
    task = known.task(CheckZX90)
    pair = task.pair()
    gate = pair.zx90(task.cross_resonance(), pair.half_s(task.value("zx90_gate_time")))
    return PairOracle(known.truth).average_fidelity(pair.program(gate, (), 2))
