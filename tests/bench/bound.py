"""What no order of tasks can beat: the longest chain, the heaviest clique, and the fractional colouring.

A chain is done one task after another. Of a clique (tasks any two of which share a wire) never two run at once. And at
any moment those that run are an independent set of the conflict graph, so a session takes at least as long as a mix of
independent sets in which every task gets its time: its weighted fractional chromatic number. With prices y >= 0 of
which no independent set costs more than 1, the time of all tasks at these prices is a bound, whatever y is; the best y
is found by asking again and again for the dearest independent set (Kelley's cutting planes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from kubecal.api.wires import Wire, WireKind, WireMode, conflicts
from kubecal.engine.lanes import ways
from kubecal.engine.model import Plan, TaskKey

Node = tuple[str, str]
"""A target in a step: its tasks there hold the same wires."""
FloatArray = NDArray[np.float64]
_ROUNDS = 300
_CLOSE = 1.005
"""The search ends when so much at most is left to find."""
_FREE = 1e-6
"""What a node that costs nothing counts: sets that could take in another one refute less."""


@dataclass(frozen=True)
class Least:
    """The three, in seconds."""

    chain: float
    clique: float
    colouring: float

    @property
    def most(self) -> float:
        """What holds."""
        return max(self.chain, self.clique, self.colouring)


def bound(plan: Plan, takes: Mapping[TaskKey, float]) -> Least:
    """All three for a plan whose tasks take so many seconds."""
    weights, wires = _nodes(plan, takes)
    near = _conflicts(wires)
    chain = max(way.seconds for way in ways([(task.standing, takes[task.key]) for task in plan.tasks]))
    clique = heaviest_clique(weights, near)
    return Least(chain, sum(weights[node] for node in clique), fractional_colouring(weights, wires, clique))


def _nodes(plan: Plan, takes: Mapping[TaskKey, float]) -> tuple[dict[Node, float], dict[Node, tuple[Wire, ...]]]:
    """Targets in steps with the time they hold wires, and which wires those are."""
    weights: dict[Node, float] = defaultdict(float)
    wires: dict[Node, tuple[Wire, ...]] = {}
    for task in plan.tasks:
        if task.wires:
            node = (task.key.target, task.key.step)
            weights[node] += takes[task.key]
            wires[node] = task.wires
    return dict(weights), wires


def _conflicts(wires: Mapping[Node, tuple[Wire, ...]]) -> dict[Node, set[Node]]:
    near: dict[Node, set[Node]] = {node: set() for node in wires}
    for one, other in combinations(wires, 2):
        if conflicts(wires[one], wires[other]):
            near[one].add(other)
            near[other].add(one)
    return near


def heaviest_clique(weights: Mapping[Node, float], near: Mapping[Node, set[Node]]) -> tuple[Node, ...]:
    """The heaviest set of nodes any two of which are neighbours.

    Branch and bound: a colouring of the candidates says how heavy the rest can still become, since a clique has at most
    one node of each colour.
    """
    best: tuple[Node, ...] = ()
    most = 0.0

    def grow(members: tuple[Node, ...], weight: float, candidates: list[Node]) -> None:
        nonlocal best, most
        if weight > most:
            best, most = members, weight
        order, reach = _coloured(candidates, weights, near)
        for place in range(len(order) - 1, -1, -1):
            if weight + reach[place] <= most:
                return
            node = order[place]
            grow((*members, node), weight + weights[node], [one for one in order[:place] if one in near[node]])

    grow((), 0.0, list(weights))
    return best


def _coloured(
    candidates: Sequence[Node], weights: Mapping[Node, float], near: Mapping[Node, set[Node]]
) -> tuple[list[Node], list[float]]:
    """Candidates colour by colour, and what a clique among those up to each can weigh at most."""
    colours: list[list[Node]] = []
    for node in sorted(candidates, key=lambda one: -weights[one]):
        fits = next((colour for colour in colours if near[node].isdisjoint(colour)), None)
        if fits is None:
            colours.append([node])
        else:
            fits.append(node)
    order, reach, heaviest = [], [], 0.0
    for colour in colours:
        heaviest += weights[colour[0]]
        order += colour
        reach += [heaviest] * len(colour)
    return order, reach


def fractional_colouring(
    weights: Mapping[Node, float], wires: Mapping[Node, tuple[Wire, ...]], clique: Collection[Node] = ()
) -> float:
    """A lower bound of the weighted fractional chromatic number.

    Parameters
    ----------
    clique
        A heavy one: with its nodes at the price of 1 the search begins, and what it finds is no less.
    """
    nodes = list(weights)
    weight = np.array([weights[node] for node in nodes])
    packing = _packing(nodes, wires)
    sets = [np.eye(len(nodes))]
    best_prices = np.array([float(node in clique) for node in nodes])
    best = float(weight @ best_prices)
    for _ in range(_ROUNDS):
        solved = linprog(-weight, A_ub=np.vstack(sets), b_ub=np.ones(sum(map(len, sets))), method="highs")
        refuted_by_none = np.asarray(solved.x)
        if best >= float(weight @ refuted_by_none) / _CLOSE:
            break
        # Halfway between the best prices known and those that no set known refutes: either end alone swings to and fro.
        prices = (best_prices + refuted_by_none) / 2
        dearest = _dearest(prices, packing)
        cost = float(dearest @ prices)
        if float(weight @ prices) / cost > best:
            best, best_prices = float(weight @ prices) / cost, prices / cost
        sets.append(dearest[None, :])
    return best


def _packing(nodes: Sequence[Node], wires: Mapping[Node, tuple[Wire, ...]]) -> csr_array:
    """Rows of nodes of which one can run at a time: those that hold a wire alone, with each that shares it."""
    alone: dict[tuple[WireKind, str], list[int]] = defaultdict(list)
    shared: dict[tuple[WireKind, str], list[int]] = defaultdict(list)
    for place, node in enumerate(nodes):
        for wire in wires[node]:
            (alone if wire.mode is WireMode.EXCLUSIVE else shared)[wire.kind, wire.id].append(place)
    rows = {tuple(sorted({*those, *with_one})) for at, those in alone.items() for with_one in _each(shared[at])}
    at_row = [number for number, row in enumerate(rows) for _ in row]
    places = [place for row in rows for place in row]
    return csr_array((np.ones(len(places)), (at_row, places)), shape=(len(rows), len(nodes)))


def _each(shared: Sequence[int]) -> Sequence[tuple[int, ...]]:
    return [(one,) for one in shared] or [()]


def _dearest(prices: FloatArray, packing: csr_array) -> FloatArray:
    """The independent set that costs most, with all others that fit into it."""
    found = milp(
        -(prices + _FREE),
        integrality=np.ones(len(prices), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(packing, ub=1),
    )
    if found.x is None:
        raise AssertionError(f"no independent set was found: {found.message}")
    return np.asarray(np.round(found.x), dtype=np.float64)
