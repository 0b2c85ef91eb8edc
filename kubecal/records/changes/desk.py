"""What every change of records works with: the intent, the transaction it is made in, and what it comes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pymongo import UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipSpec
from kubecal.engine.clock import measure_at
from kubecal.engine.intents import RunAction
from kubecal.records.documents import Document, attempt_id, day_of
from kubecal.records.ended import milliseconds
from kubecal.records.publication import Owner, Writer, Writing

Write = UpdateOne | UpdateMany
Values = Mapping[str, Mapping[str, Document]]
"""Value documents by the qubit or coupling they belong to, and by parameter."""
VALUE_FIELDS = (
    *("parameter_name", "qid_role", "value", "value_type", "error", "unit", "description"),
    *("calibrated_at", "cooldown_id", "execution_id", "task_id"),
)
"""What a value document consists of."""
BY_HAND = "by_hand"
"""Marks those that a person set: no measurement has to agree with them."""


MAX_VALUES = 3_000
"""Values that one step makes current: the embedded server writes them well within the time of a transaction, and what
tells of them stays below 1 MiB."""


class Impossible(Exception):  # noqa: N818 - an answer, not a fault: the row says so
    """What is asked for cannot be done; the message says why and what to correct."""


@dataclass
class Change:
    """What a change comes to."""

    message: str
    writes: list[Write] = field(default_factory=list)
    values: Values = field(default_factory=dict)
    """What became current; for the row."""
    attempts: Sequence[str] = ()
    """Ids of attempts whose rows are changed, beside the change's own: whoever drives them has to learn of it."""


@dataclass(frozen=True)
class Origin:
    """Where values that become current come from: the row of a task, or that of the change."""

    execution_id: str
    task: str
    """Name of the task."""
    row: str
    """``_id`` of the row."""
    started_at: datetime
    ended_at: datetime
    used: tuple[str, ...] = ()
    """Versions of parameters they were made of."""


@dataclass(frozen=True)
class Desk:
    """One intent, and the transaction in which it is carried out."""

    intent: RunAction
    catalogues: Sequence[Catalogue]
    """What is known of tasks and backends, the built-in one first."""
    now: datetime
    database: AsyncDatabase[Document]
    session: AsyncClientSession

    @property
    def chip(self) -> ChipSpec:
        """The session's chip, as it was admitted."""
        assert self.intent.chip.spec is not None
        return self.intent.chip.spec

    @property
    def clock(self) -> datetime:
        """What time it is for the chip's values: that of a simulated chip may be another one than ours."""
        return milliseconds(measure_at(self.catalogues[0], self.chip, self.now))

    @property
    def attempt(self) -> str:
        """The id of the change's attempt, which is also that of its only row."""
        return attempt_id(self.intent.ref, self.intent.key, self.intent.attempt)

    @property
    def origin(self) -> Origin:
        """The change's own row, as where values come from."""
        return Origin(self.intent.execution_id, self.intent.key.task, self.attempt, self.now, self.now)

    @property
    def place(self) -> Document:
        """The chip in the records."""
        return {"project_id": self.chip.project_id, "chip_id": self.intent.chip.name}

    def namespace(self, collection: str) -> str:
        """For a write."""
        return f"{self.database.name}.{collection}"

    def writer(self, owner: Owner, origin: Origin) -> Writer:
        """Writes values, by this session's user, as what came out of a row."""
        place = (self.chip.project_id, self.intent.chip.name, self.intent.spec.username)
        writing = Writing(*place, origin.execution_id, origin.task, origin.row)
        return Writer(writing, owner, self.database.name, self.now)

    def day(self, qid: str, data: Mapping[str, Document]) -> UpdateOne:
        """A qubit's or coupling's state, as that of the chip's day."""
        return self.writer(owner_of(qid), self.origin).day(data, day_of(self.clock, self.chip.zone))

    async def current(self, qids: Iterable[str]) -> dict[str, Mapping[str, Document]]:
        """What is published of qubits and couplings, by their ids."""
        wanted: dict[str, list[str]] = defaultdict(list)
        for qid in qids:
            wanted[owner_of(qid).collection].append(qid)
        found: dict[str, Mapping[str, Document]] = {}
        for collection, ids in wanted.items():
            key = {**self.place, "qid": {"$in": ids}}
            async for each in self.database[collection].find(key, {"qid": 1, "data": 1}, session=self.session):
                found[each["qid"]] = each["data"]
        return found


def owner_of(qid: str, row: str = "") -> Owner:
    """Whose values they are: a coupling has a - in its id."""
    return Owner("coupling" if "-" in qid else "qubit", qid, row)


def many(number: int, what: str) -> str:
    """A number of things: ``1 parameter``, ``2 parameters``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def count(values: Mapping[str, Mapping[str, object]]) -> int:
    """How many values there are."""
    return sum(map(len, values.values()))
