import json
from typing import Any

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.pod_network import Node, commands_for, nodes_in, plugin_configuration

FIRST = Node("first", "172.18.0.2", "10.244.0.0/24")
SECOND = Node("second", "172.18.0.3", "10.244.1.0/24")


def listed(**changes: Any) -> str:
    item: dict[str, Any] = {
        "metadata": {"name": "first"},
        "spec": {"podCIDR": "10.244.0.0/24"},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": "first"},
                {"type": "InternalIP", "address": "172.18.0.2"},
            ]
        },
    }
    return json.dumps({"items": [{**item, **changes}]})


def test_nodes_are_read_from_what_kubectl_prints() -> None:
    assert nodes_in(listed()) == [FIRST]


@pytest.mark.parametrize("changes", [{"spec": {}}, {"status": {}}], ids=["no range", "no address"])
def test_a_node_that_is_not_ready_for_a_network_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(ClusterError, match="node 'first' has no address or pod range yet"):
        nodes_in(listed(**changes))


def test_a_node_masquerades_what_leaves_the_pods_and_routes_to_the_others() -> None:
    masquerade, *routes = commands_for(FIRST, [FIRST, SECOND])
    assert "-A POSTROUTING -s 10.244.0.0/24 ! -d 10.244.0.0/16 -j MASQUERADE" in masquerade[-1]
    assert routes == [["ip", "route", "replace", "10.244.1.0/24", "via", "172.18.0.3"]]


def test_the_bridge_gives_addresses_of_the_nodes_own_range() -> None:
    bridge, ports = plugin_configuration("10.244.1.0/24")["plugins"]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    assert (bridge["type"], ports["type"]) == ("bridge", "portmap")


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        plugin_configuration("nonsense")
