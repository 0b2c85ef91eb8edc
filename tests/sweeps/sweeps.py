"""The sweeps: what each disturbs."""

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
from tests.sweeps.judging import Expected, Seen, as_cancelled, as_undisturbed, as_with_a_stranger
from tests.sweeps.scenario import SESSION
from tests.sweeps.scenarios import SCENARIOS

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
    """The session is deleted, or told to end, while the k-th write is on its way.

    What is asked for while the last process of a task still runs must be obeyed, and what is asked for after the
    operator has said that all tasks have ended comes too late. In between the operator may not have heard of an end
    that came before: two watches tell of them.
    """

    def __init__(self, variant: str, k: int) -> None:
        super().__init__(variant, k)
        self._told = False
        self._whole = frozenset({"cancelled", "completed"})

    def counts(self, call: Call) -> bool:
        return _is_write(call)

    async def around(self, call: Call, forward: Forward) -> Answer | None:
        # What is said earlier is said of a receipt that may turn out to be a lie.
        self._told = self._told or (self.scene.all_over and _says_all_ended(call))
        return await super().around(call, forward)

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        if self._told:
            self._whole = frozenset({"completed"})
        elif not self.scene.all_over:
            self._whole = frozenset({"cancelled"})
        if self.variant == "delete":
            await self.scene.lab.delete_session(SESSION)
        else:
            await self.scene.lab.patch_session(SESSION, {"cancel": True})
        return await forward()

    def judge(self, expected: Expected, seen: Seen) -> list[str]:
        return as_cancelled(expected, seen, self._whole)


def _says_all_ended(call: Call) -> bool:
    if call.method != "PATCH" or not call.path.endswith(f"/{names.SESSIONS}/{SESSION}/status"):
        return False
    tasks = json.loads(call.body).get("status", {}).get("tasks")
    return bool(tasks) and tasks["planned"] == sum(tasks.values()) - tasks["planned"] - tasks["running"]


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

    def judge(self, expected: Expected, seen: Seen) -> list[str]:
        """Our own pod is recognised; a stranger's is left alone."""
        return (as_undisturbed if self.variant == "resent" else as_with_a_stranger)(expected, seen)


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


@dataclass(frozen=True)
class Sweep:
    """One kind of disturbance, in its variants."""

    words: str
    variants: tuple[str, ...]
    make: Callable[[str, int], Disturbance]


SWEEPS: dict[str, Sweep] = {
    "crash": Sweep("killed at the k-th write, its answer heard or not", ("heard", "unheard"), Crash),
    "cancel": Sweep("deleted or cancelled at the k-th write", ("delete", "cancel"), Cancel),
    "requests": Sweep(
        "the k-th request answered 409, 429, 500 or not at all",
        ("conflict", "busy", "broken", "unsent", "unheard", "late"),
        LostRequest,
    ),
    "names": Sweep("the name of the k-th pod taken", ("resent", "stranger"), Taken),
    "events": Sweep("the k-th watch event lost, late, twice, or a 410", ("drop", "cut", "delay", "twice"), LostEvent),
    "stale": Sweep("one watch frozen from the k-th write on", _WATCHED, Stale),
    "away": Sweep("MongoDB away at the k-th call", ("before", "after"), Away),
}


@dataclass(frozen=True)
class Case:
    """One run."""

    scenario: str
    sweep: str
    variant: str
    k: int

    @property
    def name(self) -> str:
        """``trouble/crash/heard/17``: what runs it again."""
        return f"{self.scenario}/{self.sweep}/{self.variant}/{self.k}"

    @staticmethod
    def named(name: str) -> Case:
        """The case of a name.

        Raises
        ------
        ValueError
            If there is none; the message says how one is written.
        """
        parts = name.split("/")
        if len(parts) == 4:
            scenario, sweep, variant, k = parts
            if scenario in SCENARIOS and sweep in SWEEPS and variant in SWEEPS[sweep].variants and k.isdigit():
                return Case(scenario, sweep, variant, int(k))
        raise ValueError(f"there is no case {name!r}: SCENARIO/SWEEP/VARIANT/K, as in trouble/crash/heard/17")

    def disturbance(self) -> Disturbance:
        """What disturbs it."""
        return SWEEPS[self.sweep].make(self.variant, self.k)
