"""Each attempt as a card: its verdict, its figures, what it found, what was checked, and what it ran with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubecal.api.naming import spoken_target
from kubecal.reading.answers import Check, OutputValue, Result
from kubecal.reading.attempts import key_of
from kubecal.reading.quantities import quantity
from kubecal.report.attempts import COMPLETED, FAILED, by_target, failures, label_of, state_of
from kubecal.report.changes import Change, change_of
from kubecal.report.figures import Embedded, Shelf
from kubecal.report.manifests import values
from kubecal.report.material import svg_ids
from kubecal.report.parameters import Kind, Kinds, kind_of

_MARKS = {"good": "✓", "doubtful": "✕", "bad": "✕", "none": "–", "busy": "…"}
_SPOKEN = {"scheduled": "planned", "completed": "ok"}


@dataclass(frozen=True)
class Output:
    """One output of an attempt as its card shows it."""

    of: OutputValue
    value: str
    error: str
    change: Change | None
    """None: there was nothing before, or it is no property of the target."""
    moved: float | None
    """By how many standard deviations two attempts agree that it has moved; None: it has not."""


@dataclass(frozen=True)
class Card:
    """One attempt."""

    anchor: str
    """The id of its place in the page."""
    result: Result
    title: str
    state: str
    mark: str
    """The verdict's sign: colour alone must not carry it."""
    verdict: str
    attempts: int
    """How many its task had in all."""
    figures: tuple[Embedded | None, ...]
    """None: the records have it no more."""
    outputs: tuple[Output, ...]
    inputs: str
    """A line each, in columns: as text, because a thousand tables are what makes a page slow."""
    run_parameters: str
    adapted: str
    suggested: str

    @property
    def spoken(self) -> str:
        """``qubit 3``."""
        return spoken_target(self.result.qid)

    @property
    def reading(self) -> str:
        """What a screen reader says of it: ``CheckRabi on qubit 3: no signal``."""
        again = f", attempt {self.result.attempt}" if self.result.attempt > 1 else ""
        return f"{self.title} on {self.spoken}{again}: {self.verdict}"

    @property
    def compared(self) -> bool:
        """Whether its outputs are worth comparing with what was there before."""
        return self.state == "good" and any(output.change is not None for output in self.outputs)

    @property
    def refused(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.result.checks if not check.ok)

    @property
    def passed(self) -> tuple[Check, ...]:
        """The others."""
        return tuple(check for check in self.result.checks if check.ok)

    @property
    def passed_text(self) -> str:
        """The checks that passed, a line each."""
        rows = [(check.name, f"{check.value:.4g}", f"limit {check.limit:.4g}") for check in self.passed]
        return in_columns(rows)

    @property
    def has_more(self) -> bool:
        """Whether there is anything to unfold."""
        result = self.result
        return bool(self.inputs or self.run_parameters or result.log_tail or result.stack_trace or result.metrics)


@dataclass(frozen=True)
class Target:
    """One qubit, coupling or the chip with all that was measured on it."""

    qid: str
    anchor: str
    cards: tuple[Card, ...]
    """Attempts that came to an end, in the order of their begin; the failures stand in their own section."""
    failed: tuple[Card, ...]
    lines: tuple[Card, ...]
    """Attempts that left nothing to see."""

    @property
    def spoken(self) -> str:
        """``qubit 3``."""
        return spoken_target(self.qid)

    @property
    def ok(self) -> int:
        """How many tasks are ok."""
        return sum(card.state == "good" for card in self.cards)


@dataclass(frozen=True)
class Cards:
    """All attempts in the order in which they are read: what failed, then target by target."""

    failed: tuple[Card, ...]
    targets: tuple[Target, ...]

    @cached_property
    def anchors(self) -> Mapping[str, str]:
        """Where each attempt stands, by task id."""
        here = [*self.failed, *(card for target in self.targets for card in (*target.cards, *target.lines))]
        return {card.result.task_id: card.anchor for card in here}


def cards_of(results: Sequence[Result], shelf: Shelf, kinds: Kinds) -> Cards:
    """Deal the attempts out; the failures' figures are taken from the shelf first."""
    attempts = Counter(key_of(result) for result in results)
    anchors = {result.task_id: f"r{number}" for number, result in enumerate(results)}

    def card(result: Result) -> Card:
        return _card(result, anchors[result.task_id], attempts[key_of(result)], shelf, kinds)

    failed = {result.task_id: card(result) for result in failures(results)}
    targets = []
    for qid, mine in by_target(results).items():
        others = [card(result) for result in mine if result.task_id not in failed]
        targets.append(
            Target(
                qid=qid,
                anchor=target_anchor(qid),
                cards=tuple(one for one in others if _has_something(one)),
                failed=tuple(failed[result.task_id] for result in mine if result.task_id in failed),
                lines=tuple(one for one in others if not _has_something(one)),
            )
        )
    return Cards(tuple(failed.values()), tuple(targets))


def target_anchor(qid: str) -> str:
    """The id of a target's part of the page."""
    return f"t-{qid or 'chip'}"


def _card(result: Result, anchor: str, attempts: int, shelf: Shelf, kinds: Kinds) -> Card:
    state = state_of(result)
    return Card(
        anchor=anchor,
        result=result,
        title=label_of(result),
        state=state,
        mark=_MARKS[state],
        verdict=(result.verdict or _SPOKEN.get(result.status, result.status)).replace("_", " "),
        attempts=attempts,
        figures=tuple(shelf.take(file_id) for file_id in svg_ids(result)),
        outputs=tuple(_outputs(result, kinds)),
        inputs=_inputs(result),
        run_parameters=values(result.run_parameters),
        adapted=_together(result.adapted),
        suggested=_together(result.suggestion.parameters) if result.suggestion else "",
    )


def _outputs(result: Result, kinds: Kinds) -> Iterable[Output]:
    for output in result.outputs:
        value, error = quantity(output.value, output.error)
        own = kind_of(kinds, result.task, output.name) is Kind.TARGET
        yield Output(output, value, error, change_of(output) if own else None, result.moved.get(output.name))


def _inputs(result: Result) -> str:
    rows = []
    for one in result.inputs:
        value, error = quantity(one.value, one.error)
        name = f"{one.role} {one.name}" if one.role else one.name
        rows.append((name, f"{value} ± {error} {one.unit}" if error else f"{value} {one.unit}", one.origin))
    return in_columns(rows)


def in_columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Text in columns, for a font whose signs are of one width."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _together(parameters: Mapping[str, Any]) -> str:
    return values(parameters).replace("\n", ", ")


def _has_something(card: Card) -> bool:
    """Whether it came to an end of its own, or left a figure or a value behind."""
    return card.result.status in (COMPLETED, FAILED) or bool(card.figures or card.outputs)
