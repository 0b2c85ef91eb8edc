"""The kind Chip: a processor, its wiring, its backend and what its task pods may be. Written by the admin."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from kubecal.api.conditions import Condition
from kubecal.api.model import Model
from kubecal.api.topology import Coupling as TopologyCoupling
from kubecal.api.topology import Site, Topology, square_lattice

MAX_QUBITS = 1024
QubitId = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,4})$")]
CouplingId = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,4})-(0|[1-9][0-9]{0,4})$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", min_length=1, max_length=63)]


class SquareLattice(Model):
    """A square lattice of qubits coupled to their nearest neighbours."""

    rows: int = Field(ge=1, le=MAX_QUBITS)
    """Rows of qubits."""
    columns: int = Field(ge=1, le=MAX_QUBITS)
    """Columns of qubits."""
    mux_size: int = 4
    """Qubits on one readout line: 1, or 4 for 2 x 2 blocks."""

    @model_validator(mode="after")
    def _fits(self) -> SquareLattice:
        if self.rows * self.columns > MAX_QUBITS:
            raise ValueError(f"{self.rows} x {self.columns} is more than {MAX_QUBITS} qubits: make the lattice smaller")
        if self.mux_size not in (1, 4):
            raise ValueError(f"muxSize is 1 or 4, not {self.mux_size}")
        if self.mux_size == 4 and (self.rows % 2 or self.columns % 2):
            raise ValueError("muxSize 4 needs even rows and columns: use muxSize 1 or change them")
        return self


class Qubit(Model):
    """One qubit of an explicit topology."""

    id: QubitId
    """A decimal number as text."""
    x: int = Field(ge=0, le=MAX_QUBITS)
    """Column."""
    y: int = Field(ge=0, le=MAX_QUBITS)
    """Row."""
    mux: int = Field(ge=0, le=MAX_QUBITS)
    """The readout line the qubit is on."""


class Coupling(Model):
    """Two coupled qubits of an explicit topology, control first."""

    control: QubitId
    """The qubit that is driven in a cross-resonance gate."""
    target: QubitId
    """The qubit at whose frequency it is driven."""


class TopologySpec(Model):
    """Where the qubits are: a generator, or explicit lists."""

    square_lattice: SquareLattice | None = None
    """A square lattice, numbered MUX by MUX."""
    qubits: tuple[Qubit, ...] = Field(default=(), max_length=MAX_QUBITS)
    """Every qubit, where there is no generator."""
    couplings: tuple[Coupling, ...] = Field(default=(), max_length=4 * MAX_QUBITS)
    """Every coupling, where there is no generator."""

    @model_validator(mode="after")
    def _one_form(self) -> TopologySpec:
        if (self.square_lattice is None) == (not self.qubits):
            raise ValueError("give either squareLattice or qubits (with couplings)")
        if self.square_lattice is not None and self.couplings:
            raise ValueError("squareLattice makes its own couplings: remove couplings, or list qubits too")
        ids = [qubit.id for qubit in self.qubits]
        known = set(ids)
        if len(known) != len(ids):
            raise ValueError(f"qubit {next(one for one in ids if ids.count(one) > 1)} is listed twice: remove one")
        for coupling in self.couplings:
            for end in (coupling.control, coupling.target):
                if end not in known:
                    raise ValueError(
                        f"coupling {coupling.control}-{coupling.target} names qubit {end}, which is not listed"
                    )
        return self

    def resolve(self) -> Topology:
        """The sites and couplings, generated or as listed."""
        if self.square_lattice is not None:
            lattice = self.square_lattice
            return square_lattice(lattice.rows, lattice.columns, lattice.mux_size)
        return Topology(
            sites=tuple(Site(id=q.id, x=q.x, y=q.y, mux=q.mux) for q in self.qubits),
            couplings=tuple(TopologyCoupling(control=c.control, target=c.target) for c in self.couplings),
        )


class DesignValue(Model):
    """A parameter's designed value and how far off it may be."""

    value: float
    """In the catalogue's unit."""
    error: float | None = Field(default=None, ge=0)
    """One standard deviation, in the same unit."""


class Band(Model):
    """A range of frequencies in GHz."""

    min: float = Field(gt=0, le=100)
    """Lowest frequency (GHz)."""
    max: float = Field(gt=0, le=100)
    """Highest frequency (GHz)."""

    @model_validator(mode="after")
    def _ordered(self) -> Band:
        if self.min >= self.max:
            raise ValueError(f"min {self.min} must be below max {self.max}")
        return self


class Bands(Model):
    """Where the chip's frequencies lie."""

    qubit: Band | None = None
    """Qubits' transition frequencies."""
    readout: Band | None = None
    """Readout resonators' frequencies."""


class Design(Model):
    """What the chip was designed to be; read by tasks before anything was measured."""

    bands: Bands | None = None
    """Frequency bands; frequencies outside are unphysical."""
    qubits: dict[QubitId, dict[str, DesignValue]] = Field(default_factory=dict, max_length=MAX_QUBITS)
    """Parameters by qubit and name."""


class BackendSpec(Model):
    """What executes the pulse programs."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    """`fake`, or a backend registered under the entry point group kubecal.backends."""
    config: dict[str, Any] = Field(default_factory=dict, max_length=64)
    """The backend's own settings, checked by the backend's schema."""
    secret_name: str = Field(default="", max_length=253)
    """A Secret with the instruments' credentials, mounted into the task pods; empty: none."""


class Resources(Model):
    """Requests and limits of a task pod's container, as Kubernetes writes them."""

    requests: dict[str, int | str] = Field(default_factory=dict, max_length=16)
    """What the scheduler reserves."""
    limits: dict[str, int | str] = Field(default_factory=dict, max_length=16)
    """What the container may use at most."""


class Toleration(Model):
    """A taint the task pods tolerate, as in a pod."""

    key: str = Field(default="", max_length=317)
    """The taint's key."""
    operator: str = Field(default="Equal", pattern="^(Equal|Exists)$")
    """Equal or Exists."""
    value: str = Field(default="", max_length=63)
    """The taint's value, for Equal."""
    effect: str = Field(default="", pattern="^(|NoSchedule|PreferNoSchedule|NoExecute)$")
    """NoSchedule, PreferNoSchedule or NoExecute; empty: all."""
    toleration_seconds: int | None = Field(default=None, ge=0)
    """For NoExecute: how long."""


class ResourceClaim(Model):
    """A claim on a device (dynamic resource allocation), as in a pod."""

    name: str = Field(min_length=1, max_length=63)
    """Name within the pod."""
    resource_claim_name: str = Field(default="", max_length=253)
    """An existing ResourceClaim."""
    resource_claim_template_name: str = Field(default="", max_length=253)
    """A ResourceClaimTemplate."""

    @model_validator(mode="after")
    def _one(self) -> ResourceClaim:
        if bool(self.resource_claim_name) == bool(self.resource_claim_template_name):
            raise ValueError("give one of resourceClaimName and resourceClaimTemplateName")
        return self


class PodSettings(Model):
    """What task pods of this chip may be: no session can choose any of it."""

    node_selector: dict[str, str] = Field(default_factory=dict, max_length=16)
    """Labels of the node that is wired to the instruments."""
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=16)
    """Taints of that node."""
    host_network: bool = False
    """Use the node's network; needs a namespace that permits it."""
    resources: Resources = Resources(requests={"cpu": "200m", "memory": "256Mi"})
    """Requests and limits of each task pod."""
    resource_claims: tuple[ResourceClaim, ...] = Field(default=(), max_length=8)
    """Devices each task pod claims."""
    termination_grace_period_seconds: int = Field(default=60, ge=1, le=3600)
    """How long a task may take to stop and park its instruments."""


class Limits(Model):
    """What sessions on this chip may ask for."""

    max_parallel_tasks: int = Field(default=0, ge=0, le=10000)
    """Most tasks at a time; 0: as many as the wiring allows."""
    max_priority: int = Field(default=10, ge=0, le=1000)
    """Highest priority of a session."""
    max_session_seconds: int = Field(default=604800, ge=1, le=31536000)
    """Longest deadlines.sessionSeconds."""


class Disabled(Model):
    """Qubits and couplings that are left out of `all` and `muxes`, and refused when named."""

    qubits: tuple[QubitId, ...] = Field(default=(), max_length=MAX_QUBITS)
    """Qubit ids."""
    couplings: tuple[CouplingId, ...] = Field(default=(), max_length=4 * MAX_QUBITS)
    """Coupling ids, control-target."""
    reason: str = Field(default="", max_length=1024)
    """For people."""


class ChipSpec(Model):
    """The desired state of a Chip."""

    topology: TopologySpec
    """Qubits, MUXes and couplings."""
    hardware_id: str = Field(default="", max_length=128, pattern=r"^([A-Za-z0-9][A-Za-z0-9._/-]*)?$")
    """Lock domain; default namespace/name. Two Chips of one hardwareId exclude each other."""
    project_id: str = Field(default="default", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """With the chip's name the key of its records."""
    time_zone: str = Field(default="UTC", min_length=1, max_length=64)
    """IANA name; rolls execution ids and daily history."""
    disabled: Disabled = Disabled()
    """What is out of order."""
    design: Design | None = None
    """Values to begin with."""
    backend: BackendSpec
    """What executes the pulse programs."""
    pods: PodSettings = PodSettings()
    """What task pods may be."""
    limits: Limits = Limits()
    """What sessions may ask for."""
    maintenance: bool = False
    """True: running tasks finish, nothing new starts."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value != "UTC" and value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone: write one like Europe/Berlin or Asia/Tokyo")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.time_zone)


class Holder(Model):
    """A session that holds the chip."""

    uid: str
    """The session's uid."""
    session: str
    """Its name, with the namespace of the session."""
    scope: str = "Chip"
    """What is held."""
    since: datetime
    """Since when."""


class QueuedSession(Model):
    """A session that waits for the chip."""

    session: str
    """Its name."""
    position: int
    """1: next."""
    waits_for: str = ""
    """What it waits for."""


class ChipStatus(Model):
    """The observed state of a Chip, written by the operator."""

    observed_generation: int = 0
    """Generation of the spec this status speaks of."""
    conditions: tuple[Condition, ...] = ()
    """Valid."""
    holders: tuple[Holder, ...] = ()
    """Who holds the chip."""
    queue: tuple[QueuedSession, ...] = ()
    """Who waits, next first."""
