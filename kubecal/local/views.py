"""Manifests as the engine sees them, and back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from kubecal.api.chip import Chip, ChipSpec
from kubecal.api.model import Metadata
from kubecal.api.session import CalibrationSession
from kubecal.api.session_status import SessionStatus
from kubecal.engine.model import ChipView, SessionRef, SessionView
from kubecal.lab.lab import StandingChip, StandingSession

NAMESPACE = "local"
"""What stands in the records where a cluster has a namespace."""


def hardware_of(chip: Chip) -> str:
    """The lock domain: hardware that is decided about together."""
    return chip.spec.hardware_id or f"{_namespace(chip)}/{chip.metadata.name}"


def chip_view(chip: Chip) -> ChipView:
    """A chip that nothing is known of but its manifest."""
    return ChipView(
        uid=str(uuid.uuid4()),
        namespace=_namespace(chip),
        name=chip.metadata.name,
        generation=1,
        resource_version="1",
        spec=chip.spec,
        status=chip.status,
    )


def session_view(session: CalibrationSession, chip: Chip) -> SessionView:
    """A session that begins now."""
    return SessionView(
        ref=SessionRef(uid=str(uuid.uuid4()), namespace=_namespace(chip), name=session.metadata.name),
        created_at=datetime.now(UTC),
        generation=1,
        spec=session.spec,
        status=SessionStatus(),
        finalized=False,
    )


def standing_session(view: SessionView) -> StandingSession:
    """A session that runs, as a lab shows it."""
    assert view.spec is not None, "sessions of this computer come from manifests that parse"
    session = CalibrationSession(metadata=Metadata(name=view.ref.name), spec=view.spec, status=view.status)
    return StandingSession(view.ref.name, "", view.ref.uid, view.created_at, session, view.status)


def standing_chip(view: ChipView) -> StandingChip:
    """A chip that is in use, as a lab shows it."""
    return StandingChip(view.name, "", chip_of(view))


def chip_of(view: ChipView) -> Chip:
    """A chip that is in use, as a manifest with its status."""
    return Chip(metadata=Metadata(name=view.name), spec=_spec_of(view), status=view.status)


def _spec_of(view: ChipView) -> ChipSpec:
    assert view.spec is not None, "chips of this computer come from manifests that parse"
    return view.spec


def _namespace(chip: Chip) -> str:
    return chip.metadata.namespace or NAMESPACE
