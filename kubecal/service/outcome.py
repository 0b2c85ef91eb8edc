"""What ``CalibService.run`` gives back: results by step, and which qubits came through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kubecal.reading.answers import Result
from kubecal.reading.attempts import last_attempts
from kubecal.service.results import TaskResult
from kubecal.service.steps import METRICS, CouplingStep, FilterByMetric, FilterByStatus, QubitStep, Step

Status = Literal["success", "failed"]
_OTHER_NAMES = {output: name for name, output in METRICS.items()}


@dataclass(frozen=True)
class CalibData:
    """What a step found about one qubit or coupling."""

    results: Sequence[TaskResult] = ()
    """Every task, in order."""

    @property
    def status(self) -> Status:
        """Whether every task succeeded."""
        return "success" if self.results and all(result.ok for result in self.results) else "failed"

    @property
    def raw(self) -> Mapping[str, TaskResult]:
        """The last result of each task, by its name."""
        return {result.task: result for result in self.results}

    @property
    def metrics(self) -> Mapping[str, float]:
        """The last value of each output of tasks that succeeded, also under the names that flows know."""
        found = {name: float(value) for one in self.results if one.ok for name, value in one.outputs.items()}
        return {**found, **{_OTHER_NAMES[name]: value for name, value in found.items() if name in _OTHER_NAMES}}

    def get_metric(self, name: str) -> float | None:
        """One of them; None: there is none."""
        return self.metrics.get(name)


@dataclass(frozen=True)
class OneQubitResult:
    """What a step found about qubits."""

    qubits: Mapping[str, CalibData] = field(default_factory=dict)

    def get_qubit(self, qid: str) -> CalibData | None:
        """One qubit; None: the step did not come to it."""
        return self.qubits.get(qid)

    def get_status(self, qid: str) -> Status | None:
        """How it went for one qubit; None: the step did not come to it."""
        return self.qubits[qid].status if qid in self.qubits else None

    def get_metric(self, qid: str, name: str) -> float | None:
        """One number of one qubit; None: there is none."""
        return self.qubits[qid].get_metric(name) if qid in self.qubits else None

    def all_qids(self) -> list[str]:
        """Every qubit the step came to."""
        return list(self.qubits)

    def successful_qids(self) -> list[str]:
        """Qubits of which every task succeeded."""
        return [qid for qid, data in self.qubits.items() if data.status == "success"]

    def failed_qids(self) -> list[str]:
        """The others."""
        return [qid for qid, data in self.qubits.items() if data.status == "failed"]

    def filter_by_metric(self, name: str, threshold: float) -> list[str]:
        """Qubits of which a number is known and not below a threshold."""
        return [qid for qid, data in self.qubits.items() if _reaches(data.get_metric(name), threshold)]


@dataclass(frozen=True)
class TwoQubitResult:
    """What a step found about couplings."""

    couplings: Mapping[str, CalibData] = field(default_factory=dict)

    def get_coupling(self, coupling_id: str) -> CalibData | None:
        """One coupling; None: the step did not come to it."""
        return self.couplings.get(coupling_id)

    def all_couplings(self) -> list[str]:
        """Every coupling the step came to."""
        return list(self.couplings)

    def successful_couplings(self) -> list[str]:
        """Couplings of which every task succeeded."""
        return [one for one, data in self.couplings.items() if data.status == "success"]

    def failed_couplings(self) -> list[str]:
        """The others."""
        return [one for one, data in self.couplings.items() if data.status == "failed"]

    def filter_by_metric(self, name: str, threshold: float) -> list[str]:
        """Couplings of which a number is known and not below a threshold."""
        return [one for one, data in self.couplings.items() if _reaches(data.get_metric(name), threshold)]


@dataclass(frozen=True)
class FilterResult:
    """Which qubits came to a filter, and which went on."""

    input_qids: list[str]
    output_qids: list[str]
    filter_criteria: str

    @property
    def filtered_out(self) -> list[str]:
        """Those that did not go on."""
        return [qid for qid in self.input_qids if qid not in set(self.output_qids)]

    @property
    def pass_rate(self) -> float:
        """Fraction that went on; 0 where none came."""
        return len(self.output_qids) / len(self.input_qids) if self.input_qids else 0.0


def gathered(ran: Sequence[tuple[Step, Sequence[str]]], results: Sequence[Result]) -> dict[str, Any]:
    """Results by step as flows know them; Any: of several types, by key.

    ``ran`` are the steps, each with the names of the session's steps that it became.

    ``candidate_qids`` and ``candidate_couplings`` are those that came through; ``one_qubit_check``,
    ``one_qubit_fine_tune`` and ``two_qubit`` what these steps found; ``filters`` what each filter did; ``metadata``
    the other steps, by their names.
    """
    last = last_attempts(results)
    found: dict[str, Any] = {}
    filters: list[FilterResult] = []
    metadata: dict[str, Any] = {}
    seen: dict[str, list[TaskResult]] = {}
    candidates: list[str] | None = None
    couplings: list[str] = []
    for step, names in ran:
        by_target = {qid: CalibData(tuple(rows)) for qid, rows in _of_steps(last, names).items()}
        came_to = {qid: data for qid, data in by_target.items() if not all(map(_left_out, data.results))}
        if isinstance(step, FilterByStatus | FilterByMetric):
            came = list(seen) if candidates is None else candidates
            candidates = [qid for qid in came if _passes(step, seen.get(qid, []))]
            filters.append(FilterResult(came, candidates, step.criteria))
        elif isinstance(step, QubitStep):
            for qid, data in by_target.items():
                seen.setdefault(qid, []).extend(data.results)
            _put(found, metadata, step, OneQubitResult(came_to))
        elif isinstance(step, CouplingStep):
            result = TwoQubitResult(came_to)
            couplings = result.successful_couplings()
            _put(found, metadata, step, result)
        elif by_target:
            metadata[step.name] = by_target[""].results[-1] if "" in by_target else None
    return {
        "candidate_qids": list(seen) if candidates is None else candidates,
        "candidate_couplings": couplings,
        **found,
        **({"filters": filters} if filters else {}),
        **({"metadata": metadata} if metadata else {}),
    }


_KEYS = {
    "one_qubit_check": "one_qubit_check",
    "one_qubit_fine_tune": "one_qubit_fine_tune",
    "two_qubit_calibration": "two_qubit",
}
"""Where the results of the standard steps are found."""


def _put(found: dict[str, Any], metadata: dict[str, Any], step: Step, result: OneQubitResult | TwoQubitResult) -> None:
    if step.name in _KEYS:
        found[_KEYS[step.name]] = result
    else:
        metadata[step.name] = result


def _of_steps(results: Sequence[Result], names: Sequence[str]) -> dict[str, list[TaskResult]]:
    found: dict[str, list[TaskResult]] = {}
    for name in names:
        for one in results:
            if one.step == name:
                found.setdefault(one.qid, []).append(TaskResult(one))
    return dict(sorted(found.items(), key=lambda item: _place(item[0])))


def _place(target: str) -> tuple[int, ...]:
    """Qubits and couplings in the order of their numbers."""
    return tuple(int(part) for part in target.split("-") if part)


def _left_out(result: TaskResult) -> bool:
    return result.record.status in ("skipped", "cancelled")


def _passes(wanted: FilterByStatus | FilterByMetric, before: Sequence[TaskResult]) -> bool:
    """As the session judged it: of what was run before, the last value counts."""
    if isinstance(wanted, FilterByStatus):
        return bool(before) and all(result.ok for result in before)
    name = wanted.output
    numbers = [{**one.metrics, **one.outputs} for one in before]
    return _reaches(next((found[name] for found in reversed(numbers) if name in found), None), wanted.threshold)


def _reaches(value: float | None, threshold: float) -> bool:
    return value is not None and value >= threshold
