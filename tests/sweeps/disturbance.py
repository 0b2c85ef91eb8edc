"""A case under way, and what all disturbances of it have in common: they fall on the k-th occasion."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from kubecal.api.catalogue import Catalogue
from kubecal.engine.planned import PARKING
from tests.controller.lab import Lab, OperatorProcess, free_port
from tests.sweeps.calls import Answer, Call, Event, Forward, Meddler
from tests.sweeps.database import DatabaseGateway
from tests.sweeps.gateway import Gateway
from tests.sweeps.judging import Expected, Seen, as_undisturbed
from tests.sweeps.operator import Fork, Manner
from tests.sweeps.scenario import Pods, Scenario


@dataclass
class SweepLab(Lab):
    """A lab whose operator is reached through the gateways and runs with short waits."""

    manner: Manner = field(default_factory=Manner)
    catalogue: Catalogue | None = None
    """The operator's; None: the one that ships."""

    def start_operator(self, identity: str = "operator-0", **environment: str) -> OperatorProcess:
        """Start the operator, or start it again: one identity is one pod that was restarted."""
        port = free_port()
        given = {**self._environment(identity, port), **environment}
        if self.catalogue is not None:
            file = self.folder / "catalogue.json"
            file.write_text(self.catalogue.to_json(), "utf-8")
            given["KUBECAL_CATALOGUE_FILE"] = str(file)
        log = self.folder / f"{identity}-{len(self.operators)}.log"
        operator = OperatorProcess(Fork(given, log, self.manner), log, port)
        self.operators.append(operator)
        return operator


@dataclass
class Scene:
    """What a disturbance may lay hands on."""

    scenario: Scenario
    lab: SweepLab
    gateway: Gateway
    database: DatabaseGateway
    pods: Pods
    begun: bool = False
    """Whether the session was applied: what comes before is the operator's own start."""
    background: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def all_over(self) -> bool:
        """Whether every attempt that measures has ended, as far as its process is concerned; parking comes after."""
        measured = {request.task_id for request in self.pods.measured if request.step != PARKING}
        return len(measured) == self.scenario.measured and measured <= self.pods.over

    def kill(self) -> None:
        """SIGKILL, and a new life at once."""
        self.lab.operators[-1].kill()
        self.spawn(self.database.end_sessions())
        self.lab.start_operator()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the session; it is waited for before the case is judged."""
        self.background.add(asyncio.create_task(work))


class Disturbance(Meddler):
    """Falls on the k-th call or event that counts for it; this one on none.

    Parameters
    ----------
    variant
        How it disturbs.
    k
        On which occasion, from 1.
    """

    scene: Scene

    def __init__(self, variant: str = "", k: int = 0) -> None:
        super().__init__()
        self.variant, self.k = variant, k
        self._seen = 0

    def counts(self, call: Call) -> bool:
        """Whether a call is an occasion."""
        return False

    def counts_event(self, event: Event) -> bool:
        """Whether a line of a watch is an occasion."""
        return False

    def due(self, what: str) -> bool:
        """Count one occasion; whether it is the one."""
        if not self.scene.begun:
            return False
        self._seen += 1
        if self._seen == self.k:
            self.happened = what
        return self._seen == self.k

    async def around(self, call: Call, forward: Forward) -> Answer | None:
        """Disturb the k-th call."""
        if self.counts(call) and self.due(call.what):
            return await self.disturb(call, forward)
        return await forward()

    async def disturb(self, call: Call, forward: Forward) -> Answer | None:
        """What is done to it."""
        return await forward()

    def found(self, expected: Expected, seen: Seen) -> list[str]:
        """What is wrong with what came out; a disturbance that came too late must not have left anything."""
        return seen.problems + (self.judge if self.happened else as_undisturbed)(expected, seen)

    def judge(self, expected: Expected, seen: Seen) -> list[str]:
        """What has to come out of a session that it fell upon."""
        return as_undisturbed(expected, seen)
