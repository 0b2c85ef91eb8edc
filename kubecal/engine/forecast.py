"""How a session would go if every task took its estimate and succeeded at once: the engine's own order in virtual time.

What may start is what a pass of a driver would start: everything before it has ended (:mod:`kubecal.engine.lanes`), its
wires are free (:mod:`kubecal.engine.claims`), and who goes first is :func:`kubecal.engine.order.by_heaviest_claims`. A
pass looks at every task; here thousands of ends follow each other, so after each only those are looked at that it can
have let go: what waited for it, and what wants a wire that it held. The order among those is the same as among all,
because it depends on nothing but who else wants the same wires.

Filters keep nothing back here: when every task succeeds everything comes through, and a target has been judged as soon
as its tasks before are done.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.claims import HeldWires
from kubecal.engine.lanes import EVERYTHING, Place
from kubecal.engine.model import Plan, PlannedTask, TaskKey
from kubecal.engine.order import by_heaviest_claims

_SAME_S = 1e-9
"""Sums of the same durations in another order."""


@dataclass(frozen=True, slots=True)
class Span:
    """One task in the forecast; seconds from the session's start."""

    task: PlannedTask
    ready_s: float
    """When everything that comes before it had ended."""
    begin_s: float
    end_s: float
    after: TaskKey | None = None
    """Whose end let it begin; None: it begins with the session."""
    wire: Wire | None = None
    """The wire it waited for; None: it waited for its turn in the order, or for a place under a limit."""

    @property
    def waited_s(self) -> float:
        """How long wires or limits kept it."""
        return self.begin_s - self.ready_s


@dataclass(frozen=True)
class Busy:
    """How long one wire is held."""

    kind: WireKind
    id: str
    seconds: float
    """By anybody, those that hold it at the same time counted once."""
    exclusive_s: float
    """By those that drive it, or use it alone."""


@dataclass(frozen=True)
class Forecast:
    """All tasks of a plan in the order in which they begin, those of parking last."""

    spans: tuple[Span, ...]

    @cached_property
    def total_s(self) -> float:
        """Until the last one has ended."""
        return max((span.end_s for span in self.spans), default=0.0)

    @cached_property
    def by_key(self) -> Mapping[TaskKey, Span]:
        """Every span under its task."""
        return {span.task.key: span for span in self.spans}

    @cached_property
    def critical(self) -> tuple[Span, ...]:
        """What the session's end waits for, first to last: each begins when the one before it ends."""
        found: list[Span] = []
        last = max(self.spans, key=lambda span: span.end_s, default=None)
        while last is not None:
            found.append(last)
            last = self.by_key[last.after] if last.after is not None else None
        return tuple(reversed(found))

    @cached_property
    def busy(self) -> tuple[Busy, ...]:
        """Every wire that is held, the busiest first; the chip as a whole is left out."""
        spans: dict[tuple[WireKind, str], list[tuple[float, float]]] = defaultdict(list)
        alone: Counter[tuple[WireKind, str]] = Counter()
        for span in self.spans:
            for wire in span.task.wires:
                spans[wire.kind, wire.id].append((span.begin_s, span.end_s))
                if wire.mode is WireMode.EXCLUSIVE:
                    alone[wire.kind, wire.id] += span.end_s - span.begin_s  # type: ignore[assignment]
        found = [
            Busy(kind, identity, covered_s(times), float(alone[kind, identity]))
            for (kind, identity), times in spans.items()
            if kind is not WireKind.CHIP
        ]
        return tuple(sorted(found, key=lambda one: (-one.seconds, one.kind, len(one.id), one.id)))

    def most_at_once(self, spans: Iterable[Span]) -> int:
        """How many of these run side by side at most."""
        # Who ends makes room for who begins at the same time.
        changes = sorted(
            change for span in spans for change in ((span.begin_s, 1, span.end_s), (span.end_s, 0, span.end_s))
        )
        most = now = 0
        for _, begins, _ in changes:
            now += 1 if begins else -1
            most = max(most, now)
        return most


def covered_s(times: Iterable[tuple[float, float]]) -> float:
    """How long at least one of these stretches lasts."""
    covered, until = 0.0, 0.0
    for begin, end in sorted(times):
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)
    return covered


def forecast(plan: Plan, takes: Mapping[TaskKey, float] | None = None, most_at_once: int = 0) -> Forecast:
    """How the session of a plan would go.

    Parameters
    ----------
    takes
        Seconds that tasks take, where that is not their estimate.
    most_at_once
        Most tasks at a time, as the chip's ``limits.maxParallelTasks``; 0: no limit.
    """
    takes = {} if takes is None else takes
    spans = _Course(plan, plan.tasks, takes, most_at_once).spans()
    if not any(span.task.wires for span in spans):
        # Where nothing is driven nothing is parked.
        return Forecast(spans)
    until = max(span.end_s for span in spans)
    last = max(spans, key=lambda span: span.end_s).task.key
    alone = Plan(tasks=plan.parking, chains={})
    parking = _Course(alone, plan.parking, takes, most_at_once).spans(until, last)
    return Forecast((*spans, *parking))


class _Course:
    """Tasks as they start and end in virtual time."""

    def __init__(
        self, plan: Plan, tasks: Iterable[PlannedTask], takes: Mapping[TaskKey, float], most_at_once: int
    ) -> None:
        self._plan, self._takes, self._most = plan, takes, most_at_once
        self._planned = {task.key: task for task in tasks}
        self._order = _Order(self._planned.values())
        self._barriers = _Barriers(plan, self._planned)
        self._held = HeldWires()
        self._heads: dict[tuple[WireKind, str], set[TaskKey]] = defaultdict(set)
        """Who wants or holds a wire, of those that nothing before keeps back."""
        self._waiting: dict[TaskKey, float] = {}
        """Since when."""
        self._limited = bool(most_at_once) or any(task.max_parallel for task in self._planned.values())
        self._by_step: Counter[str] = Counter()
        self._under_way: list[tuple[float, int, TaskKey]] = []
        self._spans: list[Span] = []

    def spans(self, now: float = 0.0, after: TaskKey | None = None) -> tuple[Span, ...]:
        """All tasks, from this moment on and behind this task."""
        self._come(self._order.begin(), now)
        self._start(list(self._waiting), [after] if after is not None else [], now)
        while self._under_way:
            now, ended = self._next()
            self._start(self._let_go(ended, now), ended, now)
        if self._waiting or len(self._spans) != len(self._planned):
            raise AssertionError("tasks wait for each other in a circle")
        return tuple(self._spans)

    def _next(self) -> tuple[float, list[TaskKey]]:
        now, _, key = heapq.heappop(self._under_way)
        ended = [key]
        while self._under_way and self._under_way[0][0] <= now + _SAME_S:
            ended.append(heapq.heappop(self._under_way)[2])
        return now, ended

    def _come(self, keys: Iterable[TaskKey], now: float) -> None:
        for key in keys:
            self._waiting[key] = now
            for wire in self._planned[key].wires:
                self._heads[wire.kind, wire.id].add(key)

    def _let_go(self, ended: Collection[TaskKey], now: float) -> Collection[TaskKey]:
        """End these; returns whom that may let begin."""
        touched: set[TaskKey] = set()
        whole = self._limited
        for key in ended:
            task = self._planned[key]
            self._held.let_go(str(key), task.wires)
            self._by_step[key.step] -= 1
            for wire in task.wires:
                self._heads[wire.kind, wire.id].discard(key)
            come = self._order.end(task)
            self._come(come, now)
            touched.update(come)
            whole = self._barriers.end(key) or whole
        if whole:
            return self._waiting.keys()
        for key in ended:
            for wire in self._planned[key].wires:
                if wire.kind is WireKind.CHIP:
                    return self._waiting.keys()
                touched |= self._heads[wire.kind, wire.id]
        # The chip as a whole is free only when nobody holds anything.
        touched |= self._heads[WireKind.CHIP, ""]
        return touched & self._waiting.keys()

    # ---------------------------------------------------------------- starting

    def _start(self, candidates: Collection[TaskKey], ended: Collection[TaskKey], now: float) -> None:
        ends = _Ends([self._planned[key] for key in ended if key in self._planned], next(iter(ended), None))
        free = [
            key
            for key in candidates
            if key.step not in self._barriers.closed and self._held.blocking(self._planned[key].wires) is None
        ]
        for key in self._in_turn(free):
            task = self._planned[key]
            if self._full(task) or self._held.blocking(task.wires) is not None:
                continue
            self._held.take(str(key), task.wires)
            self._by_step[key.step] += 1
            end = now + self._takes.get(key, task.duration_s)
            after, wire = ends.let(task, self._order.last_before.pop(key, None))
            self._spans.append(Span(task, self._waiting.pop(key), now, end, after, wire))
            heapq.heappush(self._under_way, (end, len(self._spans), key))

    def _in_turn(self, free: Collection[TaskKey]) -> Iterable[TaskKey]:
        """Those that may start, the most needed wires first; others that want the same wires count in that."""
        if len(free) < 2:
            return free
        wanted = {(wire.kind, wire.id) for key in free for wire in self._planned[key].wires}
        rivals = set(free).union(*(self._heads[wire] for wire in wanted))
        heads = sorted(rivals, key=self._plan.places.__getitem__)
        chosen = set(free)
        return [key for key in by_heaviest_claims(self._plan, self._planned, heads) if key in chosen]

    def _full(self, task: PlannedTask) -> bool:
        if self._most and len(self._under_way) >= self._most:
            return True
        return bool(task.max_parallel) and self._by_step[task.key.step] >= task.max_parallel


class _Ends:
    """Tasks that end at one moment, and what that makes room for."""

    def __init__(self, tasks: Iterable[PlannedTask], first: TaskKey | None) -> None:
        self._first = first
        """Named where none of them is the reason: who waits for a place under a limit waits for any."""
        self._wires: dict[tuple[WireKind, str], tuple[TaskKey, WireMode]] = {}
        self._keys: set[TaskKey] = set()
        for task in tasks:
            self._keys.add(task.key)
            for wire in task.wires:
                known = self._wires.get((wire.kind, wire.id))
                if known is None or known[1] is WireMode.SHARED:
                    self._wires[wire.kind, wire.id] = (task.key, wire.mode)

    def let(self, task: PlannedTask, before: TaskKey | None) -> tuple[TaskKey | None, Wire | None]:
        """Which of them a task that now begins has waited for, and on which wire.

        Parameters
        ----------
        before
            Which task was the last that had to end before it could begin.
        """
        if before in self._keys:
            return before, None
        for wire in task.wires:
            key, mode = self._wires.get((wire.kind, wire.id), (None, WireMode.SHARED))
            if key is not None and WireMode.EXCLUSIVE in (mode, wire.mode):
                return key, wire
        return self._first, None


class _Order:
    """How far every lane is done; the same rule as :class:`kubecal.engine.lanes.Open`, kept up to date end by end."""

    def __init__(self, tasks: Iterable[PlannedTask]) -> None:
        self._tasks = tuple(tasks)
        self._left: dict[str, Counter[int]] = defaultdict(Counter)
        for task in self._tasks:
            for lane, level in _places(task):
                self._left[lane][level] += 1
        self._levels = {lane: sorted(levels, reverse=True) for lane, levels in self._left.items()}
        """Levels on which something has not ended, the first last."""
        self._kept: dict[str, list[tuple[int, int, PlannedTask]]] = defaultdict(list)
        """Tasks that need a lane to be done up to a level, by lane."""
        self._count = 0
        self.last_before: dict[TaskKey, TaskKey] = {}
        """Which task was the last that had to end before another could."""

    def begin(self) -> list[TaskKey]:
        """Tasks with nothing before them."""
        return [task.key for task in self._tasks if self._ready(task)]

    def end(self, task: PlannedTask) -> list[TaskKey]:
        """End a task; returns those that now have nothing before them any more, in the plan's order."""
        found: list[PlannedTask] = []
        for lane, level in _places(task):
            self._left[lane][level] -= 1
            levels = self._levels[lane]
            if levels[-1] != level or self._left[lane][level]:
                continue
            while levels and not self._left[lane][levels[-1]]:
                levels.pop()
            kept = self._kept[lane]
            while kept and not self._misses(Place(lane, kept[0][0])):
                _, _, other = heapq.heappop(kept)
                if self._ready(other):
                    found.append(other)
                    self.last_before[other.key] = task.key
        return [one.key for one in found]

    def _ready(self, task: PlannedTask) -> bool:
        """Whether nothing is before it; else it is kept where the first thing is."""
        for place in task.standing.needs:
            if self._misses(place):
                self._count += 1
                heapq.heappush(self._kept[place.lane], (place.level, self._count, task))
                return False
        return True

    def _misses(self, place: Place) -> bool:
        levels = self._levels.get(place.lane)
        return levels is not None and bool(levels) and levels[-1] < place.level


def _places(task: PlannedTask) -> Iterable[Place]:
    return (*task.standing.on, Place(EVERYTHING, task.standing.level))


class _Barriers:
    """Steps that begin when all tasks of the steps before have ended."""

    def __init__(self, plan: Plan, tasks: Iterable[TaskKey]) -> None:
        self._plan = plan
        self._left = Counter(key.step for key in tasks)
        self.closed = self._closed()

    def end(self, key: TaskKey) -> bool:
        """A task has ended; whether that opened a step."""
        self._left[key.step] -= 1
        if self._left[key.step] or not self.closed:
            return False
        before, self.closed = self.closed, self._closed()
        return before != self.closed

    def _closed(self) -> frozenset[str]:
        closed, unfinished = set(), False
        for step in self._plan.steps:
            if unfinished and step in self._plan.barriers:
                closed.add(step)
            unfinished = unfinished or bool(self._left[step])
        return frozenset(closed)
