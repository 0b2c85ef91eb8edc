"""The whole decision: a pure function of what was observed of one lock domain.

Every session is looked at once, in one of its situations (over, unreadable, to be cancelled, without a chip, not
yet admitted, waiting, running); each situation is one policy. Sessions that hold the hardware come first, so
that what they take is taken before others ask.
"""

from __future__ import annotations

from kubecal.api.session import SessionSpec
from kubecal.api.session_status import Phase
from kubecal.engine.admission import admit, unreadable, without_chip
from kubecal.engine.cancelling import cancel, stop_unreadable, to_cancel
from kubecal.engine.driving import drain, drive
from kubecal.engine.ending import over
from kubecal.engine.holding import hand_out
from kubecal.engine.intents import Decision
from kubecal.engine.model import Observed, SessionView
from kubecal.engine.scene import Scene
from kubecal.engine.showing import show, stored
from kubecal.engine.status import Standing, valid
from kubecal.engine.unrecorded import let_go_unrecorded
from kubecal.engine.waiting import wait

_NEEDS_RECORDS = (
    *("look_ups", "admissions", "replans", "next_attempts", "actions"),
    *("read_rows", "settle_rows", "settle_executions", "sweeps"),
)


def look(observed: Observed) -> Scene:
    """Every policy's say on what is observed."""
    scene = Scene(observed)
    holding = {held.holder.uid for held in scene.holders}
    for session in sorted(observed.sessions, key=lambda one: one.ref.uid not in holding):
        _session(scene, session)
    hand_out(scene)
    return scene


def decide(observed: Observed) -> Decision:
    """What to do now. Same observation, same decision."""
    scene = look(observed)
    if not observed.records.available:
        scene.draft.drop(_NEEDS_RECORDS)
    if scene.creates_nothing:
        scene.draft.drop(("creates",))
    return scene.draft.decision()


def _session(scene: Scene, session: SessionView) -> None:
    phase = session.status.phase
    if let_go_unrecorded(scene, session):
        return
    if phase is not None and phase.final:
        over(scene, session)
    elif session.spec is None and session.record_known and session.record is None:
        unreadable(scene, session)
    elif not session.record_known:
        # Nothing may be concluded from a record that was not read: not even that there is none.
        message = scene.observed.records.message
        show(scene, session, Standing(phase or Phase.PENDING, message, (stored(scene),)))
    elif session.record is not None and not session.record.ours:
        message = "its execution belongs to another installation of kubecal: apply it under another name"
        show(scene, session, Standing(phase or Phase.PENDING, message, (valid(message),)))
    elif session.spec is None:
        stop_unreadable(scene, session)
    elif to_cancel(session):
        cancel(scene, session, session.spec)
    else:
        _on_chip(scene, session, session.spec)


def _on_chip(scene: Scene, session: SessionView, spec: SessionSpec) -> None:
    chip = scene.chips.get((session.ref.namespace, spec.chip))
    record = session.record
    if chip is None or chip.spec is None:
        if record is None:
            without_chip(scene, session, spec, chip)
        else:
            run = scene.running(session, spec, record, scene.chip_of(session, spec, record))
            drain(scene, run, chip)
    elif record is None:
        admit(scene, session, spec, chip)
    elif scene.holder(session) is None:
        wait(scene, session, spec, record, chip)
    else:
        drive(scene, session, spec, record, chip)
