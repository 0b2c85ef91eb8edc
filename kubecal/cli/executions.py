"""Which execution is meant: by its id, by the name of its session, or the latest."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubecal.cli.answering import NoSuchThingError
from kubecal.cli.place import Place, Where
from kubecal.engine.problems import did_you_mean
from kubecal.reading.answers import Execution, ExecutionDetail
from kubecal.reading.records import Records

LATEST = "latest"
_ID = re.compile(r"\d{8}-\d{3,7}")
_LOOKED_AT = 200
"""Of how many executions the sessions' names are compared with one that is not found."""


async def find_execution(
    records: Records, called: str, *, place: Place, project: str, chip: str = ""
) -> ExecutionDetail:
    """The execution that a person calls so.

    Parameters
    ----------
    called
        An id like 20261123-004, the name of a session (its newest execution), or ``latest``.
    chip
        Only executions on this chip; empty: on any.

    Raises
    ------
    NoSuchThingError
        If there is none; says what is close.
    NotRecordedError
        If there is no execution of this id.
    """
    if _ID.fullmatch(called):
        return await records.execution(called, project=project)
    session = "" if called == LATEST else called
    found = await records.executions(project=project, session=session, chip=chip, limit=_LOOKED_AT)
    found = [one for one in found if not place.namespace or one.namespace == place.namespace]
    if found:
        return await records.execution(found[0].execution_id, project=project)
    raise NoSuchThingError(await _nothing(records, session, place, project))


async def _nothing(records: Records, session: str, place: Place, project: str) -> str:
    there = await records.executions(project=project, limit=_LOOKED_AT)
    if not there:
        return nothing_recorded(place, project)
    if not session:
        return f"nothing was recorded there yet: {place.again('get', 'executions')} lists what was"
    return f"no session called {session!r} was run here: {did_you_mean(session, _names(there))}"


def nothing_recorded(place: Place, project: str) -> str:
    """What to say where there are no records at all."""
    of_project = "" if project == "default" else f" of project {project!r}"
    if place.where is Where.CLUSTER:
        return f"nothing was recorded{of_project} on this cluster yet: run a session with kubecal apply"
    return (
        f"nothing was recorded{of_project} on this computer yet: run a session with kubecal run, "
        "or ask a cluster with --cluster"
    )


def _names(executions: Sequence[Execution]) -> set[str]:
    return {one.session for one in executions}
