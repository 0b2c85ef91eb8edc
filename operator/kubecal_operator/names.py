"""Labels, annotations and paths: the operator's vocabulary on the API server."""

from __future__ import annotations

GROUP, VERSION = "kubecal.io", "v1alpha1"
SESSIONS, CHIPS = "calibrationsessions", "chips"
FINALIZER = "kubecal.io/session"
KOPF_FINALIZER = "kubecal.io/unused"
"""What kopf is told is its own; none of our handlers makes it set one."""

LABEL_SESSION = "kubecal.io/session"
LABEL_SESSION_UID = "kubecal.io/session-uid"
LABEL_CHIP = "kubecal.io/chip"
LABEL_TASK = "kubecal.io/task"
LABEL_TARGET = "kubecal.io/target"
ANNOTATION_WIRES = "kubecal.io/wires"
ANNOTATION_HARDWARE = "kubecal.io/hardware-id"
ANNOTATION_ATTEMPT = "kubecal.io/attempt"
"""JSON: step, task, target, ordinal, attempt."""
ANNOTATION_RELEASED = "kubecal.io/released"
"""Set to ``true`` by a person who knows that the process is dead."""
TASK_PODS = "app.kubernetes.io/name=kubecal-task"
"""Selects task pods."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def custom(namespace: str, plural: str, name: str, subresource: str = "") -> str:
    """Path of one of our objects."""
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{plural}/{name}"
    return f"{path}/{subresource}" if subresource else path


def pods(namespace: str, name: str = "") -> str:
    """Path of a pod, or of all."""
    return f"/api/v1/namespaces/{namespace}/pods" + (f"/{name}" if name else "")


def all_custom(namespace: str, plural: str) -> str:
    """Path of all our objects of a kind."""
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{plural}"


def events(namespace: str) -> str:
    """Path of a namespace's Events."""
    return f"/api/v1/namespaces/{namespace}/events"


def config_maps(namespace: str, name: str = "") -> str:
    """Path of a ConfigMap, or of all."""
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


def lease(namespace: str, name: str = "") -> str:
    """Path of a Lease, or of all."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases" + (f"/{name}" if name else "")
