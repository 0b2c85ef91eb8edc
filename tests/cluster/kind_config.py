"""The configuration of the kind cluster: three nodes, and an API server that writes an audit log."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

INSTRUMENTS_LABEL = "kubecal.io/instruments"
INSTRUMENTS = "fridge-a"
"""The worker with this label is the one that is wired to the instruments."""

_POLICY = "/etc/kubernetes/audit-policy.yaml"
_LOGS = "/var/log/kubernetes"


def kind_config(audit: Path, policy: Path, *, own_network: bool) -> str:
    """The file for `kind create cluster`.

    Args:
        audit: folder on this machine that the audit log goes to.
        policy: file on this machine with the audit policy.
        own_network: whether the node image lacks kind's network plug-in.
    """
    mounts = [
        {"hostPath": str(audit), "containerPath": _LOGS},
        {"hostPath": str(policy), "containerPath": _POLICY, "readOnly": True},
    ]
    return yaml.safe_dump(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "networking": {"disableDefaultCNI": own_network, "ipFamily": "ipv4"},
            "nodes": [
                {
                    "role": "control-plane",
                    "extraMounts": mounts,
                    "kubeadmConfigPatches": [yaml.safe_dump(_audit_patch(), sort_keys=False)],
                },
                {"role": "worker", "labels": {INSTRUMENTS_LABEL: INSTRUMENTS}},
                {"role": "worker"},
            ],
        },
        sort_keys=False,
    )


def _audit_patch() -> Mapping[str, Any]:
    """The version of the API is the one that kind writes for this Kubernetes; a patch for another is passed over."""
    return {
        "apiVersion": "kubeadm.k8s.io/v1beta3",
        "kind": "ClusterConfiguration",
        "apiServer": {
            "extraArgs": {
                "audit-policy-file": _POLICY,
                "audit-log-path": f"{_LOGS}/audit.log",
                "audit-log-maxsize": "1000",
            },
            "extraVolumes": [
                _volume("audit-policy", _POLICY, "File", read_only=True),
                _volume("audit-logs", _LOGS, "DirectoryOrCreate", read_only=False),
            ],
        },
    }


def _volume(name: str, path: str, kind: str, *, read_only: bool) -> Mapping[str, Any]:
    return {"name": name, "hostPath": path, "mountPath": path, "pathType": kind, "readOnly": read_only}
