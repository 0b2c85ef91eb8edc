"""What must be true before the operator acts, each with a sentence when it is not."""

from __future__ import annotations

import logging
import re

from kubecal.api.crds import CRD_VERSION, CRD_VERSION_ANNOTATION, GROUP
from kubecal_operator.client import ApiClient
from kubecal_operator.names import CHIPS, SESSIONS

_LOG = logging.getLogger(__name__)
OLDEST, NEWEST = 31, 37
"""Minor versions of Kubernetes 1 that are supported."""


class StartupError(Exception):
    """The operator cannot work here; the message says why and what to do."""


async def check_cluster(client: ApiClient) -> None:
    """Refuse a cluster that is too old, and kinds that are older than this operator.

    Raises
    ------
    StartupError
        With what to change.
    """
    version = await client.get("/version")
    minor = int(re.sub(r"\D.*", "", str(version["minor"])) or 0)
    if int(version["major"]) != 1 or minor < OLDEST:
        raise StartupError(
            f"this cluster is Kubernetes {version['gitVersion']}; kubecal needs 1.{OLDEST} to 1.{NEWEST}: upgrade it"
        )
    if minor > NEWEST:
        _LOG.warning("this cluster is Kubernetes %s, newer than this release was tried with", version["gitVersion"])
    for plural in (CHIPS, SESSIONS):
        name = f"{plural}.{GROUP}"
        meta = await client.get_metadata(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
        found = int(meta.get("annotations", {}).get(CRD_VERSION_ANNOTATION, "0"))
        if found < CRD_VERSION:
            raise StartupError(
                f"the CRD {name} has version {found}, this operator needs {CRD_VERSION}: "
                "apply the CRDs of this release (kubecal crds DIR; kubectl apply --server-side -f DIR)"
            )


async def driver_id(client: ApiClient, scope: str) -> str:
    """Which installation this is: the cluster, by the uid of kube-system, and the scope within it."""
    namespace = await client.get("/api/v1/namespaces/kube-system")
    return f"cluster:{namespace['metadata']['uid']}:{scope}"
