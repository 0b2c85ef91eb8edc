"""``kubecal chip``: one chip as a lattice, by any parameter; who holds it, who waits, and what is calibrated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from kubecal.api.chip import Chip
from kubecal.api.conditions import ConditionType
from kubecal.api.topology import Topology, describe_ids
from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.lattice import Mark, Room, lattice
from kubecal.cli.screen import Screen, printable
from kubecal.cli.values import target_order
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab, StandingChip
from kubecal.reading.answers import Answer, ParameterValue
from kubecal.reading.quantities import duration, quantity
from kubecal.reading.records import NotRecordedError

_BARS = "▁▂▃▄▅▆▇█"
_OFF, _NOTHING = Mark("#", "dim", 0), Mark("·", "", 1)
_CALIBRATED = Mark("✓", "green", 0)
_WIDTH, _HEIGHT = 78, 64
_LISTED = 40
_DIGITS = (5, 4, 3)
"""Of values in the lattice, as many as there is room for."""


class HolderAnswer(Answer):
    """A session that holds the chip."""

    session: str
    scope: str
    since: datetime


class WaitingAnswer(Answer):
    """A session that waits for it."""

    session: str
    position: int
    waits_for: str = ""


class ShownValue(Answer):
    """One value of the parameter that the lattice is drawn by."""

    target: str
    value: float
    error: float
    unit: str


class ChipAnswer(Answer):
    """A chip, who uses it, and what is calibrated on it."""

    name: str
    namespace: str
    project_id: str
    backend: str
    qubits: int
    couplings: int
    muxes: int
    modules: tuple[str, ...]
    disabled: tuple[str, ...]
    """Qubits and couplings."""
    reason: str = ""
    """Why these are disabled."""
    maintenance: bool = False
    problem: str = ""
    """Why the chip is not valid; empty: it is, or nobody has looked."""
    holders: tuple[HolderAnswer, ...] = ()
    queue: tuple[WaitingAnswer, ...] = ()
    parameters: int = 0
    """Current values."""
    calibrated: tuple[str, ...] = ()
    """Qubits that have any."""
    stale: int | None = None
    moved: int | None = None
    """As the operator last counted; None: nobody counts them here."""
    by: str = ""
    """The parameter that the lattice is drawn by; empty: none."""
    values: tuple[ShownValue, ...] = ()


@dataclass(frozen=True)
class ChipAsked:
    """What the command line asks for."""

    name: str
    by: str = ""


async def show_chip(lab: Lab, screen: Screen, asked: ChipAsked) -> int:
    """Show one chip."""
    standing = await lab.chip(asked.name)
    try:
        values = await lab.records.parameters(standing.name, project=standing.chip.spec.project_id)
    except NotRecordedError:
        # Nothing was ever run on it.
        values = ()
    answer = _answer(standing, values, asked.by)
    screen.show(answer, lambda: picture(answer, standing.chip, datetime.now(UTC)))
    return ExitCode.DONE


def _answer(standing: StandingChip, values: Sequence[ParameterValue], by: str) -> ChipAnswer:
    spec, status = standing.chip.spec, standing.chip.status
    topology = spec.topology.resolve()
    known = {one.name for one in values}
    if by and by not in known:
        if not known:
            raise NoSuchThingError(f"chip {standing.name!r} has no calibrated parameters yet: show it without --by")
        raise NoSuchThingError(
            f"no parameter {by!r} is calibrated on chip {standing.name!r}: {did_you_mean(by, known)}"
        )
    invalid = [one for one in status.conditions if one.type == ConditionType.VALID and one.status == "False"]
    counted = status.parameters
    return ChipAnswer(
        name=standing.name,
        namespace=standing.namespace,
        project_id=spec.project_id,
        backend=spec.backend.name,
        qubits=len(topology.sites),
        couplings=len(topology.couplings),
        muxes=len(topology.members_by_mux),
        modules=tuple(sorted(spec.wiring.modules)),
        disabled=(*spec.disabled.qubits, *spec.disabled.couplings),
        reason=spec.disabled.reason,
        maintenance=spec.maintenance,
        problem=invalid[0].message if invalid else "",
        holders=tuple(HolderAnswer(session=one.session, scope=one.scope, since=one.since) for one in status.holders),
        queue=tuple(
            WaitingAnswer(session=one.session, position=one.position, waits_for=one.waits_for) for one in status.queue
        ),
        parameters=len(values),
        calibrated=tuple(dict.fromkeys(one.target for one in values if one.target in topology.site_by_id)),
        stale=counted.stale if counted is not None else None,
        moved=counted.moved if counted is not None else None,
        by=by,
        values=tuple(
            ShownValue(target=one.target, value=one.value, error=one.error, unit=one.unit)
            for one in sorted(values, key=lambda one: target_order(one.target))
            if one.name == by
        ),
    )


# ---------------------------------------------------------------- as people read it


def picture(answer: ChipAnswer, chip: Chip, now: datetime) -> RenderableType:
    """A headline, the lattice, and who uses the chip."""
    parts: list[RenderableType] = [_headline(answer), Text()]
    topology = chip.spec.topology.resolve()
    parts += _lattice(answer, topology, frozenset(chip.spec.disabled.qubits))
    parts += [Text(), *_lines(answer, now)]
    return Group(*parts)


def _headline(answer: ChipAnswer) -> Text:
    number = "1 MUX" if answer.muxes == 1 else f"{answer.muxes} MUXes"
    muxes = f", {number}" if answer.muxes < answer.qubits else ""
    modules = f", {len(answer.modules)} modules" if answer.modules else ""
    text = Text.assemble((answer.name, "bold"), f": {answer.qubits} qubits, {answer.couplings} couplings{muxes}")
    return text.append(f"{modules}, backend {answer.backend}")


def _lattice(answer: ChipAnswer, topology: Topology, disabled: frozenset[str]) -> list[RenderableType]:
    values = {one.target: one for one in answer.values if one.target in topology.site_by_id}
    if answer.by and not values:
        return [_list_of_couplings(answer)]
    scale = _Scale([one.value for one in values.values()])
    marks = dict.fromkeys(topology.site_by_id, _NOTHING)
    if not answer.by:
        marks |= dict.fromkeys(answer.calibrated, _CALIBRATED)
    marks |= {target: scale.mark(one.value) for target, one in values.items()}
    marks |= dict.fromkeys(disabled & topology.site_by_id.keys(), _OFF)
    rows = (_with_values(topology, marks, values, digits) for digits in _DIGITS) if values else ()
    lines = next(filter(None, rows), None) or lattice(
        topology, marks, lambda room: room.width <= _WIDTH and room.height <= _HEIGHT
    )
    legend = "✓ calibrated, · not yet"
    if values:
        unit = f" {answer.values[0].unit}".rstrip()
        legend = f"{_BARS[0]} {_short(scale.least)} ... {_BARS[-1]} {_short(scale.most)}{unit}, · no {answer.by}"
    legend += ", # disabled" if disabled else ""
    drawn: list[RenderableType] = list(lines or [Text("the lattice is too large to be drawn here")])
    return [*drawn, Text(), Text(legend, style="dim")]


def _fits(room: Room) -> bool:
    return room.width <= _WIDTH and room.height <= _HEIGHT


def _with_values(
    topology: Topology, marks: Mapping[str, Mark], values: Mapping[str, ShownValue], precision: int
) -> list[Text] | None:
    """``12▆37.4``: id, bar and value at their places; None where that is wider than a terminal."""
    digits = max(len(site.id) for site in topology.sites)
    texts = {target: _short(one.value, precision) for target, one in values.items()}
    room = digits + 1 + max(map(len, texts.values()))
    columns = 1 + max(site.x for site in topology.sites)
    if columns * (room + 2) > _WIDTH:
        return None
    lines = []
    at = {(site.x, site.y): site.id for site in topology.sites}
    for y in range(1 + max(site.y for site in topology.sites)):
        line = Text()
        for x in range(columns):
            qubit = at.get((x, y))
            if qubit is None:
                line.append(" " * (room + 2))
                continue
            line.append(f"{qubit:>{digits}}", style="dim")
            line.append(marks[qubit].sign, style=marks[qubit].style)
            line.append(f"{texts.get(qubit, ''):<{room - digits - 1}}  ")
        line.rstrip()
        lines.append(line)
    return lines


class _Scale:
    """From the least to the largest value, in bars; colour says the same again."""

    def __init__(self, values: Sequence[float]) -> None:
        self.least, self.most = min(values, default=0.0), max(values, default=0.0)

    def mark(self, value: float) -> Mark:
        """How high this one is."""
        span = self.most - self.least
        place = round((len(_BARS) - 1) * (value - self.least) / span) if span > 0 else len(_BARS) // 2
        style = ("blue", "cyan", "green", "yellow")[place // 2]
        # Of several qubits on one MUX the lowest value stands for all.
        return Mark(_BARS[place], style, 1 + len(_BARS) - place)


def _short(value: float, precision: int = 4) -> str:
    """To so many digits; a place in the lattice has room for few."""
    text = f"{value:.{precision}g}"
    return text if "e" not in text else f"{value:.{max(0, precision - 2)}e}"


def _list_of_couplings(answer: ChipAnswer) -> Text:
    """Of a parameter of couplings the values, the lowest first: a lattice has no room between its qubits."""
    ordered = sorted(answer.values, key=lambda one: one.value)
    scale = _Scale([one.value for one in ordered])
    text = Text()
    for one in ordered[:_LISTED]:
        value, error = quantity(one.value, one.error)
        mark = scale.mark(one.value)
        text.append(f"{one.target:>9} ").append(mark.sign, style=mark.style)
        text.append(f" {value}" + (f" ± {error}" if error else "") + f" {one.unit}\n")
    if len(ordered) > _LISTED:
        text.append(f"and {len(ordered) - _LISTED} more, all higher\n")
    text.rstrip()
    return text


def _lines(answer: ChipAnswer, now: datetime) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if answer.problem:
        lines.append(Text(f"not valid: {printable(answer.problem)}", style="bold red"))
    if answer.maintenance:
        lines.append(Text("in maintenance: running tasks finish, nothing new starts", style="yellow"))
    if answer.disabled:
        qubits = [one for one in answer.disabled if "-" not in one]
        pairs = [one for one in answer.disabled if "-" in one]
        what = [f"qubit {describe_ids(qubits)}"] if qubits else []
        what += [f"coupling {', '.join(pairs)}"] if pairs else []
        why = f" ({printable(answer.reason)})" if answer.reason else ""
        lines.append(Text(f"disabled: {'; '.join(what)}{why}"))
    lines += [
        Text(f"held by {one.session} for {duration((now - one.since).total_seconds())} (scope {one.scope})")
        for one in answer.holders
    ] or [Text("free: no session holds it")]
    for one in answer.queue:
        waits = f", for {printable(one.waits_for)}" if one.waits_for else ""
        lines.append(Text(f"{one.position}. {one.session} waits{waits}"))
    lines.append(_calibrated(answer))
    return lines


def _calibrated(answer: ChipAnswer) -> Text:
    if not answer.parameters:
        return Text("nothing is calibrated yet")
    text = Text(f"{answer.parameters} parameters, on {len(answer.calibrated)} of {answer.qubits} qubits")
    if answer.stale is not None:
        text.append(f"; {answer.stale} stale, {answer.moved} moved")
    return text
