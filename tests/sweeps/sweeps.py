"""The sweeps: what each disturbs, and what has to come out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kubecal_operator import names
from tests.sweeps.calls import Answer, Call, Cut, Event, Forward, Json
from tests.sweeps.disturbance import Disturbance
from tests.sweeps.gateway import status_body
from tests.sweeps.lane import Seen
from tests.sweeps.scenario import ROWS, SESSION, differences, outcome, rows_of

_WATCHED = ("chips", "calibrationsessions", "pods")
_AWAY_S = 2.0
_DELAY_S = 1.0
_LATE_S = 0.7
"""A request that is carried out after its sender has given up, and still within its ``?timeout=``."""
_QUIET_S, _FROZEN_MOST_S = 1.0, 5.0


def _is_write(call: Call) -> bool:
    return call.writes and "createIndexes" not in call.what


class Crash(Disturbance):
    """The operator is killed at its k-th write, to either server, and starts again."""

    def counts(self, call: Call) -> bool:
        return _is_write(call)

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        answer = await forward()
        if self.variant == "heard":
            return replace(answer, then=self.scene.kill)
        self.scene.kill()
        return None


class Cancel(Disturbance):
    """The session is deleted, or told to end, while the k-th write is on its way."""

    def counts(self, call: Call) -> bool:
        return _is_write(call)

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        if self.variant == "delete":
            await self.scene.lab.delete_session(SESSION)
        else:
            await self.scene.lab.patch_session(SESSION, {"cancel": True})
        return await forward()


class LostEvent(Disturbance):
    """The k-th event of the three watches does not come, comes late, comes twice, or ends its watch."""

    def __init__(self, variant: str, k: int) -> None:
        super().__init__(variant, k)
        if variant == "drop":
            # Nobody tells of a lost event but the next list.
            self.relist_s = 3.0

    async def event(self, event: Event) -> Sequence[bytes]:
        if event.kind not in _WATCHED or event.type == "BOOKMARK" or not self.due(f"{event.type} {event.kind}"):
            return (event.line,)
        match self.variant:
            case "drop":
                return ()
            case "cut":
                raise Cut(410)
            case "delay":
                await asyncio.sleep(_DELAY_S)
                return (event.line,)
        return (event.line, event.line)


class LostRequest(Disturbance):
    """The k-th request is refused for now, fails, or is never answered."""

    def counts(self, call: Call) -> bool:
        if call.database:
            return False
        # What fails of itself may also be a read; what has been carried out is of interest with writes only.
        return call.writes or self.variant in ("busy", "broken", "unsent")

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        match self.variant:
            case "conflict":
                return Answer(409, status_body(409, "Conflict", "the object has been modified"))
            case "busy":
                return Answer(429, status_body(429, "TooManyRequests", "later"), retry_after_s=1)
            case "broken":
                return Answer(500, status_body(500, "InternalError", "etcdserver: leader changed"))
            case "unsent":
                return None
            case "late":
                self.scene.spawn(_later(forward))
                return None
        await forward()
        return None


async def _later(forward: Forward) -> None:
    await asyncio.sleep(_LATE_S)
    await forward()


class Taken(Disturbance):
    """The name of the k-th pod is taken: by itself, since something on the way sent it twice, or by a stranger's."""

    def counts(self, call: Call) -> bool:
        return call.method == "POST" and call.path == names.pods(self.scene.lab.namespace)

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        if self.variant == "resent":
            await forward()
        else:
            await self.scene.lab.api.create(call.path, _stranger(json.loads(call.body)))
        return await forward()


def _stranger(body: Json) -> Json:
    meta = {"name": body["metadata"]["name"], "labels": {"app": "somebody-else"}}
    return {**body, "metadata": meta}


class Stale(Disturbance):
    """From the k-th write on one watch is frozen, until nothing is written any more."""

    def __init__(self, variant: str, k: int) -> None:
        super().__init__(variant, k)
        self._flows = asyncio.Event()
        self._flows.set()
        self._wrote_at = 0.0

    def counts(self, call: Call) -> bool:
        if call.writes:
            self._wrote_at = time.monotonic()
        return _is_write(call)

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        self._flows.clear()
        self.scene.spawn(self._released_when_quiet())
        return await forward()

    async def event(self, event: Event) -> Sequence[bytes]:
        if event.kind == self.variant:
            await self._flows.wait()
        return (event.line,)

    async def _released_when_quiet(self) -> None:
        async def quiet() -> bool:
            return time.monotonic() - self._wrote_at > _QUIET_S

        with contextlib.suppress(AssertionError):
            await self.scene.lab.until(quiet, "an operator that waits", _FROZEN_MOST_S)
        self._flows.set()


class Away(Disturbance):
    """MongoDB goes away at the k-th call, carried out or not, and is back two seconds later."""

    def counts(self, call: Call) -> bool:
        return call.database and "createIndexes" not in call.what

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        if self.variant == "after":
            await forward()
        self.scene.database.cut()
        self.scene.spawn(self._back())
        return None

    async def _back(self) -> None:
        await asyncio.sleep(_AWAY_S)
        await self.scene.database.end_sessions()
        await self.scene.database.mend()


# ---------------------------------------------------------------------- what has to come out


def as_undisturbed(reference: Json, seen: Seen, variant: str) -> list[str]:
    """Everything is as in the run that nobody disturbed."""
    if seen.status is None:
        return []
    return differences(reference, outcome(seen.status, seen.documents))


def as_cancelled(reference: Json, seen: Seen, variant: str) -> list[str]:
    """What had ended stays as it was, all else is cancelled, and nothing is published that was not completed."""
    rows = rows_of(seen.documents["task_result_history"])
    found = [
        f"row {key} is {row}, neither cancelled nor {ROWS.get(key)}"
        for key, row in rows.items()
        if row[0] not in ("cancelled", "skipped") and row != ROWS.get(key)
    ]
    executions = seen.documents["execution_history"]
    if rows and len(executions) != 1:
        found.append(f"{len(executions)} executions")
    for execution in executions:
        wanted = "completed" if rows == ROWS else "cancelled"
        if execution["status"] != wanted:
            found.append(f"the execution is {execution['status']}, and its rows say {wanted}")
        if sum(execution["counts"].get(key, 0) for key in ("succeeded", "failed", "skipped", "cancelled")) != 8:
            found.append(f"the counts of the record do not add up: {execution['counts']}")
    completed = sorted(target for (task, target, _), row in rows.items() if task == "CheckT1" and row[0] == "completed")
    published = sorted(one["qid"] for one in seen.documents["parameter_versions"])
    if published != completed:
        found.append(f"published of qubits {published}, completed of {completed}")
    tasks = (seen.status or {}).get("tasks")
    if tasks and (tasks["running"] or tasks["planned"] != sum(tasks.values()) - tasks["planned"]):
        found.append(f"the counts of the status do not add up: {tasks}")
    return found


def as_taken(reference: Json, seen: Seen, variant: str) -> list[str]:
    """Our own pod is recognised; because of a stranger's that task fails, and says so, and all others go on."""
    if variant == "resent" or seen.status is None:
        return as_undisturbed(reference, seen, variant)
    rows = seen.documents["task_result_history"]
    refused = [(row["name"], row["qid"], row["attempt"]) for row in rows if "NameTaken" in row["message"]]
    if len(refused) != 1:
        return [f"{len(refused)} rows say NameTaken: {refused}"]
    target = refused[0][1]
    return [
        f"row {key} of another target is {row} instead of {ROWS[key]}"
        for key, row in rows_of(rows).items()
        if key[1] != target and row != ROWS[key]
    ]


Judge = Callable[[Json, Seen, str], list[str]]


@dataclass(frozen=True)
class Sweep:
    """One kind of disturbance, in its variants."""

    words: str
    variants: tuple[str, ...]
    make: Callable[[str, int], Disturbance]
    judge: Judge = as_undisturbed


SWEEPS: dict[str, Sweep] = {
    "crash": Sweep("killed at the k-th write, its answer heard or not", ("heard", "unheard"), Crash),
    "cancel": Sweep("deleted or cancelled at the k-th write", ("delete", "cancel"), Cancel, as_cancelled),
    "requests": Sweep(
        "the k-th request answered 409, 429, 500 or not at all",
        ("conflict", "busy", "broken", "unsent", "unheard", "late"),
        LostRequest,
    ),
    "names": Sweep("the name of the k-th pod taken", ("resent", "stranger"), Taken, as_taken),
    "events": Sweep("the k-th watch event lost, late, twice, or a 410", ("drop", "cut", "delay", "twice"), LostEvent),
    "stale": Sweep("one watch frozen from the k-th write on", _WATCHED, Stale),
    "away": Sweep("MongoDB away at the k-th call", ("before", "after"), Away),
}


@dataclass(frozen=True)
class Case:
    """One run."""

    sweep: str
    variant: str
    k: int

    @property
    def name(self) -> str:
        """``crash/heard/17``: what runs it again."""
        return f"{self.sweep}/{self.variant}/{self.k}"

    @staticmethod
    def named(name: str) -> Case:
        """The case of a name."""
        sweep, variant, k = name.split("/")
        if sweep not in SWEEPS or variant not in SWEEPS[sweep].variants or not k.isdigit():
            raise ValueError(f"there is no case {name!r}: SWEEP/VARIANT/K, as in crash/heard/17")
        return Case(sweep, variant, int(k))

    def disturbance(self) -> Disturbance:
        """What disturbs it."""
        return SWEEPS[self.sweep].make(self.variant, self.k)

    def judge(self, reference: Json, seen: Seen, happened: str) -> list[str]:
        """What is wrong with what came out; a disturbance that came too late must not have left anything."""
        judge = SWEEPS[self.sweep].judge if happened else as_undisturbed
        return seen.problems + judge(reference, seen, self.variant)
