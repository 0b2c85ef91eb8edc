"""``kubecal get``: sessions, chips and executions as tables, one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from kubecal.api.naming import spoken_target
from kubecal.api.session_status import SessionStatus
from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.executions import find_execution, nothing_recorded
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form
from kubecal.cli.moments import shown
from kubecal.cli.place import Place, Where
from kubecal.cli.screen import Screen, printable
from kubecal.cli.tables import Cell, Column, plain_table
from kubecal.engine.problems import did_you_mean
from kubecal.lab.lab import Lab, NotFoundInLabError, StandingChip, StandingSession
from kubecal.reading.answers import Execution
from kubecal.reading.quantities import age, duration, spoken

SESSIONS, CHIPS, EXECUTIONS = "sessions", "chips", "executions"
_CALLED = {
    **dict.fromkeys(("sessions", "session", "cals", "calibrationsessions", "calibrationsession"), SESSIONS),
    **dict.fromkeys(("chips", "chip"), CHIPS),
    **dict.fromkeys(("executions", "execution", "exec"), EXECUTIONS),
}
"""Also the names that kubectl takes."""
_EXECUTION_ID = re.compile(r"\d{8}-\d{3,7}")
_GOOD, _BAD = ("Completed",), ("Failed", "PartiallyFailed")


@dataclass(frozen=True)
class GetAsked:
    """What the command line asks for."""

    words: Sequence[str]
    """A kind, a kind and a name, or a name."""
    place: Place
    project: str
    chip: str = ""
    session: str = ""
    tag: str = ""
    limit: int = 50


async def get(lab: Lab, screen: Screen, asked: GetAsked) -> int:
    """Print what there is of a kind, or one of it."""
    kind, name = kind_and_name(asked.words)
    now = datetime.now(UTC)
    if kind == EXECUTIONS:
        await _executions(lab, screen, asked, name)
    elif kind == CHIPS:
        chips = [await lab.chip(name)] if name else list(await lab.chips())
        screen.show(_one_or_all([chip_document(one) for one in chips], name), lambda: chip_table(chips, screen.form))
        _say_if_empty(screen, chips, "chips", asked)
    elif name:
        session = await _session(lab, name, kind_said=len(asked.words) > 1 or "/" in asked.words[0])
        screen.show(session_document(session), lambda: _session_whole(session, screen.form, now))
    else:
        sessions = [one for one in await lab.sessions() if asked.chip in ("", one.session.spec.chip)]
        screen.show([session_document(one) for one in sessions], lambda: session_table(sessions, screen.form, now))
        _say_if_empty(screen, sessions, "sessions", asked)
    return ExitCode.DONE


def kind_and_name(words: Sequence[str]) -> tuple[str, str]:
    """``get``, ``get chips``, ``get chip fridge-a``, ``get chip/fridge-a``, ``get morning``, ``get 20261124-000``.

    Raises
    ------
    NoSuchThingError
        If two words do not begin with a kind; says what is close.
    """
    if not words:
        return SESSIONS, ""
    first, *rest = words[0].split("/", 1) if "/" in words[0] else words
    if first.lower() in _CALLED:
        return _CALLED[first.lower()], rest[0] if rest else ""
    if rest:
        raise NoSuchThingError(
            f"there is nothing called {first!r} to get: {did_you_mean(first, (SESSIONS, CHIPS, EXECUTIONS))}"
        )
    return (EXECUTIONS if _EXECUTION_ID.fullmatch(first) else SESSIONS), first


def session_document(one: StandingSession) -> dict[str, Any]:  # Any: a manifest
    """A session as kubectl would write it."""
    return _document(one, one.session.model_dump(mode="json", by_alias=True, exclude_none=True), one.status)


def chip_document(one: StandingChip) -> dict[str, Any]:  # Any: a manifest
    """A chip as kubectl would write it."""
    body = one.chip.model_dump(mode="json", by_alias=True, exclude_none=True)
    metadata = {"name": one.name, **({"namespace": one.namespace} if one.namespace else {})}
    return {**body, "metadata": metadata}


def session_table(sessions: Sequence[StandingSession], form: Form, now: datetime) -> RenderableType | None:
    """A line a session."""
    columns = (
        *(Column("session", folds=True), Column("phase"), Column("progress"), Column("failed", right=True)),
        *(Column("chip", folds=True), Column("execution"), Column("age", right=True)),
        *(Column("user", wide=True), Column("tags", wide=True), Column("message", wide=True)),
    )
    return _table(columns, form, [_session_row(one, now) for one in sessions])


def chip_table(chips: Sequence[StandingChip], form: Form) -> RenderableType | None:
    """A line a chip: who holds it, who waits, what its parameters are worth."""
    columns = (
        *(Column("chip", folds=True), Column("qubits", right=True), Column("held by", folds=True)),
        *(Column("waiting", right=True), Column("calibrated", right=True), Column("stale", right=True)),
        *(Column("state", folds=True), Column("backend", wide=True), Column("cooldown", wide=True)),
        Column("disabled", wide=True),
    )
    return _table(columns, form, [_chip_row(one) for one in chips])


def execution_table(executions: Sequence[Execution], form: Form, now: datetime) -> RenderableType | None:
    """A line an execution."""
    columns = (
        *(Column("execution"), Column("session", folds=True), Column("phase"), Column("ok", right=True)),
        *(Column("failed", right=True), Column("chip", folds=True), Column("age", right=True)),
        *(Column("took", right=True), Column("user", wide=True), Column("began (UTC)", wide=True)),
        *(Column("flow", wide=True), Column("tags", wide=True), Column("note", wide=True)),
    )
    return _table(columns, form, [_execution_row(one, now) for one in executions])


async def _executions(lab: Lab, screen: Screen, asked: GetAsked, name: str) -> None:
    if name:
        one = await find_execution(lab.records, name, place=asked.place, project=asked.project)
        screen.show(one, lambda: execution_table([one], screen.form, datetime.now(UTC)))
        return
    found = await lab.records.executions(
        project=asked.project, chip=asked.chip, session=asked.session, tag=asked.tag, limit=asked.limit
    )
    # The records know all namespaces of an installation.
    executions = [one for one in found if asked.place.namespace in ("", one.namespace)]
    screen.show(executions, lambda: execution_table(executions, screen.form, datetime.now(UTC)))
    chosen = asked.chip or asked.session or asked.tag
    if not executions and chosen:
        screen.remark(f"no execution is of {chosen!r}: {asked.place.again('get', 'executions')} lists all")
    elif not executions:
        screen.remark(nothing_recorded(asked.place, asked.project))
    elif len(found) == asked.limit:
        screen.remark(f"these are the newest {asked.limit}: --limit shows more")


async def _session(lab: Lab, name: str, *, kind_said: bool) -> StandingSession:
    """A session; where the kind was left out, the word may have been meant as one."""
    try:
        return await lab.session(name)
    except NotFoundInLabError as error:
        near = did_you_mean(name, (SESSIONS, CHIPS, EXECUTIONS))
        if kind_said or not near.startswith("did you mean"):
            raise
        raise NotFoundInLabError(f"{str(error).rstrip('.')}; or {near}") from None


def _session_whole(one: StandingSession, form: Form, now: datetime) -> RenderableType:
    """A session's line, and below it what its status says in words."""
    status = one.status
    parts: list[RenderableType] = [session_table([one], form, now) or Text()]
    said = [status.message] if status.message else []
    said += [
        f"{wait.tasks} wait ({wait.reason}): {wait.task} on {spoken_target(wait.target)}: {wait.message}"
        for wait in status.waits
    ]
    for sentence in said:
        parts.append(Padding(Text(printable(sentence)), (0, 0, 0, 2), expand=False))
    for failure in status.failures:
        line = Text.assemble(("  failed: ", "bold red"), f"{failure.task} on {spoken_target(failure.target)}")
        line.append(f", {failure.verdict}" if failure.verdict else "")
        parts.append(line)
        if failure.message:
            parts.append(Padding(Text(printable(failure.message)), (0, 0, 0, 6), expand=False))
    return Group(*parts)


def _session_row(one: StandingSession, now: datetime) -> list[Cell]:
    status, spec = one.status, one.session.spec
    return [
        one.name,
        _phase(str(status.phase or "Pending"), deleting=one.deleting),
        status.progress,
        str(status.tasks.failed or ""),
        spec.chip,
        status.execution_id,
        age((now - one.created_at).total_seconds()),
        spec.username,
        ", ".join(spec.tags),
        printable(status.message),
    ]


def _chip_row(one: StandingChip) -> list[Cell]:
    spec, status = one.chip.spec, one.chip.status
    worth = status.parameters
    return [
        one.name,
        str(len(spec.topology.resolve().sites)),
        ", ".join(holder.session for holder in status.holders) or "nobody",
        str(len(status.queue) or ""),
        str(worth.calibrated) if worth is not None else "",
        str(worth.stale + worth.moved) if worth is not None else "",
        _chip_state(one),
        spec.backend.name,
        spec.cooldown,
        ", ".join((*spec.disabled.qubits, *spec.disabled.couplings)),
    ]


def _chip_state(one: StandingChip) -> Text:
    invalid = next((c for c in one.chip.status.conditions if c.type == "Valid" and c.status == "False"), None)
    if invalid is not None:
        return Text(f"invalid: {printable(invalid.message)}", style="bold red")
    return Text("maintenance", style="yellow") if one.chip.spec.maintenance else Text("ready")


def _execution_row(one: Execution, now: datetime) -> list[Cell]:
    counts = one.counts
    took = (one.ended_at - one.started_at).total_seconds() if one.started_at and one.ended_at else None
    return [
        one.execution_id,
        one.session,
        _phase(one.phase),
        f"{counts.get('succeeded', 0)}/{counts.get('planned', 0)}",
        str(counts.get("failed", 0) or ""),
        one.chip,
        age((now - one.created_at).total_seconds()),
        duration(took) if took is not None else "",
        one.username,
        shown(one.started_at or one.created_at),
        one.flow_name,
        ", ".join(one.tags),
        printable(one.note),
    ]


def _phase(phase: str, *, deleting: bool = False) -> Text:
    style = "green" if phase in _GOOD else "bold red" if phase in _BAD else "yellow" if phase == "Cancelled" else ""
    return Text(spoken(phase) + (" (being deleted)" if deleting else ""), style=style)


def _table(columns: Sequence[Column], form: Form, rows: Sequence[Sequence[Cell]]) -> RenderableType | None:
    return plain_table(columns, rows, form) if rows else None


def _document(one: StandingSession, body: Mapping[str, Any], status: SessionStatus) -> dict[str, Any]:  # Any: manifests
    metadata: dict[str, Any] = {"name": one.name}
    if one.namespace:
        metadata["namespace"] = one.namespace
    metadata |= {"uid": one.uid, "creationTimestamp": one.created_at.isoformat()}
    return {**body, "metadata": metadata, "status": status.model_dump(mode="json", by_alias=True, exclude_none=True)}


def _one_or_all(documents: list[dict[str, Any]], name: str) -> Any:  # Any: manifests
    return documents[0] if name else documents


def _say_if_empty(screen: Screen, found: Sequence[object], what: str, asked: GetAsked) -> None:
    if found:
        return
    if asked.place.where is Where.LOCAL:
        screen.remark(
            f"this computer has no {what} yet: run a session with kubecal run, or ask a cluster with --cluster"
        )
    else:
        screen.remark(f"there are no {what} here: --namespace asks another namespace")
