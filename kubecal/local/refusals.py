"""What manifests ask for, and what can be refused of it before anything is started."""

from __future__ import annotations

from collections.abc import Sequence

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.manifests import Manifests
from kubecal.api.session import CalibrationSession
from kubecal.engine.admission import needs_facts
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.plan import plan_session
from kubecal.lab.lab import RefusedError

Asked = tuple[CalibrationSession, Chip]
"""A session and its chip."""


def asked_for(manifests: Manifests) -> list[Asked]:
    """Every session with its chip.

    Raises
    ------
    RefusedError
        If there is no session, or one whose chip is not described; a line for each.
    """
    if not manifests.sessions:
        raise RefusedError("there is no CalibrationSession in these files: add the manifest of one")
    chips = {chip.metadata.name: chip for chip in manifests.chips}
    known = ", ".join(sorted(chips)) or "none"
    problems = [
        f"session {session.metadata.name!r} names chip {session.spec.chip!r}, which no file describes "
        f"(described: {known}): add its manifest to the command, or correct spec.chip"
        for session in manifests.sessions
        if session.spec.chip not in chips
    ]
    if problems:
        raise RefusedError("\n".join(problems))
    return [(session, chips[session.spec.chip]) for session in manifests.sessions]


def refuse_unplannable(asked: Sequence[Asked], catalogue: Catalogue) -> None:
    """Look whether all of them can be planned, as far as that is known without the records.

    Parameters
    ----------
    catalogue
        That of this environment, which stands for every image.

    Raises
    ------
    RefusedError
        If one cannot; a line for every reason.
    """
    problems = []
    for session, chip in asked:
        if not needs_facts(session.spec):
            catalogues = Catalogues(catalogue, {one.name: catalogue for one in chip.spec.pods.images})
            plan = plan_session(session.spec, chip.metadata.name, chip.spec, catalogues)
            problems += [f"session {session.metadata.name!r}: {problem}" for problem in plan.problems]
    if problems:
        raise RefusedError("\n".join(problems))
