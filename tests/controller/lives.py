"""What the audit log says of pods: when each could drive its wires, and whether two ever could at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubecal.api.wires import Wire, conflicts, wires_from_json
from kubecal_operator import names
from tests.cluster.audit import AuditEvent


@dataclass
class Life:
    """One pod, from its creation to the end of its process; positions are resource versions."""

    name: str
    attempt: str
    """The annotation that says which attempt it is."""
    wires: tuple[Wire, ...]
    born: int
    died: int | None = None


def lives(events: Sequence[AuditEvent]) -> list[Life]:
    """Every task pod that was created, in order."""
    alive: dict[str, Life] = {}
    every: list[Life] = []
    # The log is written as answers are sent; whoever watches may act, and be answered, before that. The order
    # of writes is that of the versions they left.
    for event in sorted(events, key=lambda one: one.resource_version or 0):
        place = event.resource_version or 0
        if event.resource != "pods" or event.code >= 300:
            continue
        if event.verb == "create" and not event.subresource and event.response is not None:
            notes = event.response["metadata"].get("annotations", {})
            wires = wires_from_json(notes.get(names.ANNOTATION_WIRES, "[]"))
            life = Life(event.name, notes.get(names.ANNOTATION_ATTEMPT, ""), wires, place)
            alive[event.name] = life
            every.append(life)
        elif event.name in alive and _ended(event):
            alive.pop(event.name).died = place
    return every


def _ended(event: AuditEvent) -> bool:
    """Whether this write means that the pod's process is no more."""
    if event.subresource == "status":
        containers = (event.request or {}).get("status", {}).get("containerStatuses", ())
        return any("terminated" in one["state"] for one in containers)
    if event.verb != "delete":
        return False
    left: dict[str, Any] = dict(event.response or {})
    # The kubelet's deletion, or that of a pod no node had taken yet.
    return (event.request or {}).get("gracePeriodSeconds") == 0 or not left.get("spec", {}).get("nodeName")


def overlaps(every: Sequence[Life]) -> list[str]:
    """Pairs of pods that could have driven one wire at the same time: there must be none."""
    found = []
    for index, first in enumerate(every):
        for second in every[index + 1 :]:
            if (first.died is None or second.born < first.died) and conflicts(first.wires, second.wires):
                found.append(f"{second.name} was created while {first.name} was alive")
    return found
