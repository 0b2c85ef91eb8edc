"""Explaining a session: the same look as the decision's, and what it says of every task that does not run."""

from __future__ import annotations

from kubecal.api.explanation import Reason, SessionExplanation, TaskExplanation
from kubecal.engine.decide import look
from kubecal.engine.model import Observed, SessionView
from kubecal.engine.scene import Scene
from kubecal.engine.starting import Hindrance
from kubecal.engine.status import count_tasks
from kubecal.engine.why import Explanation, Why, explanations


def explain(observed: Observed, session: SessionView) -> SessionExplanation:
    """Everything that is known about why tasks of this session do not run.

    Parameters
    ----------
    session
        One of the sessions of the observation.
    """
    scene = look(observed)
    standing = scene.standings.get(session.ref.uid)
    why = standing.why if standing is not None else _of_the_record(scene, session)
    status = session.status
    phase = standing.phase if standing is not None else status.phase
    counts = count_tasks(why.run.states) if why is not None else status.tasks
    ended = counts.succeeded + counts.failed + counts.skipped + counts.cancelled
    tasks = tuple(map(_shown, explanations(why))) if why is not None else ()
    # What is neither explained nor has succeeded runs.
    return SessionExplanation(
        namespace=session.ref.namespace,
        session=session.ref.name,
        chip=session.spec.chip if session.spec is not None else "",
        execution_id=session.record.execution_id if session.record is not None else status.execution_id,
        phase=str(phase or "Pending"),
        progress=f"{ended}/{counts.planned}",
        message=standing.message if standing is not None else status.message,
        running=counts.planned - counts.succeeded - len(tasks) if why is not None else 0,
        succeeded=counts.succeeded,
        tasks=tasks,
    )


def _of_the_record(scene: Scene, session: SessionView) -> Why | None:
    """A session that is over is not looked at any more; its record still tells what became of its tasks."""
    if session.spec is None or session.record is None:
        return None
    chip = scene.chip_of(session, session.spec, session.record)
    run = scene.running(session, session.spec, session.record, chip)
    over = Hindrance(Reason.SKIPPED, f"the session is over: {session.status.message or session.status.phase}")
    return Why(run, scene.occupants, over)


def _shown(one: Explanation) -> TaskExplanation:
    return TaskExplanation(
        step=one.key.step,
        task=one.key.task,
        target=one.key.target,
        ordinal=one.key.ordinal,
        attempt=one.attempt,
        reason=one.reason.value,
        message=one.message,
        until=one.until,
    )
