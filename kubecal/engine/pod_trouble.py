"""What keeps pods from being made, from starting or from ending, as sentences that say what to do."""

from __future__ import annotations

from kubecal.engine.model import CreateBlocked, PodView
from kubecal.engine.spoken import spoken

_REMEDIES = {
    "Unschedulable": (
        "no node takes pod {pod}",
        "make room, or correct nodeSelector, tolerations or resources in Chip.spec.pods",
    ),
    "ImagePull": (
        "the image of pod {pod} cannot be pulled",
        "correct tasks.image or imagePullSecrets in the values of the chart, or load the image",
    ),
    "MountFailed": (
        "a volume of pod {pod} cannot be mounted",
        "create in this namespace what the kubelet does not find",
    ),
}
_REFUSALS = {
    "QuotaExceeded": "raise the namespace's ResourceQuota, or wait until other pods have ended",
    "Forbidden": "change the policy that forbids it, or grant the operator the right that it lacks",
}


def cannot_start(pod: PodView) -> str:
    """A pod that exists and does not get to run; the scheduler's or kubelet's own text is in it."""
    what, remedy = _REMEDIES.get(pod.blocked_reason, ("pod {pod} does not start", "see kubectl describe pod"))
    return f"{what.format(pod=pod.name)}: {_plain(pod.blocked_message)}: {remedy}"


def refused(blocked: CreateBlocked) -> str:
    """Pods that the API server does not take; its own text is in it."""
    remedy = _REFUSALS.get(blocked.reason, "change what it names")
    return f"the API server takes no pod of this session: {_plain(blocked.message)}: {remedy}; it is tried again"


def starting(pod: PodView) -> str:
    """A pod that is on its way."""
    if not pod.node:
        return f"pod {pod.name} is not scheduled yet"
    return f"pod {pod.name} is starting on node {pod.node}"


def stuck(node: str, targets: list[str]) -> str:
    """Pods whose node is lost: nobody knows whether they still drive their lines."""
    return (
        f"node {node} does not answer and may still drive {spoken(targets)}: bring it back, or when it is "
        "off, taint it node.kubernetes.io/out-of-service"
    )


def _plain(text: str) -> str:
    """Without the stop at its end, since more follows."""
    return text.strip().rstrip(".") or "no reason is given"
