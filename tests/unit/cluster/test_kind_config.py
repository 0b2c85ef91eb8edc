from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.kind_config import kind_config


def config(*, own_network: bool = True) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(kind_config(Path("/a"), Path("/p.yaml"), own_network=own_network))
    return parsed


def test_there_is_one_worker_with_instruments_and_one_without() -> None:
    nodes = [(node["role"], node.get("labels")) for node in config()["nodes"]]
    assert nodes == [
        ("control-plane", None),
        ("worker", {"kubecal.io/instruments": "fridge-a"}),
        ("worker", None),
    ]


@pytest.mark.parametrize("own", [True, False])
def test_kinds_network_plug_in_is_off_exactly_when_the_image_lacks_it(own: bool) -> None:
    assert config(own_network=own)["networking"]["disableDefaultCNI"] is own


def test_the_audit_log_reaches_this_machine_through_node_and_pod() -> None:
    node = config()["nodes"][0]
    server = yaml.safe_load(node["kubeadmConfigPatches"][0])["apiServer"]
    mounted = {mount["containerPath"]: mount["hostPath"] for mount in node["extraMounts"]}
    volumes = {volume["mountPath"]: volume["hostPath"] for volume in server["extraVolumes"]}
    log, policy = server["extraArgs"]["audit-log-path"], server["extraArgs"]["audit-policy-file"]
    assert mounted[volumes[str(Path(log).parent)]] == "/a"
    assert mounted[volumes[policy]] == "/p.yaml"
