"""What a Docker daemon leaves in the kernel when it ends: packet filter rules and bridges, taken out again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.cluster.errors import ClusterError
from tests.cluster.packages import program
from tests.cluster.process import run

_DOCKERS_OWN = re.compile(r"DOCKER|\bdocker0\b|\bbr-[0-9a-f]{12}\b")


@dataclass(frozen=True)
class Table:
    """One table of `iptables-save`: its chains with their policies (`-` for a user's own), and its rules."""

    chains: dict[str, str] = field(default_factory=dict)
    rules: tuple[str, ...] = ()


def parsed(saved: str) -> dict[str, Table]:
    """The tables of an `iptables-save`."""
    tables: dict[str, Table] = {}
    name, chains, rules = "", dict[str, str](), list[str]()
    for line in saved.splitlines():
        if line.startswith("*"):
            name, chains, rules = line[1:].strip(), {}, []
        elif line.startswith(":"):
            chain, policy = line[1:].split()[:2]
            chains[chain] = policy
        elif line.startswith("-A"):
            rules.append(line)
        elif line == "COMMIT":
            tables[name] = Table(chains, tuple(rules))
    return tables


def removals(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """The arguments to iptables, one line each, that take out what Docker added between two looks.

    Only what is new and bears Docker's marks goes: other programs change rules too. Rules go before chains, since a
    chain that something jumps to cannot be deleted.
    """
    rules, chains, policies = [], [], []
    for name, table in after.items():
        old = before.get(name, Table())
        rules += [
            f"-t {name} -D {rule.removeprefix('-A ')}"
            for rule in table.rules
            if rule not in old.rules and _DOCKERS_OWN.search(rule) and not rule.startswith("-A DOCKER")
        ]
        new = [chain for chain in table.chains if chain not in old.chains and chain.startswith("DOCKER")]
        rules += [f"-t {name} -F {chain}" for chain in new]
        chains += [f"-t {name} -X {chain}" for chain in new]
        # Docker drops what nobody asked it to forward; the policy it found comes back.
        policies += [
            f"-t {name} -P {chain} {old.chains.get(chain, 'ACCEPT')}"
            for chain, policy in table.chains.items()
            if chain == "FORWARD" and policy == "DROP" and old.chains.get(chain, "ACCEPT") == "ACCEPT"
        ]
    return rules + chains + policies


def saved() -> dict[str, str]:
    """The rules as they are now, of IPv4 and IPv6, as far as the machine has them."""
    found = {}
    for command in ("iptables", "ip6tables"):
        path = program(f"{command}-save")
        if path is not None:
            found[command] = run([path])
    return found


def restore(before: dict[str, str]) -> None:
    """Take out what Docker added since `before`. What is gone meanwhile is no matter."""
    for command, rules in saved().items():
        for arguments in removals(parsed(before.get(command, "")), parsed(rules)):
            _quietly([command, *_words(arguments)])


def remove_bridges(known: Sequence[str]) -> None:
    """Delete Docker's bridges that were not there before."""
    for name in bridges():
        if name not in known:
            _quietly(["ip", "link", "delete", name])


def bridges() -> list[str]:
    """Docker's bridges on this machine."""
    listing = run([program("ip") or "ip", "-oneline", "link", "show", "type", "bridge"])
    names = re.findall(r"^\d+: ([^:@]+)", listing, re.MULTILINE)
    return [name for name in names if _DOCKERS_OWN.search(name)]


def _words(arguments: str) -> list[str]:
    """Split a line of iptables-save, whose comments are quoted."""
    return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', arguments)]


def _quietly(command: Sequence[str]) -> None:
    try:
        run([program(command[0]) or command[0], *command[1:]])
    except ClusterError as error:
        print(error, flush=True)
