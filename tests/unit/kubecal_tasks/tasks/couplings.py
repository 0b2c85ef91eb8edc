"""A coupling of a simulated chip whose qubits are calibrated: what two-qubit tasks find when their turn comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import RequestChip, RequestSite, TaskRequest, Verdict
from kubecal.api.topology import Topology, square_lattice
from kubecal.records.results import Figure, InputOffers, Offer
from kubecal_tasks.backends.fake.chip import Chip
from kubecal_tasks.backends.fake.config import FakeConfig
from kubecal_tasks.fits import fit_repetition
from kubecal_tasks.fits.tomography import SETTINGS, fit_tomography
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.framework.inputs import Candidate, Origin, resolve
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Report
from kubecal_tasks.framework.task import Binding
from kubecal_tasks.physics.coupling import PairTruth, draw_pair
from kubecal_tasks.physics.evolution import TURN
from kubecal_tasks.physics.pair.evolution import PairEvolution
from kubecal_tasks.physics.propagation import slice_unitaries, slices
from kubecal_tasks.physics.readout import Readout, design_readout_hz
from kubecal_tasks.physics.truth import QubitTruth
from kubecal_tasks.programs import Acquisition, Axis, Gaussian, Program, Repeat, Swept
from kubecal_tasks.tasks.check_bell_state_tomography import CheckBellStateTomography
from kubecal_tasks.tasks.check_zx90 import CheckZX90
from kubecal_tasks.tasks.coupling_task import CouplingTask

Task = TypeVar("Task", bound=CouplingTask)

MEASURED_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
READOUT_NS = 384.0
HALF_PI_NS, PI_NS = 16.0, 24.0
TOPOLOGY = square_lattice(2, 2, 4)


@dataclass
class CalibratedCoupling:
    """A coupling, what is known of it and its qubits, and what its tasks found so far."""

    seed: int
    target: str = "0-1"
    config: Mapping[str, Any] = field(default_factory=dict)
    """More of the fake backend's; Any: checked by its schema."""
    found: dict[str, dict[str, Offer]] = field(default_factory=dict)
    ordinal: int = 0
    """Of the task in its step: other ordinals, other noise."""
    topology: Topology = TOPOLOGY

    def __post_init__(self) -> None:
        for qubit in self.target.split("-"):
            self.found[qubit] = _offers(calibration(self.chip, qubit))

    @property
    def chip(self) -> Chip:
        """The chip as a request of now meets it."""
        return Chip(self.request("CheckCrossResonance", {}), FakeConfig.model_validate(self._config))

    @property
    def truth(self) -> PairTruth:
        """The pair."""
        control, target = self.target.split("-")
        chip = self.chip
        return draw_pair(self.seed, chip.truth(control), chip.truth(target))

    def knows(self, **values: float) -> CalibratedCoupling:
        """Values of the coupling, in the units of records."""
        self.found.setdefault(self.target, {}).update(_offers(values))
        return self

    def run(self, task: str, parameters: Mapping[str, Any] | None = None, figures: bool = False) -> CouplingOutcome:
        """Run one task and remember what it found."""
        reports: list[Report] = []
        offers = {
            name: InputOffers(session=self.found.get(name, {})) for name in (*self.target.split("-"), self.target)
        }
        prepare_attempt(self.request(task, parameters or {}), reports.append, figures).run(offers)
        failed = [f"{r.reason}: {r.message}\n{r.stack_trace}" for r in reports if isinstance(r, Failed)]
        assert not failed, failed[0]
        judged = next(report for report in reports if isinstance(report, Judged))
        drawn = [figure for r in reports if isinstance(r, Drawn) for figure in r.figures.get(self.target, ())]
        if judged.verdict is Verdict.OK:
            own = {
                o.name: Offer(o.name, o.value, o.error, o.unit, MEASURED_AT, "") for o in judged.outputs if o.accepted
            }
            self.found.setdefault(self.target, {}).update(own)
        raw = [Acquisition.from_npz(f.content) for r in reports if isinstance(r, Measured) for f in r.raw_data]
        return CouplingOutcome(judged, tuple(drawn), tuple(raw))

    def request(self, task: str, parameters: Mapping[str, Any]) -> TaskRequest:
        """What a driver would hand to the task's process."""
        catalogue = installed_catalogue()
        return TaskRequest(
            session_uid="bench", session="bench", namespace="bench", execution_id="20261123-000", username="bench",
            step="two-qubit", task=task, target=self.target, kind=TargetKind.COUPLING, ordinal=self.ordinal,
            attempt=1, charged_retries=0,
            parameters=dict(parameters), timeout_s=1500.0, r2_threshold=None, publish=True, tags=(),
            measure_at=MEASURED_AT, catalogue_hash=catalogue.hash,
            chip=RequestChip(
                project_id="default", chip_id="bench", hardware_id="bench/bench", time_zone="UTC",
                sites=tuple(RequestSite(id=s.id, x=s.x, y=s.y, mux=s.mux) for s in self.topology.sites),
                couplings=tuple((c.control, c.target) for c in self.topology.couplings),
                design={}, backend="fake", backend_config=self._config,
            ),
        )  # fmt: skip

    @property
    def _config(self) -> dict[str, Any]:
        return {"seed": self.seed, "drift": False, **self.config}

    # ------------------------------------------------------------ what its tasks should find

    def bell_fidelity(self) -> float:
        """Of the state that the settings found so far really make, with all noise of the environment."""
        task = self.task(CheckBellStateTomography)
        joint = self._exact(task.bell_programs(SETTINGS)["settings"]) * 1e6
        return fit_tomography(joint, np.eye(4)).linear_fidelity

    def zx90_error(self) -> float:
        """By how much the gate with the settings found so far really turns too far, rad."""
        task = self.task(CheckZX90)
        pair = task.pair()
        gate = pair.zx90(task.cross_resonance(), pair.half_s(task.value("zx90_gate_time")))
        counts = np.arange(21.0)
        errors = []
        for control in (0, 1):
            body = (*pair.prepared(control, 0), Repeat(Swept("n"), gate))
            joint = self._exact(pair.program(body, (Axis("n", tuple(counts)),), 2))
            excited = joint[:, 1] + joint[:, 3]
            errors.append(fit_repetition(counts, excited, np.full(21, 1e-8)).error_angle.value)
        return sum(errors) / 2

    def _exact(self, program: Program) -> NDArray[np.float64]:
        """(points, 4) probabilities of 00, 01, 10, 11 before the readout; |2> counts as |1>."""
        populations = PairEvolution(self.truth).populations(program, None).reshape(-1, 3, 3)
        control = np.stack([populations[:, 0], populations[:, 1:].sum(axis=1)], axis=1)
        joint = np.stack([control[..., 0], control[..., 1:].sum(axis=-1)], axis=-1)
        return np.asarray(joint.reshape(-1, 4))

    def task(self, kind: type[Task]) -> Task:
        """A task bound to what is known now."""
        owners = dict(zip(("control", "target", ""), (*self.target.split("-"), self.target), strict=True))
        offers = {
            owner: [
                (Origin.SESSION, {k: Candidate(o.value, o.error, "") for k, o in self.found.get(owner, {}).items()})
            ]
            for owner in owners.values()
        }
        values = resolve(kind.inputs, owners, offers)
        return kind(Binding(self.target, values, {"shots": 2}))


@dataclass(frozen=True)
class CouplingOutcome:
    """What an attempt reported."""

    judged: Judged
    figures: tuple[Figure, ...]
    raw_data: tuple[Acquisition, ...]

    @property
    def verdict(self) -> Verdict:
        """What it was judged."""
        return self.judged.verdict

    @property
    def values(self) -> dict[str, tuple[float, float]]:
        """Value and error of every output, in the units of records."""
        return {output.name: (output.value, output.error) for output in self.judged.outputs}


def calibration(chip: Chip, qubit: str) -> dict[str, float]:
    """What perfect one-qubit tasks would have found, in the units of records."""
    truth = chip.drawn(qubit)  # before anything broke
    design = truth.resonator.design_amplitude
    others = chip.others_on_cable(qubit)
    readout = Readout.of(truth, design_readout_hz(truth), design, READOUT_NS * 1e-9, others=others)
    ground, excited = complex(readout.centres[0]), complex(readout.centres[1])
    along = (excited - ground) / abs(excited - ground)
    beta_s = 0.5 / (TURN * abs(truth.anharmonicity_hz))
    known = {
        "qubit_frequency": truth.frequency_hz / 1e9,
        "readout_frequency": design_readout_hz(truth) / 1e9,
        "readout_amplitude": design,
        "t1": truth.t1_s * 1e6,
        "classifier_sigma": float(readout.sigma),
        "classifier_angle": float(np.angle(along)),
        "classifier_threshold": float(((ground + excited) / 2 * along.conjugate()).real),
    }
    for name, centre in (("ground", ground), ("excited", excited)):
        known |= {f"{kind}_{name}_i": centre.real for kind in ("iq", "classifier")}
        known |= {f"{kind}_{name}_q": centre.imag for kind in ("iq", "classifier")}
    for pulse, turns, length_ns in (("drag_hpi", 0.25, HALF_PI_NS), ("drag_pi", 0.5, PI_NS)):
        known[f"{pulse}_amplitude"] = drag_amplitude(truth, turns, length_ns * 1e-9, beta_s)
        known[f"{pulse}_beta"] = beta_s * 1e9
        known[f"{pulse}_length"] = length_ns
    return known


def drag_amplitude(truth: QubitTruth, turns: float, length_s: float, beta_s: float) -> float:
    """The amplitude with which a resonant pulse leaves as much in |1> as one that turns so far, of a lone qubit."""
    resonant = turns / (truth.drive_hz * Gaussian().area_s(length_s))

    def angle(amplitude: float) -> float:
        amplitudes, slice_s = slices(Gaussian(), amplitude, length_s, beta_s)
        steps = slice_unitaries(
            np.zeros(1),
            TURN * truth.anharmonicity_hz,
            TURN * truth.drive_hz * amplitudes[None],
            np.asarray([slice_s]),
        )[0, :, 0]
        whole = np.eye(3, dtype=np.complex128)
        for step in steps:
            whole = step @ whole
        values, vectors = np.linalg.eig(whole)
        qubit = np.argsort(np.abs(vectors[2]))[:2]
        return abs(float(np.angle(values[qubit[0]] / values[qubit[1]])))

    # The angle folds back at pi: a pi pulse is extrapolated from two that turn a little less.
    def reaching(part: float) -> float:
        wanted = part * TURN * turns
        return float(brentq(lambda a: angle(a) - wanted, 0.7 * resonant, 1.03 * part * resonant, xtol=1e-12))

    return 2 * reaching(0.96) - reaching(0.92)


def _offers(values: Mapping[str, float]) -> dict[str, Offer]:
    return {name: Offer(name, value, 0.0, "", MEASURED_AT, "") for name, value in values.items()}
