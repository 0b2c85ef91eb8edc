"""Kubeconfig files: how a program finds a cluster and who it is there."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_NAME = "kubecal"


def with_certificate(server: str, authority: bytes, certificate: bytes, key: bytes) -> str:
    """A kubeconfig of a user who has a certificate; all given as PEM."""
    user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
    return _rendered(server, _encoded(authority), user)


def with_token(admin: str, token: str) -> str:
    """A kubeconfig for the same cluster as an admin's, of the holder of a token."""
    cluster = yaml.safe_load(admin)["clusters"][0]["cluster"]
    return _rendered(cluster["server"], cluster["certificate-authority-data"], {"token": token})


def write(path: Path, content: str) -> Path:
    """Write a kubeconfig for nobody else to read."""
    path.touch(mode=0o600)
    path.write_text(content)
    return path


def _rendered(server: str, authority: str, user: Mapping[str, Any]) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": _NAME, "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": _NAME, "user": dict(user)}],
            "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
            "current-context": _NAME,
        },
        sort_keys=False,
    )


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
