"""The task pod: a pure function of what the engine decided and what the chart allows."""

from __future__ import annotations

import json
from typing import Any

from kubecal.api.request import (
    MONGODB_URI_FILE_VARIABLE,
    POD_UID_VARIABLE,
    REQUEST_VARIABLE,
    SCRATCH_VARIABLE,
    TERMINATION_LOG_VARIABLE,
)
from kubecal.api.wires import wires_to_json
from kubecal.engine.intents import CreatePod
from kubecal.engine.request import build_request
from kubecal_operator import names
from kubecal_operator.settings import Settings

Json = dict[str, Any]
"""A Kubernetes object; Any: any JSON."""

_DEADLINE_MARGIN_S = 30
"""The pod's parent process ends a task at its timeout; the kubelet only where that failed."""
_URI_FOLDER, _SCRATCH, _CREDENTIALS = "/etc/kubecal/mongodb", "/scratch", "/etc/kubecal/backend"
_TERMINATION_LOG = "/dev/termination-log"
_USER = 65532


def task_pod(create: CreatePod, settings: Settings) -> Json:
    """The pod of one attempt, at the level "restricted"."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(create),
        "spec": _spec(create, settings),
    }


def _metadata(create: CreatePod) -> Json:
    key = create.planned.key
    attempt = {
        "step": key.step,
        "task": key.task,
        "target": key.target,
        "ordinal": key.ordinal,
        "attempt": create.attempt,
    }
    return {
        "name": create.pod_name,
        "namespace": create.ref.namespace,
        "labels": {
            "app.kubernetes.io/name": "kubecal-task",
            names.LABEL_SESSION: create.ref.name,
            names.LABEL_SESSION_UID: create.ref.uid,
            names.LABEL_CHIP: create.chip.name,
            names.LABEL_TASK: key.task,
            names.LABEL_TARGET: key.target,
        },
        "annotations": {
            names.ANNOTATION_WIRES: wires_to_json(create.planned.wires),
            names.ANNOTATION_HARDWARE: create.chip_spec.hardware_id or f"{create.chip.namespace}/{create.chip.name}",
            names.ANNOTATION_ATTEMPT: json.dumps(attempt, separators=(",", ":")),
        },
        "ownerReferences": [
            {
                "apiVersion": f"{names.GROUP}/{names.VERSION}",
                "kind": "CalibrationSession",
                "name": create.ref.name,
                "uid": create.ref.uid,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


def _spec(create: CreatePod, settings: Settings) -> Json:
    pods = create.chip_spec.pods
    spec: Json = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": pods.termination_grace_period_seconds,
        "activeDeadlineSeconds": int(create.planned.timeout_s) + _DEADLINE_MARGIN_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(create, settings)],
        "volumes": _volumes(create, settings),
    }
    if settings.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.pull_secrets]
    if pods.node_selector:
        spec["nodeSelector"] = dict(pods.node_selector)
    if pods.tolerations:
        spec["tolerations"] = [one.model_dump(by_alias=True, exclude_defaults=True) for one in pods.tolerations]
    if pods.host_network:
        spec |= {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    if pods.resource_claims:
        spec["resourceClaims"] = [one.model_dump(by_alias=True, exclude_defaults=True) for one in pods.resource_claims]
    return spec


def _container(create: CreatePod, settings: Settings) -> Json:
    pods = create.chip_spec.pods
    resources: Json = pods.resources.model_dump(exclude_defaults=False)
    resources = {kind: amounts for kind, amounts in resources.items() if amounts}
    if pods.resource_claims:
        resources["claims"] = [{"name": one.name} for one in pods.resource_claims]
    mounts = [
        {"name": "mongodb", "mountPath": _URI_FOLDER, "readOnly": True},
        {"name": "scratch", "mountPath": _SCRATCH},
    ]
    if create.chip_spec.backend.secret_name:
        mounts.append({"name": "backend", "mountPath": _CREDENTIALS, "readOnly": True})
    return {
        "name": "task",
        "image": create.image,
        "imagePullPolicy": settings.pull_policy,
        "env": [
            {"name": REQUEST_VARIABLE, "value": build_request(create).to_json()},
            {"name": POD_UID_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
            {"name": MONGODB_URI_FILE_VARIABLE, "value": f"{_URI_FOLDER}/uri"},
            {"name": TERMINATION_LOG_VARIABLE, "value": _TERMINATION_LOG},
            {"name": SCRATCH_VARIABLE, "value": _SCRATCH},
            {"name": "HOME", "value": _SCRATCH},
        ],
        "terminationMessagePath": _TERMINATION_LOG,
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _volumes(create: CreatePod, settings: Settings) -> list[Json]:
    uri: Json = {"secretName": settings.mongodb_secret, "defaultMode": 0o440, "items": [{"key": "uri", "path": "uri"}]}
    volumes: list[Json] = [
        {"name": "mongodb", "secret": uri},
        {"name": "scratch", "emptyDir": {"sizeLimit": settings.scratch_size_limit}},
    ]
    if create.chip_spec.backend.secret_name:
        secret = {"secretName": create.chip_spec.backend.secret_name, "defaultMode": 0o440}
        volumes.append({"name": "backend", "secret": secret})
    return volumes
