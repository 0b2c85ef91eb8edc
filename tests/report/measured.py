"""A large session made of what tasks really report: measured once on a simulated qubit, told of every qubit."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kubecal.api.topology import square_lattice
from kubecal.reading.answers import Check, ExecutionDetail, InputValue, OutputValue, ParameterValue, Result, Suggestion
from kubecal.records.results import Figure, OutputRecord
from tests.bench.closed_loop import ClosedLoop, Outcome

TASKS = (
    *("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo", "CreatePIPulse"),
    "CheckPIPulse",
)
"""Each on what those before it found."""
TWICE = 2
BEGAN = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
_SEED, _QUBIT, _TASK_S = 5, "0", 9.0
_DEAD = {"kind": "DeadQubit", "target": _QUBIT}


@dataclass(frozen=True)
class Sample:
    """What one task reported."""

    task: str
    outcome: Outcome
    figures: tuple[Figure, ...] = field(repr=False)


@dataclass(frozen=True)
class Samples:
    """Every task once where all is well, and the first one on a dead qubit."""

    good: tuple[Sample, ...]
    dead: Sample


def samples() -> Samples:
    """Measure and draw: some twenty seconds."""
    config = {"seed": _SEED, "drift": False}
    loop = ClosedLoop(square_lattice(2, 2, 4), config, figures=True)
    good = [_sample(loop, task) for task in TASKS]
    dead = ClosedLoop(square_lattice(2, 2, 4), config | {"faults": [_DEAD]}, figures=True)
    return Samples(tuple(good), _sample(dead, TASKS[0]))


def _sample(loop: ClosedLoop, task: str) -> Sample:
    outcome = loop.run(task, _QUBIT)
    return Sample(task, outcome, outcome.figures)


class Session:
    """A session on a square lattice, and what a report asks of the records about it.

    Parameters
    ----------
    side
        Rows and columns of the lattice; every task is measured twice on each qubit but those disabled.
    dead
        Qubits without a signal: their first task fails and the others are skipped.
    """

    def __init__(
        self, measured: Samples, side: int, *, dead: Sequence[str] = (), disabled: Sequence[str] = (), **execution: Any
    ) -> None:
        self.svgs: dict[str, bytes] = {}
        self._random = random.Random(side)
        self._topology = square_lattice(side, side, 4)
        self._dead = dead
        qubits = [site.id for site in self._topology.sites if site.id not in disabled]
        self.rows = [row for qubit in qubits for row in self._qubit(measured, qubit)]
        failed = sum(row.status == "failed" for row in self.rows)
        skipped = sum(row.status == "skipped" for row in self.rows)
        self.detail = ExecutionDetail(
            **{
                "execution_id": "20261125-004",
                "project_id": "default",
                "chip": f"sim-{side * side}",
                "session": "morning",
                "namespace": "lab",
                "session_uid": "6b2c",
                "flow_name": "morning",
                "username": "alice",
                "status": "completed",
                "phase": "PartiallyFailed" if failed else "Completed",
                "message": f"failed on {len(dead)} of {len(qubits)} qubits" if failed else "",
                "tags": ("nightly", "after-warm-up"),
                "note": "After the warm-up of the weekend.",
                "counts": {
                    "planned": len(self.rows), "succeeded": len(self.rows) - failed - skipped,
                    "failed": failed, "skipped": skipped, "cancelled": 0,
                },
                "created_at": BEGAN,
                "started_at": BEGAN,
                "ended_at": max(row.ended_at for row in self.rows if row.ended_at is not None),
                "chip_spec": {
                    "topology": {"squareLattice": {"rows": side, "columns": side, "muxSize": 4}},
                    "disabled": {"qubits": list(disabled), "reason": "no resonance"} if disabled else {},
                    "backend": {"name": "fake", "config": {"seed": 7}},
                },
                "session_spec": {
                    "chip": f"sim-{side * side}", "targets": {"all": True},
                    "steps": [{"name": "check", "tasks": [{"task": task} for task in TASKS * TWICE]}],
                },
                "hardware_id": "lab/sim",
                "time_zone": "Asia/Tokyo",
                "image": "registry.example/kubecal-tasks:0.1.0",
                "catalogue_hash": "dd0789a14e18b1fd",
                **execution,
            }
        )  # fmt: skip

    def _qubit(self, measured: Samples, qubit: str) -> list[Result]:
        if qubit in self._dead:
            skipped = [
                self._row(sample, qubit, number, status="skipped", verdict="", message=f"{TASKS[0]} failed", wires=())
                for number, sample in enumerate(measured.good * TWICE)
            ]
            return [self._ended(measured.dead, qubit, 0), *skipped[1:]]
        return [self._ended(sample, qubit, number) for number, sample in enumerate(measured.good * TWICE)]

    def _row(self, sample: Sample, qubit: str, number: int, **more: Any) -> Result:
        fields = {
            "task_id": f"{qubit}-{number}",
            "execution_id": "20261125-004",
            "chip": "sim",
            "step": "check",
            "task": sample.task,
            "target": qubit,
            "qid": qubit,
            "ordinal": number // len(TASKS),
            "attempt": 1,
        }
        return Result(**{**fields, **more})

    def _ended(self, sample: Sample, qubit: str, number: int) -> Result:
        judged = sample.outcome.judged
        site = self._topology.site_by_id[qubit]
        start = BEGAN + timedelta(seconds=(2 * number + (site.x + site.y) % 2) * (_TASK_S + 0.5))
        return self._row(
            sample,
            qubit,
            number,
            status="completed" if judged.verdict == "ok" else "failed",
            verdict=judged.verdict.value,
            message=judged.message,
            started_at=start,
            ended_at=start + timedelta(seconds=_TASK_S * self._random.uniform(0.7, 1.0)),
            inputs=tuple(
                InputValue(name=one.name, value=one.value, error=one.error, unit=one.unit, origin=one.origin)
                for one in sample.outcome.inputs.values()
            ),
            run_parameters={"shots": 1024, "interval": 153.6},
            outputs=tuple(self._output(one) for one in judged.outputs),
            metrics=dict(judged.metrics),
            checks=tuple(Check(**dataclasses.asdict(check)) for check in judged.checks),
            suggestion=Suggestion(**dataclasses.asdict(judged.suggestion)) if judged.suggestion else None,
            wires=(
                ("X", "qubit", qubit), ("S", "mux", str(site.mux)),
                *(("S", "qubit", other) for other in sorted(self._topology.neighbours[qubit], key=int)),
            ),
            figure_ids=tuple(self._stored(figure, qubit, number) for figure in sample.figures),
        )  # fmt: skip

    def _output(self, one: OutputRecord) -> OutputValue:
        """The same for every qubit would make neither a histogram nor a change."""
        value, error, sigmas = one.value * self._random.gauss(1.0, 0.15), one.error, self._random.gauss(0.0, 1.2)
        return OutputValue(
            name=one.name, value=value, error=error, unit=one.unit, description=one.description, group=one.group,
            accepted=one.accepted, previous=value - sigmas * math.sqrt(2) * error, previous_error=error,
            sigmas=sigmas if error else None,
        )  # fmt: skip

    def _stored(self, figure: Figure, qubit: str, number: int) -> str:
        """Every attempt has a figure of its own, however alike they are here."""
        name = (
            f"{qubit}-{number}-{figure.name}.svg" if hasattr(figure, "name") else f"{qubit}-{number}-{figure.svg.name}"
        )
        self.svgs[name] = figure.svg.content + f"<!-- {name} -->".encode()
        return name

    # ------------------------------------------------------------ what a report asks

    async def execution(self, execution_id: str, *, project: str = "default") -> ExecutionDetail:
        return self.detail

    async def results(self, execution_id: str, *, project: str = "default") -> Sequence[Result]:
        return self.rows

    async def parameters_at(self, chip: str, moment: datetime, *, project: str = "default") -> Sequence[ParameterValue]:
        return [
            ParameterValue(
                target=qubit, name="average_gate_fidelity", value=self._random.uniform(0.995, 0.9995), error=0.0001,
                unit="", measured_at=BEGAN - timedelta(days=1), task="RandomizedBenchmarking",
            )
            for qubit in self._topology.site_by_id
        ]  # fmt: skip

    async def figures(
        self, execution_id: str, *, project: str = "default", form: str = "svg"
    ) -> Any:  # Any: a generator
        for file_id, content in self.svgs.items():
            yield file_id, content
