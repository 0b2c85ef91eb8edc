"""Ended pods are removed, so that the cluster does not keep one for every task that ever ran (rule 12).

Only those whose record is final count as settled: what they said is then in the database, and nothing is concluded
from them any more. The ones that succeeded go together, since one call removes them all; the ones that failed are kept
for people who want to look at them, up to a number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kubecal.engine.attempts import live
from kubecal.engine.intents import DeletePod, SweepPods
from kubecal.engine.model import PodView, SessionRecord, SessionView, TaskKey
from kubecal.engine.scene import Scene

SWEPT_ABOVE = 200
"""Settled pods of a running session that are left where they are."""
FAILED_KEPT = 20
"""Failed pods of a session that people can still look at."""


def sweep(scene: Scene, session: SessionView, record: SessionRecord, *, ended: bool = False) -> None:
    """Remove the session's settled pods, when they have become many or the session has ended."""
    stopped = _stopped(scene, session)
    succeeded = [pod for pod in stopped if pod.phase == "Succeeded"]
    failed = [pod for pod in stopped if pod.phase == "Failed"]
    most = 0 if ended else SWEPT_ABOVE
    if len(succeeded) <= most and len(failed) <= FAILED_KEPT:
        # Nearly every pass ends here: the rows, thousands of them, are looked at only when there is something to do.
        return
    final = {(row.key, row.attempt) for row in record.rows if row.final}
    settled = _settled(succeeded, final)
    if len(settled) > most:
        scene.draft.add("sweeps", SweepPods(session.ref, settled))
    surplus = sorted(_settled(failed, final), key=lambda pod: (pod.created_at, pod.name))
    for pod in surplus[: max(0, len(failed) - FAILED_KEPT)]:
        scene.draft.add("deletes", DeletePod(pod, f"more than {FAILED_KEPT} pods of its session have failed"))


def _stopped(scene: Scene, session: SessionView) -> list[PodView]:
    """The session's pods that can do nothing any more, but for those that are on their way out already."""
    drafted = {one.pod.uid for one in scene.draft.drafted("deletes") if isinstance(one, DeletePod)}
    return [
        pod for pod in scene.pods_of(session) if pod.deleting_since is None and not live(pod) and pod.uid not in drafted
    ]


def _settled(pods: Sequence[PodView], final: Collection[tuple[TaskKey, int]]) -> tuple[PodView, ...]:
    return tuple(pod for pod in pods if (pod.key, pod.attempt) in final)
