"""What a node's object says of the node."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal_operator.surroundings import Standing, standing

OUT = [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]


def node(ready: str, taints: list[dict[str, str]] | None = None) -> dict[str, Any]:
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"name": "worker"}, "spec": {"taints": taints or []}, "status": status}


@pytest.mark.parametrize(
    ("body", "answers", "out"),
    [
        (node("True"), True, False),
        (node("False"), False, False),
        (node("Unknown"), False, False),
        (node("Unknown", OUT), False, True),
        ({"metadata": {"name": "worker"}}, False, False),
    ],
)
def test_node_answers_or_is_out_of_service(body: dict[str, Any], answers: bool, out: bool) -> None:
    assert standing(body) == Standing("worker", answers, out)
