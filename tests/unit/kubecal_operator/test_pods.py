"""The task pod, as manifests people can read beside what was decided."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from kubecal_operator.pods import task_pod
from tests.unit.kubecal_operator.builders import create_pod, golden, settings

INSTRUMENTS = {
    "backend": {"name": "fake", "secretName": "awg-credentials"},
    "hardwareId": "fridge-1",
    "pods": {
        "nodeSelector": {"kubecal.io/instruments": "fridge-a"},
        "tolerations": [{"key": "instruments", "operator": "Exists", "effect": "NoSchedule"}],
        "hostNetwork": True,
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
        "resourceClaims": [{"name": "digitizer", "resourceClaimName": "digitizer-0"}],
        "terminationGracePeriodSeconds": 120,
    },
}


@pytest.mark.parametrize(
    ("name", "chip", "changes"),
    [
        ("simulated", {}, {}),
        ("instruments", INSTRUMENTS, {"KUBECAL_TASK_IMAGE_PULL_SECRETS": "registry"}),
    ],
)
def test_pod_is_the_golden_one(name: str, chip: dict[str, Any], changes: dict[str, str]) -> None:
    made = task_pod(create_pod(**chip), settings(**changes))
    request = made["spec"]["containers"][0]["env"][0]
    # The request is one line of JSON; as a document it can be read.
    request["value"] = json.loads(request["value"])
    assert made == yaml.safe_load(golden(name).read_text())


def test_request_of_a_pod_stays_small_on_the_largest_chip() -> None:
    large = {"topology": {"squareLattice": {"rows": 32, "columns": 32, "muxSize": 4}}}
    made = task_pod(create_pod(**large), settings())
    assert len(made["spec"]["containers"][0]["env"][0]["value"]) < 8_000
