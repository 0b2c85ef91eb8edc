"""Why the tasks of a session that is over ended as they did: the engine's own answer, from its record alone."""

from __future__ import annotations

from datetime import UTC, datetime

from kubecal.api.catalogue import Catalogue
from kubecal.api.explanation import SessionExplanation
from kubecal.engine.explaining import explain
from kubecal.engine.model import Observed, RecordsHealth, SessionRecord, SessionRef, SessionView
from kubecal.local.past import past_session
from kubecal.records.sessions import StoredSession


def explained(stored: StoredSession, record: SessionRecord | None, catalogue: Catalogue) -> SessionExplanation:
    """What became of the tasks of a session that is over.

    Parameters
    ----------
    record
        Its rows; None: it was never planned.
    catalogue
        That of this environment, which stands for every image.
    """
    now = datetime.now(UTC)
    ref = SessionRef(stored.uid, "", stored.name)
    status = past_session(stored).status
    view = SessionView(ref, stored.created_at, 1, stored.spec, status, finalized=False, record=record)
    images = {("", one.catalogue): catalogue for one in stored.chip_spec.pods.images}
    observed = Observed(
        now=now,
        hardware_id="",
        chips=(),
        sessions=(view,),
        pods=(),
        catalogue=catalogue,
        image=record.image if record is not None else "",
        records=RecordsHealth(available=True),
        images=images,
    )
    return explain(observed, view)
