"""The API server's audit log: what it writes down, and how the tests read it.

It is how tests count an operator's writes, prove that no two pods ever drove one qubit, and see what RBAC refused.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_READS = ["get", "list", "watch"]
_LEASES = [{"group": "coordination.k8s.io"}]
_SERVERS = ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]

POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # Reads of any kind would be most of the log and tell nothing of what changed.
        {"level": "None", "verbs": _READS, "users": ["system:apiserver"]},
        {"level": "None", "verbs": ["watch"]},
        {
            "level": "RequestResponse",
            "verbs": ["create", "update", "patch", "delete", "deletecollection"],
            "resources": [
                {"group": "", "resources": ["pods", "pods/status", "pods/eviction", "pods/binding"]},
                {"group": "kubecal.io"},
            ],
        },
        # Kubernetes renews its own leases all the time; the operator's lease is of interest.
        {"level": "None", "userGroups": ["system:nodes"], "resources": _LEASES},
        {"level": "None", "users": _SERVERS, "resources": _LEASES},
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
        # Who was refused what is seen in reads too.
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class AuditEvent:
    """One answered request."""

    verb: str
    user: str
    user_agent: str
    code: int
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    time: str
    """When the answer was sent, RFC 3339 with microseconds."""

    resource_version: int | None
    """Of the object that the request left behind: the order of writes. None where the log has no response body."""

    request: Mapping[str, Any] | None
    response: Mapping[str, Any] | None


def policy_text() -> str:
    return yaml.safe_dump(POLICY, sort_keys=False)


def position(folder: Path) -> int:
    """Where the logs of a folder end now, to read on from there later. In bytes, over all files."""
    return sum(path.stat().st_size for path in folder.glob("audit*.log"))


def read_events(folder: Path, after: int = 0) -> list[AuditEvent]:
    """The events in the logs of a folder after a position, oldest first.

    A line that is being written is left for the next look. Files are never deleted, so that positions hold.
    """
    events: list[AuditEvent] = []
    for path in sorted(folder.glob("audit*.log"), key=_age):
        size = path.stat().st_size
        if after < size:
            events += _events(path, max(after, 0))
        after -= size
    return events


def created_pods(events: Iterable[AuditEvent], namespace: str) -> list[Mapping[str, Any]]:
    """Every pod that was created in a namespace, as the server answered: also those that are gone."""
    return [
        event.response
        for event in events
        if (event.resource, event.verb, event.subresource) == ("pods", "create", "")
        and event.namespace == namespace
        and event.code == 201
        and event.response is not None
    ]


def parse_event(line: str) -> AuditEvent:
    """One line of the log."""
    entry = json.loads(line)
    about = entry.get("objectRef") or {}
    response = entry.get("responseObject")
    version = ((response or {}).get("metadata") or {}).get("resourceVersion")
    return AuditEvent(
        verb=entry["verb"],
        user=entry["user"].get("username", ""),
        user_agent=entry.get("userAgent", ""),
        code=(entry.get("responseStatus") or {}).get("code", 0),
        group=about.get("apiGroup", ""),
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        # A created object's name may be the server's choice, and stands only in the answer then.
        name=about.get("name") or ((response or {}).get("metadata") or {}).get("name", ""),
        time=entry["stageTimestamp"],
        resource_version=int(version) if version else None,
        request=entry.get("requestObject"),
        response=response,
    )


def _events(path: Path, start: int) -> Iterator[AuditEvent]:
    with path.open("rb") as lines:
        # A position may lie in the midst of a line, if it was taken while the line was written: that line is new.
        if start > 0:
            lines.seek(start - 1)
            if lines.read(1) != b"\n":
                lines.seek(_line_start(path, start))
        for line in lines:
            if line.endswith(b"\n"):
                yield parse_event(line.decode())


def _line_start(path: Path, inside: int) -> int:
    """Where the line begins that goes on at a place in the file."""
    with path.open("rb") as file:
        return file.read(inside).rfind(b"\n") + 1


def _age(path: Path) -> tuple[bool, str]:
    """Rotated logs have their time in their name; the one being written has none and is the newest."""
    return path.name == "audit.log", path.name
