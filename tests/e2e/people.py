"""People with the chart's roles, and the cluster as they see it from their own computer."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from kubecal.cluster.lab import ClusterLab
from tests.e2e.lab import Lab

PEOPLE = "default"
"""Namespace of their accounts: people have no place in the lab's."""


def subjects() -> dict[str, list[dict[str, str]]]:
    """The chart's value ``people``: one of each kind."""
    roles = {"viewers": "viewer", "experimenters": "experimenter", "admins": "admin"}
    return {role: [{"kind": "ServiceAccount", "name": name, "namespace": PEOPLE}] for role, name in roles.items()}


def kubeconfig_of(lab: Lab, name: str) -> Path:
    """Of one of them, for a day."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": PEOPLE}}
    lab.cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump(account))
    return lab.cluster.service_account_kubeconfig(PEOPLE, name)


@contextlib.asynccontextmanager
async def seen_by(lab: Lab, name: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ClusterLab]:
    """The lab, as one of them sees it."""
    with monkeypatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig_of(lab, name)))
        patch.setenv("PATH", f"{lab.cluster.tools}:{os.environ['PATH']}")
        async with ClusterLab(namespace=lab.namespace) as place:
            yield place
