"""The page: everything put in the order in which it is read, and written by the templates beside this file."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kubecal import __version__
from kubecal.api.wires import WireKind
from kubecal.reading.answers import Result
from kubecal.reading.attempts import last_attempts
from kubecal.reading.order import in_plan_order
from kubecal.reading.quantities import duration, spoken
from kubecal.report.attempts import COMPLETED, FAILED, state_of
from kubecal.report.cards import Card, Cards, cards_of, target_anchor
from kubecal.report.chip_map import ChipMap, chip_map, for_script
from kubecal.report.figures import Shelf
from kubecal.report.manifests import in_line, manifests
from kubecal.report.material import Material
from kubecal.report.parameters import Kind, Parameter, Value, parameters_of
from kubecal.report.scale import STOPS
from kubecal.report.timeline import Timeline, span_of, timeline

TEMPLATES = Path(__file__).parent / "templates"
OPEN_CARDS = 60
"""A page with no more attempts than that is shown unfolded."""
OPEN_FAILURES = 24
"""Failures that are shown at once; the others are unfolded by whoever wants them."""
MOST_CHANGES = 20
_MICROSECONDS = re.compile(r"\bus\b")
_SEGMENTS = ("succeeded", "failed", "skipped", "cancelled")
_WORDS = {"succeeded": "ok"}
_OF_TASKS = "failed on "
"""How a session's message begins where it repeats what its tasks say."""
_PUBLISHING = {"Review": "after a review", "Never": "never"}


@dataclass(frozen=True)
class Segment:
    """A part of the tasks, of the bar at the top."""

    name: str
    words: str
    """``3 failed``."""
    start: float
    """Per cent."""
    width: float


@dataclass(frozen=True)
class Page:
    """What the templates are given."""

    material: Material
    headline: str
    segments: tuple[Segment, ...]
    cards: Cards
    chip: ChipMap | None
    parameters: tuple[Parameter, ...]
    changes: tuple[tuple[Parameter, Value], ...]
    timeline: Timeline | None
    """Qubits, and the chip as a whole."""
    rest: Timeline | None
    """MUXes and modules."""
    manifests: str
    packed_figures: int

    @property
    def unfolded(self) -> bool:
        """Whether it is short enough to be shown whole."""
        return sum(len(target.cards) for target in self.cards.targets) <= OPEN_CARDS

    @property
    def message(self) -> str:
        """What the session says of itself, unless the headline or the failures below say it already."""
        said = self.material.detail.message
        return "" if said in self.headline or (self.cards.failed and said.startswith(_OF_TASKS)) else said

    @property
    def fresh_parameters(self) -> tuple[Parameter, ...]:
        """What this session found of qubits and couplings, whatever came of it."""
        return tuple(one for one in self._measured_parameters if one.kind is not Kind.SETTING)

    @property
    def settings(self) -> tuple[Parameter, ...]:
        """What it found besides, of fits and of the readout."""
        return tuple(one for one in self._measured_parameters if one.kind is Kind.SETTING)

    @property
    def _measured_parameters(self) -> tuple[Parameter, ...]:
        return tuple(one for one in self.parameters if any(value.result is not None for value in one.values))

    @property
    def earlier_parameters(self) -> tuple[Parameter, ...]:
        """Those that it did not touch."""
        return tuple(one for one in self.parameters if all(value.result is None for value in one.values))

    @cached_property
    def measured(self) -> frozenset[str]:
        """Qubits and couplings that have a part of the page."""
        return frozenset(target.qid for target in self.cards.targets)

    @property
    def publishing(self) -> str:
        """What becomes of the values where it is not the usual; empty: they are published as they succeed."""
        return _PUBLISHING.get(str(self.material.detail.session_spec.get("publish")), "")

    @property
    def ran(self) -> tuple[Result, ...]:
        """Every attempt that began, in that order."""
        began = [result for result in self.material.results if result.started_at is not None]
        return tuple(sorted(began, key=lambda result: str(result.started_at)))

    @property
    def shown_failures(self) -> tuple[Card, ...]:
        """Those that are shown at once."""
        return self.cards.failed[:OPEN_FAILURES]

    @property
    def folded_failures(self) -> tuple[Card, ...]:
        """The others."""
        return self.cards.failed[OPEN_FAILURES:]


def render(material: Material) -> Iterator[str]:
    """The page's HTML, piece by piece."""
    page = page_of(material)
    style, script = (_source(name) for name in ("style.css", "script.js"))
    return (
        _environment(material)
        .get_template("report.html")
        .generate(
            page=page,
            material=material,
            detail=material.detail,
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            choices=for_script(page.chip) if page.chip is not None else [],
            version=__version__,
        )
    )


def page_of(material: Material) -> Page:
    """Everything that is shown."""
    results = material.results
    shelf = Shelf(material.figures)
    cards = cards_of(in_plan_order(results, material.detail.session_spec), shelf, material.kinds)
    parameters = parameters_of(results, material.parameters, material.kinds)
    changes = [(parameter, value) for parameter in parameters for value in parameter.notable]
    changes.sort(key=lambda one: -abs(one[1].change.sigmas if one[1].change else 0.0))
    span = span_of(results, material.made_at, material.zone)
    main = timeline(results, span, (WireKind.QUBIT, WireKind.CHIP)) if span is not None else None
    rest = timeline(results, span, (WireKind.MUX, WireKind.MODULE)) if span is not None else None
    counts = counts_of(material)
    return Page(
        material=material,
        headline=headline(material, counts),
        segments=segments(counts),
        cards=cards,
        chip=chip_map(material.detail, results, parameters),
        parameters=parameters,
        changes=tuple(changes),
        timeline=main,
        rest=rest if rest is not None and rest.lanes else None,
        manifests=manifests(material.detail, material.namespace),
        packed_figures=shelf.packed,
    )


def counts_of(material: Material) -> dict[str, int]:
    """How the tasks ended: as the execution counts them, else as its results tell."""
    # While it runs nobody counts them yet.
    if material.detail.counts.get("planned") and not material.running:
        return dict(material.detail.counts)
    last = last_attempts(material.results)
    names = {COMPLETED: "succeeded", FAILED: "failed"}
    return {**Counter(names.get(result.status, result.status) for result in last), "planned": len(last)}


def headline(material: Material, counts: dict[str, int]) -> str:
    """``22 of 24 tasks ok, 2 failed, in 1 min 44 s``."""
    planned, ok = counts.get("planned", 0), counts.get("succeeded", 0)
    detail = material.detail
    if not planned:
        return "no task was planned"
    tasks = "task" if planned == 1 else "tasks"
    parts = [f"{'all ' if ok == planned > 1 else '' if ok == planned else f'{ok} of '}{planned} {tasks} ok"]
    parts += [f"{counts[name]} {name}" for name in _SEGMENTS[1:] if counts.get(name)]
    text = ", ".join(parts)
    end = detail.ended_at or (material.made_at if material.running else None)
    if detail.started_at is None or end is None:
        return text
    took = duration((end - detail.started_at).total_seconds())
    return f"{text}, after {took}" if material.running else f"{text}, in {took}"


def segments(counts: dict[str, int]) -> tuple[Segment, ...]:
    """The parts of the bar, from what is ok to what did not run."""
    planned = max(counts.get("planned", 0), 1)
    found, start = [], 0.0
    for name in _SEGMENTS:
        number = counts.get(name, 0)
        if number:
            width = 100 * number / planned
            found.append(Segment(name, f"{number} {_WORDS.get(name, name)}", start, width))
            start += width
    return tuple(found)


def _environment(material: Material) -> Environment:
    # Whatever pods and people wrote is escaped, and a name that a template misspells is an error.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def clock(moment: datetime | None, form: str = "%H:%M:%S") -> str:
        return "" if moment is None else format(moment.astimezone(material.zone), form)

    environment.filters.update(
        clock=clock,
        duration=duration,
        spoken=spoken,
        anchor=target_anchor,
        in_line=in_line,
        number=lambda value: f"{value:.4g}",
        at=lambda value: f"{value:.1f}".removesuffix(".0"),
        unit=lambda text: _MICROSECONDS.sub("µs", text),
    )
    environment.globals.update(stops=STOPS, most_changes=MOST_CHANGES, state_of=state_of)
    return environment


def _source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing is fetched, and nothing runs but the script below, whatever else stands in the page."""
    hashes = [f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (style, script)]
    return (
        f"default-src 'none'; img-src data: blob:; style-src {hashes[0]}; script-src {hashes[1]}; "
        "base-uri 'none'; form-action 'none'"
    )
