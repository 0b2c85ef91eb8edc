"""Bugs to be caught: each is put into the operator by the sweeps, to show that a sweep finds it.

Every one is a mistake that was easy to make here, and reads like code that works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kubecal.api.request import Receipt
from kubecal.engine import attempts, running
from kubecal.engine.attempts import TaskState
from kubecal.engine.draft import Draft
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import AttemptRow, PodView, Trouble
from kubecal.engine.retry import CRASH_LIMIT, Ending, exhausted
from kubecal.engine.running import Running
from kubecal_operator.creating import Created, Creator
from kubecal_operator.errors import ApiError


@dataclass(frozen=True)
class Plant:
    """One bug."""

    words: str
    plant: Callable[[], None]
    where: tuple[str, tuple[str, ...]]
    """The scenario and the sweeps in which it is looked for."""


def _put(where: object, name: str, instead: object) -> None:
    setattr(where, name, instead)


def _unchecked_already_exists() -> None:
    """Whoever has the name: it is taken for our pod."""

    async def existing(self: Creator, create: CreatePod) -> Created:
        self._release(create)
        return Created.DONE

    _put(Creator, "_existing", existing)


def _early_retry() -> None:
    """A pod that is being deleted is taken for one that is gone."""
    ends = attempts._with_pod
    held: Callable[[PodView], bool] = vars(PodView)["holds_wires"].fget

    def with_pod(at: attempts._At, pod: PodView, identity: str, now: datetime, pending_s: float) -> TaskState:
        if pod.deleting_since is not None and pod.terminated is None:
            return at.ending(Ending(Trouble.DISRUPTION, "PodDeleted", "the pod was deleted"))
        return ends(at, pod, identity, now, pending_s)

    _put(attempts, "_with_pod", with_pod)
    _put(PodView, "holds_wires", property(lambda pod: pod.deleting_since is None and held(pod)))


def _count_by_increment() -> None:
    """Crashes are counted where they are dealt with, instead of in the rows that say so."""
    counted: Counter[tuple[str, object]] = Counter()
    end = running._end_attempt

    def end_attempt(run: Running, state: TaskState, draft: Draft) -> None:
        def crashed_too_often(earlier: Sequence[AttemptRow], ending: Ending) -> str:
            if ending.trouble is not Trouble.CRASH:
                return exhausted(earlier, ending)
            counted[run.session.ref.uid, state.key] += 1
            times = counted[run.session.ref.uid, state.key]
            why = f"the last time with {ending.reason}: {ending.message}"
            return f"crashed {times} times, {why}" if times > CRASH_LIMIT else ""

        _put(running, "exhausted", crashed_too_often)
        end(run, state, draft)

    _put(running, "_end_attempt", end_attempt)


def _post_taken_for_lost() -> None:
    """No answer is taken for a no: the attempt is given up, and the next one starts."""
    refused = Creator._refused

    async def lost(self: Creator, create: CreatePod, error: ApiError) -> Created:
        if not error.outcome_unknown:
            return await refused(self, create, error)
        self._release(create)
        self._cache.gone[create.pod_name] = datetime.now(UTC)
        return Created.DONE

    _put(Creator, "_refused", lost)


def _believed_receipt() -> None:
    """What a pod says of its result is taken for the record of it."""
    receipt = attempts._At.receipt

    def believed(self: attempts._At, said: Receipt) -> TaskState:
        return replace(receipt(self, said), recorded=True, read=False)

    _put(attempts._At, "receipt", believed)


PLANTS: Mapping[str, Plant] = {
    "unchecked-already-exists": Plant("an unchecked AlreadyExists", _unchecked_already_exists, ("trouble", ("names",))),
    "early-retry": Plant("a retry before the old pod is gone", _early_retry, ("trouble", ("crash",))),
    "count-by-increment": Plant("a count kept by increment", _count_by_increment, ("trouble", ("crash",))),
    "post-taken-for-lost": Plant("a POST taken for lost", _post_taken_for_lost, ("trouble", ("requests",))),
    "believed-receipt": Plant("a receipt believed without its record", _believed_receipt, ("trouble", ("crash",))),
}
