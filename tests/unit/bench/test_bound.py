"""Lower bounds of makespans, beside those that can be found by trying everything."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from kubecal.api.wires import Wire, WireKind, WireMode
from tests.bench.bound import Node, fractional_colouring, heaviest_clique

Edges = list[tuple[int, int]]


def _node(number: int) -> Node:
    return (str(number), "step")


def _wires(size: int, edges: Edges) -> dict[Node, tuple[Wire, ...]]:
    """Nodes that hold a wire of their own for each neighbour."""
    return {
        _node(one): tuple(
            Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, str(number)) for number, edge in enumerate(edges) if one in edge
        )
        for one in range(size)
    }


def _near(size: int, edges: Edges) -> dict[Node, set[Node]]:
    near: dict[Node, set[Node]] = {_node(one): set() for one in range(size)}
    for one, other in edges:
        near[_node(one)].add(_node(other))
        near[_node(other)].add(_node(one))
    return near


@pytest.mark.parametrize("seed", range(5))
def test_no_clique_is_heavier_than_the_one_that_is_found(seed: int) -> None:
    draw, size = random.Random(seed), 9
    edges = [edge for edge in combinations(range(size), 2) if draw.random() < 0.6]
    weights = {_node(one): draw.uniform(1, 10) for one in range(size)}
    near = _near(size, edges)
    cliques = (
        chosen
        for number in range(1, size + 1)
        for chosen in combinations(weights, number)
        if all(other in near[one] for one, other in combinations(chosen, 2))
    )
    heaviest = max(sum(weights[node] for node in clique) for clique in cliques)
    found = heaviest_clique(weights, near)
    assert all(other in near[one] for one, other in combinations(found, 2))
    assert sum(weights[node] for node in found) == pytest.approx(heaviest)


def test_five_in_a_ring_take_two_and_a_half_times_as_long_as_one() -> None:
    ring: Edges = [(one, (one + 1) % 5) for one in range(5)]
    weights = {_node(one): 10.0 for one in range(5)}
    assert fractional_colouring(weights, _wires(5, ring)) == pytest.approx(25.0, rel=0.005)


def test_the_colouring_is_never_below_the_clique_it_begins_with() -> None:
    triangle: Edges = [(0, 1), (1, 2), (0, 2), (2, 3)]
    weights = {_node(one): float(one + 1) for one in range(4)}
    clique = heaviest_clique(weights, _near(4, triangle))
    assert fractional_colouring(weights, _wires(4, triangle), clique) == pytest.approx(7.0, rel=0.005)


def test_those_that_share_a_wire_run_at_once_and_exclude_who_wants_it_alone() -> None:
    shared, alone = (Wire(mode, WireKind.MUX, "0") for mode in (WireMode.SHARED, WireMode.EXCLUSIVE))
    wires = {_node(0): (shared,), _node(1): (shared,), _node(2): (alone,)}
    assert fractional_colouring(dict.fromkeys(wires, 10.0), wires) == pytest.approx(20.0, rel=0.005)
