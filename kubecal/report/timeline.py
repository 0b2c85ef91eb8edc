"""Who ran when on which wire: a lane for each wire, a bar for each attempt that held it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from kubecal.api.wires import WireKind
from kubecal.reading.answers import Result

WIDTH = 1000.0
"""Of the lanes, from the session's first bar to its last."""
LANE = 22.0
BAR = 16.0
_FEWEST_TICKS = 4
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_KINDS = (WireKind.QUBIT.value, WireKind.CHIP.value, WireKind.MUX.value, WireKind.MODULE.value)
_WITHOUT = "without a wire"


@dataclass(frozen=True)
class Bar:
    """One attempt on one wire."""

    result: Result
    x: float
    width: float
    row: int
    """Of several at a time on one wire each has a row."""


@dataclass(frozen=True)
class Lane:
    """One wire with those who held it for themselves, and when others shared it."""

    kind: str
    id: str
    label: str
    bars: tuple[Bar, ...]
    shared: tuple[tuple[float, float], ...]
    """From where to where at least one shared it; spans that touch are one."""
    rows: int
    y: float

    @property
    def height(self) -> float:
        """Of all its rows."""
        return self.rows * LANE


@dataclass(frozen=True)
class Tick:
    """A moment that is written below the lanes."""

    x: float
    at: datetime


@dataclass(frozen=True)
class Timeline:
    """All lanes of some kinds, one below the other."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: float


@dataclass(frozen=True)
class Span:
    """From the first attempt's begin to the last one's end."""

    start: datetime
    end: datetime

    def place(self, moment: datetime) -> float:
        """Where a moment is drawn."""
        return WIDTH * (moment - self.start).total_seconds() / max((self.end - self.start).total_seconds(), 1e-3)


def span_of(results: Iterable[Result], now: datetime, zone: tzinfo) -> Span | None:
    """The time in which attempts ran, on the chip's clock; what runs still, runs until now. None: nothing ran."""
    began = [(result.started_at, result.ended_at or now) for result in results if result.started_at is not None]
    if not began:
        return None
    return Span(min(start for start, _ in began).astimezone(zone), max(end for _, end in began).astimezone(zone))


def timeline(results: Sequence[Result], span: Span, kinds: Sequence[str]) -> Timeline:
    """The lanes of wires of these kinds; what holds no wire at all is shown where the qubits are."""
    held: dict[tuple[str, str], list[Result]] = defaultdict(list)
    shared: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in _once_an_attempt(results):
        for mode, kind, identity in result.wires:
            if kind in kinds:
                (held if mode == "X" else shared)[kind, identity].append(result)
        if not result.wires and WireKind.QUBIT.value in kinds:
            held["", ""].append(result)
    lanes, y = [], 0.0
    for wire in sorted({*held, *shared}, key=_order):
        lane = _lane(wire, held[wire], shared[wire], span, y)
        lanes.append(lane)
        y += lane.height
    return Timeline(tuple(lanes), ticks(span), y)


def ticks(span: Span) -> tuple[Tick, ...]:
    """Round moments, at least four if the span is not shorter than that many seconds."""
    seconds = (span.end - span.start).total_seconds()
    step = max((each for each in _STEPS_S if each * _FEWEST_TICKS <= seconds), default=_STEPS_S[0])
    midnight = span.start.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(seconds=step * -(-(span.start - midnight).total_seconds() // step))
    found = []
    while at <= span.end:
        found.append(Tick(span.place(at), at))
        at += timedelta(seconds=step)
    return tuple(found)


def _once_an_attempt(results: Iterable[Result]) -> list[Result]:
    """A MUX or batch task has a result for each qubit and held its wires once; the worst one stands for all."""
    found: dict[tuple[str, str, str, int, int], Result] = {}
    for result in results:
        key = (result.step, result.task, result.target, result.ordinal, result.attempt)
        if result.started_at is not None and (key not in found or found[key].status == "completed"):
            found[key] = result
    return sorted(found.values(), key=lambda result: str(result.started_at))


def _lane(wire: tuple[str, str], held: Sequence[Result], shared: Sequence[Result], span: Span, y: float) -> Lane:
    ends: list[datetime] = []
    bars = []
    for result in held:
        start, end = _times(result, span)
        row = next((number for number, until in enumerate(ends) if until <= start), len(ends))
        ends[row : row + 1] = [end]
        x = span.place(start)
        bars.append(Bar(result, x, max(span.place(end) - x, 1.0), row))
    return Lane(
        kind=wire[0],
        id=wire[1],
        label=_label(wire),
        bars=tuple(bars),
        shared=_merged([_times(result, span) for result in shared], span),
        rows=max(1, len(ends)),
        y=y,
    )


def _times(result: Result, span: Span) -> tuple[datetime, datetime]:
    start = result.started_at or span.start
    return start, result.ended_at or span.end


def _merged(times: Iterable[tuple[datetime, datetime]], span: Span) -> tuple[tuple[float, float], ...]:
    spans: list[tuple[float, float]] = []
    for start, end in sorted(times):
        low, high = span.place(start), span.place(end)
        if spans and low <= spans[-1][1] + 0.5:
            spans[-1] = (spans[-1][0], max(spans[-1][1], high))
        else:
            spans.append((low, high))
    return tuple(spans)


def _label(wire: tuple[str, str]) -> str:
    kind, identity = wire
    return WireKind(kind).spoken(identity) if kind in _KINDS else _WITHOUT


def _order(wire: tuple[str, str]) -> tuple[int, int, str]:
    kind, identity = wire
    place = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
    return place, int(identity) if identity.isdigit() else 0, identity
