"""Tasks on a simulated chip in this process: no database, no pods, the same attempt code.

What a task finds and may publish is offered to the next one, as the records would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kubecal.api.request import RequestChip, RequestSite, TaskRequest, Verdict
from kubecal.api.topology import Topology
from kubecal.records.results import Figure, FileContent, InputOffers, InputRecord, Offer
from kubecal_tasks.backends.base import DesignValue
from kubecal_tasks.backends.registry import open_backend
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Prepared, Report

MEASURED_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """Everything an attempt reported."""

    judged: Judged
    inputs: Mapping[str, InputRecord]
    raw_data: tuple[FileContent, ...]
    figures: tuple[Figure, ...]

    @property
    def verdict(self) -> Verdict:
        """What it was judged."""
        return self.judged.verdict


class TaskFailedError(AssertionError):
    """An attempt ended without a verdict."""


@dataclass
class ClosedLoop:
    """A simulated chip and what was found on it so far."""

    topology: Topology
    config: Mapping[str, Any]
    """The fake backend's; Any: checked by its schema."""
    design: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``Chip.spec.design.qubits``."""
    bands: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """``Chip.spec.design.bands``, GHz."""
    figures: bool = False
    """Whether to draw them, which takes longer than measuring."""
    found: dict[str, dict[str, Offer]] = field(default_factory=dict)
    """Accepted outputs by qubit and name."""

    def run(self, task: str, target: str, parameters: Mapping[str, Any] | None = None, ordinal: int = 0) -> Outcome:
        """Run one task on one target and remember what it found.

        Raises
        ------
        TaskFailedError
            If it ended without a verdict.
        """
        return self.run_all(task, target, (), parameters, ordinal)[target]

    def run_all(
        self,
        task: str,
        target: str,
        members: tuple[str, ...],
        parameters: Mapping[str, Any] | None = None,
        ordinal: int = 0,
    ) -> dict[str, Outcome]:
        """Run one task and remember what it found of each of its members; without any it judges its target alone.

        Raises
        ------
        TaskFailedError
            If it ended without a verdict.
        """
        reports: list[Report] = []
        request = self.request(task, target, parameters or {}, ordinal, members)
        offers = {one: InputOffers(session=self.found.get(one, {})) for one in request.parameter_ids}
        prepare_attempt(request, reports.append, self.figures).run(offers)
        outcomes = {judged: _outcome(reports, judged) for judged in request.judged}
        for judged, outcome in outcomes.items():
            if outcome.verdict is Verdict.OK:
                self._remember(judged, outcome)
        return outcomes

    def _remember(self, judged: str, outcome: Outcome) -> None:
        for each in outcome.judged.outputs:
            if each.accepted:
                offer = Offer(each.name, each.value, each.error, each.unit, MEASURED_AT, "")
                self.found.setdefault(judged, {})[each.name] = offer

    def design_of(self, qubit: str) -> Mapping[str, DesignValue]:
        """The backend's design values of a qubit."""
        return open_backend(self.request("CheckRabi", qubit, {}, 0)).design(qubit)

    def request(
        self, task: str, target: str, parameters: Mapping[str, Any], ordinal: int, members: tuple[str, ...] = ()
    ) -> TaskRequest:
        """What a driver would hand to the task's process."""
        catalogue = installed_catalogue()
        return TaskRequest(
            session_uid="bench",
            session="bench",
            namespace="bench",
            execution_id="20261123-000",
            username="bench",
            step="check",
            task=task,
            target=target,
            kind=catalogue.task_by_name[task].kind,
            members=members,
            ordinal=ordinal,
            attempt=1,
            charged_retries=0,
            parameters=dict(parameters),
            timeout_s=3600.0,
            r2_threshold=catalogue.task_by_name[task].r2_threshold,
            publish=True,
            tags=(),
            measure_at=MEASURED_AT,
            catalogue_hash=catalogue.hash,
            chip=RequestChip(
                project_id="default",
                chip_id="bench",
                hardware_id="bench/bench",
                time_zone="UTC",
                sites=tuple(RequestSite(id=s.id, x=s.x, y=s.y, mux=s.mux) for s in self.topology.sites),
                couplings=tuple((c.control, c.target) for c in self.topology.couplings),
                design={
                    "qubits": {qubit: dict(values) for qubit, values in self.design.items()},
                    "bands": {name: dict(band) for name, band in self.bands.items()},
                },
                backend="fake",
                backend_config=dict(self.config),
            ),
        )


def _outcome(reports: list[Report], target: str) -> Outcome:
    judged: Judged | None = None
    inputs: tuple[InputRecord, ...] = ()
    raw: tuple[FileContent, ...] = ()
    figures: tuple[Figure, ...] = ()
    for report in reports:
        match report:
            case Failed():
                raise TaskFailedError(f"{report.reason}: {report.message}\n{report.stack_trace}")
            case Prepared():
                inputs = report.inputs[target]
            case Measured():
                raw = report.raw_data
            case Judged() if report.judged == target:
                judged = report
            case Drawn():
                figures = report.figures.get(target, ())
    assert judged is not None, "an attempt says what it was judged, or why not"
    return Outcome(judged, {each.name: each for each in inputs}, raw, figures)
