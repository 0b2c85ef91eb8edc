"""Which qubits and couplings a session and its steps mean. Nothing is never everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from kubecal.api.chip import ChipSpec
from kubecal.api.steps import Step
from kubecal.api.targets import CouplingTargets, Direction, Targets
from kubecal.api.topology import Coupling, Topology, describe_ids
from kubecal.engine.problems import PlanProblem


class Sort(StrEnum):
    """What a step's targets are."""

    QUBITS = auto()
    COUPLINGS = auto()
    CHIP = auto()


@dataclass(frozen=True)
class Chosen:
    """Targets of a session or a step, in the chip's order."""

    sort: Sort
    qubits: tuple[str, ...] = ()
    """The qubits; of couplings those at their ends."""
    couplings: tuple[Coupling, ...] = ()
    """Control first, as they are driven."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The targets as they are called."""
        if self.sort is Sort.CHIP:
            return ("chip",)
        return self.qubits if self.sort is Sort.QUBITS else tuple(coupling.id for coupling in self.couplings)


@dataclass(frozen=True)
class Grounds:
    """What targets are looked up in."""

    name: str
    """Of the chip."""
    spec: ChipSpec
    frequencies_ghz: Mapping[str, float]
    """Measured qubit_frequency by qubit, where it is known."""

    @property
    def topology(self) -> Topology:
        """Sites and couplings."""
        return self.spec.topology.resolve()

    @property
    def disabled(self) -> frozenset[str]:
        """Qubits out of order."""
        return frozenset(self.spec.disabled.qubits)


def session_targets(targets: Targets, grounds: Grounds) -> Chosen:
    """What ``spec.targets`` means.

    Raises
    ------
    PlanProblem
        If a name does not exist, is disabled, or nothing is left.
    """
    field = "spec.targets"
    if targets.chip:
        return Chosen(Sort.CHIP)
    if targets.couplings is None:
        return Chosen(Sort.QUBITS, tuple(_qubits(targets, grounds, field)))
    _check_qubits(targets.exclude.qubits, grounds, field)
    all_of_it = (site.id for site in grounds.topology.sites if site.id not in grounds.disabled)
    allowed = frozenset(all_of_it) - frozenset(targets.exclude.qubits)
    return _couplings(targets.couplings, allowed, grounds, f"{field}.couplings", "the chip's qubits")


def step_targets(step: Step, session: Chosen, grounds: Grounds, place: str) -> Chosen:
    """What a step means: the session's targets, narrowed, or couplings of its qubits, or the chip.

    Raises
    ------
    PlanProblem
        If it names what the session leaves out, or nothing is left.
    """
    targets, field = step.targets, f"{place}.targets"
    if targets is None:
        return session
    if targets.chip:
        return Chosen(Sort.CHIP)
    if session.sort is Sort.CHIP:
        raise PlanProblem(f"{field}: the session is about the chip as a whole: give spec.targets qubits or couplings")
    if targets.couplings is None:
        return Chosen(Sort.QUBITS, tuple(_narrowed(targets, session, grounds, field)))
    _check_qubits(targets.exclude.qubits, grounds, field)
    allowed = frozenset(session.qubits) - frozenset(targets.exclude.qubits)
    return _couplings(targets.couplings, allowed, grounds, f"{field}.couplings", "the session's qubits")


def _narrowed(targets: Targets, session: Chosen, grounds: Grounds, field: str) -> list[str]:
    own = _qubits(targets, grounds, field)
    within = frozenset(session.qubits)
    outside = [qubit for qubit in targets.qubits if qubit not in within]
    if outside:
        raise PlanProblem(
            f"{field} names qubit {', '.join(outside)}, which spec.targets leaves out: "
            "a step can only narrow the session's targets"
        )
    chosen = [qubit for qubit in own if qubit in within]
    if not chosen:
        raise PlanProblem(f"{field} has no qubit in common with spec.targets: correct one of them")
    return chosen


def _qubits(targets: Targets, grounds: Grounds, field: str) -> list[str]:
    """The qubits in the chip's order; disabled ones are left out of ``all`` and ``muxes``, and refused where named."""
    topology, disabled, chip = grounds.topology, grounds.disabled, grounds.name
    _check_qubits((*targets.qubits, *targets.exclude.qubits), grounds, field)
    for mux in targets.muxes:
        if mux not in topology.members_by_mux:
            there = describe_ids(str(one) for one in topology.members_by_mux)
            raise PlanProblem(f"chip {chip!r} has no MUX {mux} (it has {there}): correct {field}.muxes")
    named_disabled = [qubit for qubit in targets.qubits if qubit in disabled]
    if named_disabled:
        raise PlanProblem(
            f"qubit {', '.join(named_disabled)} of chip {chip!r} is disabled (Chip.spec.disabled): "
            f"remove it from {field}.qubits"
        )
    named, excluded = set(targets.qubits), set(targets.exclude.qubits)
    muxes = set(targets.muxes)
    chosen = [
        site.id
        for site in topology.sites
        if site.id not in excluded
        and (site.id in named or ((targets.all or site.mux in muxes) and site.id not in disabled))
    ]
    if not chosen:
        raise PlanProblem(f"no qubit of chip {chip!r} is left to calibrate: correct {field}")
    return chosen


def _check_qubits(qubits: Iterable[str], grounds: Grounds, field: str) -> None:
    for qubit in qubits:
        if qubit not in grounds.topology.site_by_id:
            raise PlanProblem(
                f"chip {grounds.name!r} has no qubit {qubit!r} (it has {grounds.topology.describe_ids()}): "
                f"correct {field}"
            )


# ---------------------------------------------------------------- couplings


def _couplings(wanted: CouplingTargets, allowed: frozenset[str], grounds: Grounds, field: str, whose: str) -> Chosen:
    """The couplings, in the direction in which they are driven."""
    disabled = frozenset(grounds.spec.disabled.couplings)
    if wanted.ids:
        listed = [_listed(identity, allowed, disabled, grounds, field) for identity in wanted.ids]
    else:
        listed = [
            coupling
            for coupling in grounds.topology.couplings
            if {coupling.control, coupling.target} <= allowed and coupling.id not in disabled
        ]
        if not listed:
            raise PlanProblem(f"{field}: there is no coupling between {whose}: correct the targets")
    directed = [_directed(coupling, wanted, grounds, field) for coupling in listed]
    ends = {qubit for coupling in listed for qubit in (coupling.control, coupling.target)}
    in_order = tuple(site.id for site in grounds.topology.sites if site.id in ends)
    return Chosen(Sort.COUPLINGS, in_order, tuple(directed))


def _listed(identity: str, allowed: frozenset[str], disabled: frozenset[str], grounds: Grounds, field: str) -> Coupling:
    """The coupling of an id that somebody wrote."""
    coupling = grounds.topology.coupling_by_id.get(identity)
    if coupling is None:
        control, target = identity.split("-")
        if f"{target}-{control}" in grounds.topology.coupling_by_id:
            raise PlanProblem(
                f"{field}.ids: chip {grounds.name!r} lists this coupling as {target}-{control}: write it so, and "
                "inverse: true to drive it the other way round"
            )
        near = sorted(grounds.topology.neighbours.get(control, ()), key=int)
        if control not in grounds.topology.site_by_id:
            hint = f"there is no qubit {control}"
        else:
            hint = f"qubit {control} is coupled to {', '.join(near) or 'no other'}"
        raise PlanProblem(f"{field}.ids: chip {grounds.name!r} has no coupling {identity!r} ({hint}): correct it")
    if identity in disabled:
        raise PlanProblem(
            f"coupling {identity} of chip {grounds.name!r} is disabled (Chip.spec.disabled): remove it from {field}.ids"
        )
    missing = [qubit for qubit in (coupling.control, coupling.target) if qubit not in allowed]
    if missing:
        why = "is disabled" if missing[0] in grounds.disabled else "does not belong to the targets"
        raise PlanProblem(f"{field}.ids: qubit {missing[0]} of coupling {identity} {why}: correct the targets")
    return coupling


def _directed(coupling: Coupling, wanted: CouplingTargets, grounds: Grounds, field: str) -> Coupling:
    """Control and target: as the chip lists them, or the lower frequency first; ``inverse`` exchanges them."""
    control, target = coupling.control, coupling.target
    if wanted.direction is Direction.FREQUENCY:
        known = grounds.frequencies_ghz
        unknown = [qubit for qubit in (control, target) if qubit not in known]
        if unknown:
            raise PlanProblem(
                f"{field}.direction is Frequency, and nothing is known of the frequency of qubit {unknown[0]}: run "
                "CheckChevron first, or set direction: Design"
            )
        control, target = sorted((control, target), key=lambda qubit: (known[qubit], int(qubit)))
    return Coupling(target, control) if wanted.inverse else Coupling(control, target)
