"""The kind Chip: a processor, its wiring, its backend and what its task pods may be. Written by the admin."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from kubecal.api.conditions import Condition
from kubecal.api.model import (
    Boolean,
    Integer,
    KubernetesObject,
    Matching,
    Model,
    Number,
    Unique,
    rule,
    unchangeable,
)
from kubecal.api.pods import PodSettings
from kubecal.api.topology import Coupling as TopologyCoupling
from kubecal.api.topology import Site, Topology, square_lattice

MAX_QUBITS = 1024
MAX_COUPLINGS = 4 * MAX_QUBITS

QubitId = Annotated[
    str,
    Field(max_length=5),
    Matching(r"0|[1-9][0-9]*", 'a qubit id is a number without leading zeros, in quotes: write "0" or "12"'),
]
CouplingId = Annotated[
    str,
    Field(max_length=11),
    Matching(
        r"(0|[1-9][0-9]*)-(0|[1-9][0-9]*)",
        'a coupling id is two qubit ids, control first, with a - between: write "0-1"',
    ),
]
CouplingIds = Annotated[tuple[CouplingId, ...], Field(max_length=MAX_COUPLINGS), Unique()]
QubitIds = Annotated[tuple[QubitId, ...], Field(max_length=MAX_QUBITS), Unique()]
Name = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(
        r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
        "write the name of an object: lower-case letters, digits, - and ., beginning and ending with a letter or digit",
    ),
]
SecretName = Annotated[
    str,
    Field(max_length=253),
    Matching(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?", "write the name of a Secret: lower-case letters, digits, - and ."),
]


class SquareLattice(Model):
    """A square lattice of qubits coupled to their nearest neighbours, numbered MUX by MUX."""

    rows: Integer = Field(ge=1, le=MAX_QUBITS)
    """Rows of qubits."""
    columns: Integer = Field(ge=1, le=MAX_QUBITS)
    """Columns of qubits."""
    mux_size: Literal[1, 4] = 4
    """Qubits on one readout line: 1, or 4 for blocks of 2 x 2, which need even rows and columns."""

    @rule(
        f"self.rows * self.columns <= {MAX_QUBITS}",
        f"rows x columns is more than {MAX_QUBITS} qubits: make the lattice smaller",
    )
    def _not_too_many(self) -> bool:
        return self.rows * self.columns <= MAX_QUBITS

    @rule(
        "self.muxSize != 4 || (self.rows % 2 == 0 && self.columns % 2 == 0)",
        "muxSize 4 needs even rows and columns: use muxSize 1 or change them",
    )
    def _whole_blocks(self) -> bool:
        return self.mux_size != 4 or (self.rows % 2 == 0 and self.columns % 2 == 0)


class Qubit(Model):
    """One qubit of an explicit topology."""

    id: QubitId
    """A decimal number as text."""
    x: Integer = Field(ge=0, le=MAX_QUBITS)
    """Column, from 0."""
    y: Integer = Field(ge=0, le=MAX_QUBITS)
    """Row, from 0. Write "y" in quotes: kubectl takes a bare y for true."""
    mux: Integer = Field(ge=0, le=MAX_QUBITS)
    """The readout line the qubit is on, from 0."""


class Coupling(Model):
    """Two coupled qubits of an explicit topology, control first."""

    control: QubitId
    """The qubit that is driven in a cross-resonance gate."""
    target: QubitId
    """The qubit at whose frequency it is driven."""

    @rule("self.control != self.target", "a qubit is not coupled to itself: correct control or target")
    def _two_qubits(self) -> bool:
        return self.control != self.target


class TopologySpec(Model):
    """Where the qubits are: a generator, or explicit lists."""

    square_lattice: SquareLattice | None = None
    """A square lattice; makes qubits and couplings itself."""
    qubits: Annotated[tuple[Qubit, ...], Field(max_length=MAX_QUBITS), Unique(("id",))] = ()
    """Every qubit, where there is no generator."""
    couplings: Annotated[tuple[Coupling, ...], Field(max_length=MAX_COUPLINGS), Unique(("control", "target"))] = ()
    """Every coupling, where there is no generator."""

    @rule(
        "has(self.squareLattice) != (has(self.qubits) && size(self.qubits) > 0)",
        "give either squareLattice or qubits (with couplings)",
    )
    def _one_form(self) -> bool:
        return (self.square_lattice is None) != (not self.qubits)

    @rule(
        "!has(self.squareLattice) || !has(self.couplings) || size(self.couplings) == 0",
        "squareLattice makes its own couplings: remove couplings, or list qubits too",
    )
    def _couplings_belong_to_qubits(self) -> bool:
        return self.square_lattice is None or not self.couplings

    @model_validator(mode="after")
    def _consistent(self) -> TopologySpec:
        """What would cost CEL a comparison of all with all; the operator says it in the Chip's conditions."""
        known = {qubit.id for qubit in self.qubits}
        for coupling in self.couplings:
            for end in (coupling.control, coupling.target):
                if end not in known:
                    raise ValueError(
                        f"coupling {coupling.control}-{coupling.target} names qubit {end}, which is not listed: "
                        "correct the coupling or list the qubit"
                    )
        places = Counter((qubit.x, qubit.y) for qubit in self.qubits)
        if places and places.most_common(1)[0][1] > 1:
            (x, y), _ = places.most_common(1)[0]
            there = " and ".join(qubit.id for qubit in self.qubits if (qubit.x, qubit.y) == (x, y))
            raise ValueError(f"qubits {there} are in the same place (x {x}, y {y}): correct x or y")
        pairs = Counter(frozenset((coupling.control, coupling.target)) for coupling in self.couplings)
        if pairs and pairs.most_common(1)[0][1] > 1:
            first, second = sorted(pairs.most_common(1)[0][0], key=int)
            raise ValueError(f"qubits {first} and {second} are coupled twice: remove one of the couplings")
        return self

    def resolve(self) -> Topology:
        """The sites and couplings, generated or as listed."""
        return self._resolved

    @cached_property
    def _resolved(self) -> Topology:
        # Every pod's request is cut out of it: made once, not once a pod.
        if self.square_lattice is not None:
            lattice = self.square_lattice
            return square_lattice(lattice.rows, lattice.columns, lattice.mux_size)
        return Topology(
            sites=tuple(Site(id=q.id, x=q.x, y=q.y, mux=q.mux) for q in self.qubits),
            couplings=tuple(TopologyCoupling(control=c.control, target=c.target) for c in self.couplings),
        )


class DesignValue(Model):
    """A parameter's designed value and how far off it may be."""

    value: Number
    """In the catalogue's unit."""
    error: Number | None = Field(default=None, ge=0)
    """One standard deviation, in the same unit."""


class Band(Model):
    """A range of frequencies in GHz."""

    min: Number = Field(gt=0, le=100)
    """Lowest frequency (GHz)."""
    max: Number = Field(gt=0, le=100)
    """Highest frequency (GHz)."""

    @rule("self.min < self.max", "min must be below max: exchange or correct them")
    def _ordered(self) -> bool:
        return self.min < self.max


class Bands(Model):
    """Where the chip's frequencies lie."""

    qubit: Band | None = None
    """Qubits' transition frequencies."""
    readout: Band | None = None
    """Readout resonators' frequencies."""


DesignValues = Annotated[
    dict[Annotated[str, Field(max_length=63)], DesignValue],
    Field(max_length=64),
]
"""Values by parameter name."""


class Design(Model):
    """What the chip was designed to be; read by tasks before anything was measured."""

    bands: Bands | None = None
    """Frequency bands; frequencies outside are unphysical."""
    qubits: dict[QubitId, DesignValues] = Field(default_factory=dict, max_length=MAX_QUBITS)
    """Parameters by qubit and name, like {"0": {qubit_frequency: {value: 4.91, error: 0.002}}}."""
    couplings: dict[CouplingId, DesignValues] = Field(default_factory=dict, max_length=MAX_COUPLINGS)
    """Parameters by coupling and name."""


ModuleId = Annotated[
    str,
    Field(min_length=1, max_length=63),
    Matching(
        r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", "write the name of a module: letters, digits, -, _ and ., like R1"
    ),
]
Modules = Annotated[tuple[ModuleId, ...], Field(max_length=16), Unique()]


class MuxWiring(Model):
    """The instruments of one MUX."""

    id: Integer = Field(ge=0, le=MAX_QUBITS)
    """The MUX."""
    readout: Modules = ()
    """Modules that read its qubits out."""
    control: Modules = ()
    """Modules that drive its qubits."""
    exclusive: Boolean | None = None
    """True: one task at a time on each of these modules; default true for instruments, false on a simulated chip."""


class Wiring(Model):
    """Which modules (boxes) of the instruments serve which MUX. Ids are global: chips may share modules."""

    muxes: Annotated[tuple[MuxWiring, ...], Field(max_length=MAX_QUBITS), Unique(("id",))] = ()
    """MUXes that are not listed hold no module."""

    @cached_property
    def modules(self) -> frozenset[str]:
        """All modules that the chip is wired to."""
        return frozenset(module for wired in self.muxes for module in (*wired.readout, *wired.control))


class BackendSpec(Model):
    """What executes the pulse programs."""

    name: Annotated[
        str,
        Field(max_length=63),
        Matching(r"[a-z][a-z0-9-]*", "write the name of a backend: lower-case letters, digits and -, like fake"),
    ]
    """`fake`, or a backend registered under the entry point group kubecal.backends."""
    config: dict[str, Any] = Field(default_factory=dict, max_length=64)
    """The backend's own settings, checked by the backend's schema."""
    secret_name: SecretName = ""
    """A Secret with the instruments' credentials, mounted into the task pods; empty: none."""


class Limits(Model):
    """What sessions on this chip may ask for."""

    max_parallel_tasks: Integer = Field(default=0, ge=0, le=10000)
    """Most tasks at a time; 0: as many as the wiring allows."""
    max_priority: Integer = Field(default=10, ge=0, le=1000)
    """Highest priority of a session."""
    max_session_seconds: Integer = Field(default=604800, ge=1, le=31536000)
    """Longest deadlines.sessionSeconds."""
    max_idle_seconds: Integer = Field(default=7200, ge=1, le=604800)
    """Longest idleSeconds of an open session."""


class Disabled(Model):
    """What is left out of `all`, `muxes` and `auto`, and refused when named."""

    qubits: QubitIds = ()
    """Qubit ids; their couplings are left out too."""
    couplings: CouplingIds = ()
    """Couplings as the topology lists them."""
    reason: str = Field(default="", max_length=1024)
    """For people."""


class ChipSpec(Model):
    """The desired state of a Chip."""

    topology: TopologySpec
    """Qubits, MUXes and couplings. Cannot be changed while a session holds the chip."""
    wiring: Wiring = Wiring()
    """Modules of the instruments. Cannot be changed while a session holds the chip."""
    hardware_id: Annotated[
        str,
        Field(max_length=128),
        Matching(r"([A-Za-z0-9][A-Za-z0-9._/-]*)?", "write letters, digits, ., _, / and -, like lab/fridge-a"),
    ] = ""
    """Lock domain; default namespace/name. Two Chips of one hardwareId exclude each other."""
    project_id: Annotated[
        str,
        Field(min_length=1, max_length=63),
        Matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "write letters, digits, ., _ and -, like default"),
    ] = "default"
    """With the chip's name the key of its records."""
    cooldown: Annotated[
        str,
        Field(max_length=63),
        Matching(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", "write letters, digits, -, _ and ., like 2026-11"),
    ] = ""
    """Name of the present cool-down; a new one makes values measured before it mere priors."""
    time_zone: str = Field(default="UTC", min_length=1, max_length=64)
    """IANA name like Europe/Berlin; rolls execution ids and daily history."""
    disabled: Disabled = Disabled()
    """What is out of order and left out."""
    design: Design | None = None
    """What the chip was designed to be: values to begin with, before anything was measured."""
    backend: BackendSpec
    """What executes the pulse programs. Cannot be changed while a session holds the chip."""
    pods: PodSettings = PodSettings()
    """What task pods of this chip may be; no session can choose any of it."""
    limits: Limits = Limits()
    """What sessions may ask for."""
    maintenance: Boolean = False
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


class ParameterCounts(Model):
    """How many of the chip's published parameters still hold; each counts once."""

    calibrated: int = 0
    """Of the present cool-down, not too old, and made of inputs that are still what they were."""
    stale: int = 0
    """Of another cool-down, or older than their maxAge."""
    moved: int = 0
    """Not stale, but made with an input that has changed since by more than its drift allowance."""


class ChipStatus(Model):
    """The observed state of a Chip, written by the operator."""

    observed_generation: int = 0
    """Generation of the spec this status speaks of."""
    conditions: Annotated[tuple[Condition, ...], Unique(("type",))] = ()
    """Valid."""
    holders: Annotated[tuple[Holder, ...], Unique(("uid",))] = ()
    """Who holds the chip."""
    queue: tuple[QueuedSession, ...] = ()
    """Who waits, next first."""
    parameters: ParameterCounts | None = None
    """What its published parameters are worth; counted when a session ends, and every quarter of an hour."""


class Chip(KubernetesObject):
    """A quantum processor: its qubits, what executes pulse programs on it, and what its task pods may be."""

    transitions: ClassVar = unchangeable(
        ("topology", "wiring", "backend", "hardwareId"),
        "cannot be changed while a session holds the chip: wait for its end or cancel it",
        unless="!has(oldSelf.status) || !has(oldSelf.status.holders) || size(oldSelf.status.holders) == 0",
        path="spec",
    )

    kind: Literal["Chip"] = "Chip"
    """Always Chip."""
    spec: ChipSpec
    """The desired state."""
    status: ChipStatus = ChipStatus()
    """The observed state, written by the operator."""
