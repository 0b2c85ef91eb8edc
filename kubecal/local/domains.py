"""What the manifests ask for, as the engine sees it, and what can be refused before anything is started."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import Chip
from kubecal.api.manifests import Manifests
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import SessionStatus
from kubecal.engine.admission import needs_facts
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.model import ChipView, SessionRef, SessionView
from kubecal.engine.plan import plan_session
from kubecal.local.errors import LocalRunError

_NAMESPACE = "local"


@dataclass
class Domain:
    """One lock domain: hardware that only one session at a time may drive."""

    hardware_id: str
    chips: list[ChipView] = field(default_factory=list)
    sessions: list[SessionView] = field(default_factory=list)


def domains_of(manifests: Manifests, catalogue: Catalogue) -> tuple[Domain, ...]:
    """Chips and sessions by lock domain; ``catalogue`` is that of this environment, which stands for every image.

    Raises
    ------
    LocalRunError
        If there is no session, or one that cannot be planned; a line for every reason.
    """
    if not manifests.sessions:
        raise LocalRunError("there is no CalibrationSession in these files: add the manifest of one")
    chips = {chip.metadata.name: chip for chip in manifests.chips}
    domains: dict[str, Domain] = {}
    problems: list[str] = []
    for session in manifests.sessions:
        name = session.metadata.name
        chip = chips.get(session.spec.chip)
        if chip is None:
            known = ", ".join(sorted(chips)) or "none"
            problems.append(
                f"session {name!r} names chip {session.spec.chip!r}, which no file describes "
                f"(described: {known}): add its manifest to the command, or correct spec.chip"
            )
            continue
        if not needs_facts(session.spec):
            catalogues = Catalogues(catalogue, {one.name: catalogue for one in chip.spec.pods.images})
            plan = plan_session(session.spec, chip.metadata.name, chip.spec, catalogues)
            problems += [f"session {name!r}: {problem}" for problem in plan.problems]
        _add(domains, chip, session)
    if problems:
        raise LocalRunError("\n".join(problems))
    return tuple(domains.values())


def _add(domains: dict[str, Domain], chip: Chip, session: CalibrationSession) -> None:
    namespace = session.metadata.namespace or _NAMESPACE
    hardware_id = chip.spec.hardware_id or f"{namespace}/{chip.metadata.name}"
    domain = domains.setdefault(hardware_id, Domain(hardware_id))
    if all(view.name != chip.metadata.name for view in domain.chips):
        domain.chips.append(_chip_view(chip, namespace))
    domain.sessions.append(
        SessionView(
            ref=SessionRef(uid=str(uuid.uuid4()), namespace=namespace, name=session.metadata.name),
            created_at=datetime.now(UTC),
            generation=1,
            spec=session.spec,
            status=SessionStatus(),
            finalized=False,
        )
    )


def _chip_view(chip: Chip, namespace: str) -> ChipView:
    return ChipView(
        uid=str(uuid.uuid4()),
        namespace=namespace,
        name=chip.metadata.name,
        generation=1,
        resource_version="1",
        spec=chip.spec,
        status=chip.status,
    )
