"""From what a program wants to a session that holds its chip: made, joined, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from kubecal.api.chip import Chip
from kubecal.api.sentences import sentences
from kubecal.api.session import SessionSpec
from kubecal.lab.lab import Lab, NotFoundInLabError, StandingSession
from kubecal.reading.answers import Execution
from kubecal.reading.records import NotRecordedError
from kubecal.service.config import CalibConfig
from kubecal.service.errors import ServiceError
from kubecal.service.made_chip import SIMULATED, described, made_chip, object_name, of_project
from kubecal.service.session import SteeredSession

Say = Callable[[str], None]
JsonObject = Mapping[str, Any]


async def begin(lab: Lab, config: CalibConfig, targets: JsonObject, say: Say, *, makes_chips: bool) -> SteeredSession:
    """A session as it is wanted, that holds its chip.

    Parameters
    ----------
    targets
        As a manifest writes them; Any: manifest values.
    say
        Is told in a sentence what happens besides.
    makes_chips
        Whether a chip that is not known may be simulated.

    Raises
    ------
    ServiceError
        If what is wanted cannot be.
    LabError, RecordsError
        If the lab refuses it, or it or its records cannot be asked.
    """
    chip, is_new = await _chip(lab, config, say, makes_chips=makes_chips)
    project = chip.spec.project_id
    if config.execution_id:
        joined = await _joined(lab, config, chip.metadata.name, project, say)
        if joined is not None:
            return joined
    spec = _spec(config, chip.metadata.name, targets)
    return await SteeredSession.begun(lab, spec, chip if is_new else None, project, say)


async def _chip(lab: Lab, config: CalibConfig, say: Say, *, makes_chips: bool) -> tuple[Chip, bool]:
    """The chip, and whether the lab does not know it as it is wanted."""
    name, wanted, project = object_name(config.chip_id), config.backend_name, config.project_id or ""
    try:
        chip = (await lab.chip(name)).chip
    except NotFoundInLabError as error:
        made = made_chip(config.chip_id, project) if makes_chips and wanted in (None, SIMULATED) else None
        if made is None:
            raise ServiceError(_no_chip(str(error), makes_chips=makes_chips)) from error
        say(f"chip {config.chip_id!r} is not known here: simulating one of {described(made)}")
        return made, True
    if wanted not in (None, chip.spec.backend.name):
        raise ServiceError(
            f"chip {name!r} has the backend {chip.spec.backend.name}, not {wanted}: correct backend_name or chip_id"
        )
    if not project or project == chip.spec.project_id:
        return chip, False
    if makes_chips and chip.spec.backend.name == SIMULATED:
        return of_project(chip, project), True
    raise ServiceError(
        f"chip {name!r} belongs to the project {chip.spec.project_id!r}, not to {project!r}: leave project_id out, "
        "or correct it"
    )


def _no_chip(problem: str, *, makes_chips: bool) -> str:
    if not makes_chips:
        return problem
    return (
        f"{problem}; a chip that is only simulated needs no description: name it like 16Q, which has 16 qubits, "
        "with the backend fake"
    )


async def _joined(lab: Lab, config: CalibConfig, chip: str, project: str, say: Say) -> SteeredSession | None:
    """The open session that has this execution id; None: nobody has it.

    Raises
    ------
    ServiceError
        If it belongs to anything else.
    """
    try:
        execution = await lab.records.execution(config.execution_id, project=project)
    except NotRecordedError:
        return None
    taken = f"execution id {config.execution_id} is taken"
    other = "leave execution_id out to get the next free one"
    if execution.chip != chip or execution.username != config.username:
        whose = f"user {execution.username or '(none)'} on chip {execution.chip}"
        raise ServiceError(f"{taken}: it belongs to session {execution.session} of {whose}: {other}")
    standing = await _standing(lab, execution)
    if standing is None:
        raise ServiceError(f"{taken}: session {execution.session} has ended ({execution.phase}): {other}")
    if not standing.session.spec.open:
        raise ServiceError(f"{taken}: session {execution.session} is not open, so nothing can be added to it: {other}")
    session = SteeredSession(lab, standing, project, say)
    await session.take_up()
    say(f"joined the open session {execution.session} (execution {config.execution_id})")
    return session


async def _standing(lab: Lab, execution: Execution) -> StandingSession | None:
    """The session of an execution; None: it has ended, and another may have its name by now."""
    try:
        standing = await lab.session(execution.session)
    except NotFoundInLabError:
        return None
    phase = standing.status.phase
    is_it = standing.uid == execution.session_uid
    return standing if is_it and not (phase is not None and phase.final) else None


def _spec(config: CalibConfig, chip: str, targets: JsonObject) -> SessionSpec:
    wanted: dict[str, Any] = {
        "chip": chip,
        "targets": targets,
        "steps": (),
        "open": True,
        "idleSeconds": config.idle_seconds,
        "executionId": config.execution_id,
        "username": config.username,
        "flowName": config.flow_name or "",
        "tags": config.tags or (),
        "note": config.note_text,
    }
    if config.source_execution_id:
        wanted["source"] = {"executionId": config.source_execution_id, "inputs": "Snapshot"}
    try:
        return SessionSpec.model_validate(wanted)
    except ValidationError as error:
        raise ServiceError("; ".join(sentences(error, SessionSpec, "spec"))) from error
