"""Which qubits a session and its steps mean. Nothing is never everything."""

from __future__ import annotations

from kubecal.api.targets import Targets
from kubecal.api.topology import Topology, describe_ids
from kubecal.engine.problems import PlanProblem


def select_qubits(targets: Targets, topology: Topology, disabled: frozenset[str], chip: str, field: str) -> list[str]:
    """The qubits in the chip's order.

    Disabled ones are left out of ``all`` and ``muxes``, and refused where they are named.

    Raises
    ------
    PlanProblem
        If a name does not exist, is disabled, or nothing is left.
    """
    known = topology.site_by_id
    for qubit in (*targets.qubits, *targets.exclude.qubits):
        if qubit not in known:
            raise PlanProblem(
                f"chip {chip!r} has no qubit {qubit!r} (it has {topology.describe_ids()}): correct {field}"
            )
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
