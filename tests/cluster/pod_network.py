"""The pods' network in a kind of our own node image, which has no network plug-in of its own: a bridge on every node,
and routes between the nodes."""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.cluster.docker import Docker
from tests.cluster.errors import ClusterError

POD_RANGE = "10.244.0.0/16"
_PLACE = "/etc/cni/net.d/10-bridge.conflist"


@dataclass(frozen=True)
class Node:
    """A node as the network sees it."""

    name: str
    address: str
    pod_range: str


def nodes_in(listed: str) -> list[Node]:
    """The nodes in what `kubectl get nodes -o json` prints.

    Raises:
        ClusterError: a node has no address or no range for its pods yet.
    """
    nodes = []
    for item in json.loads(listed)["items"]:
        name = item["metadata"]["name"]
        addresses = [each["address"] for each in item["status"].get("addresses", []) if each["type"] == "InternalIP"]
        pod_range = item["spec"].get("podCIDR")
        if not addresses or not pod_range:
            raise ClusterError(f"node {name!r} has no address or pod range yet: wait for the controller manager")
        nodes.append(Node(name, addresses[0], pod_range))
    return nodes


def plugin_configuration(pod_range: str) -> Mapping[str, Any]:
    """The network plug-ins' configuration of one node."""
    network = ipaddress.ip_network(pod_range)
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        # A pod may reach itself through its own Service.
        "hairpinMode": True,
        # Masquerading only what leaves the pods' range, below: pods must see each other's addresses.
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": str(network)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "bridge", "plugins": [bridge, ports]}


def commands_for(node: Node, nodes: Sequence[Node]) -> list[list[str]]:
    """What to run on a node. Twice does no harm: a node that was restarted has lost its routes."""
    masquerade = ["POSTROUTING", "-s", node.pod_range, "!", "-d", POD_RANGE, "-j", "MASQUERADE"]
    check, add = (" ".join(["iptables", "-t", "nat", flag, *masquerade]) for flag in ("-C", "-A"))
    routes = [
        ["ip", "route", "replace", other.pod_range, "via", other.address] for other in nodes if other.name != node.name
    ]
    return [["sh", "-c", f"{check} 2>/dev/null || {add}"], *routes]


def connect(docker: Docker, nodes: Sequence[Node]) -> None:
    """Give every node its network."""
    for node in nodes:
        for command in commands_for(node, nodes):
            docker.run("exec", node.name, *command)
        configuration = json.dumps(plugin_configuration(node.pod_range))
        docker.run("exec", "-i", node.name, "tee", _PLACE, given=configuration.encode())
