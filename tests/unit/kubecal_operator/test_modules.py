"""Lock domains whose chips share a module: what each sees of the other, and who is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from kubecal.api.wires import Wire, WireKind, WireMode
from kubecal.engine.intents import CreatePod, Decision
from kubecal.engine.model import ChipView, PodView, RecordsHealth, SessionView
from kubecal_operator.cache import Cache
from kubecal_operator.catalogues import AuthorCatalogues
from kubecal_operator.client import ApiClient
from kubecal_operator.domains import Domains
from kubecal_operator.execute import Acted, Executor, Outcome
from kubecal_operator.observe import Observer
from tests.unit.kubecal.engine.builders import (
    CATALOGUE,
    FIRST,
    chip,
    given_up,
    pod,
    receipt,
    recorded,
    session,
    terminated,
)

_SQUARE: dict[str, Any] = {"squareLattice": {"rows": 2, "columns": 2, "muxSize": 4}}
_WIRED: dict[str, Any] = {"topology": _SQUARE, "wiring": {"muxes": [{"id": 0, "readout": ["R1"], "exclusive": True}]}}
_R1 = Wire(WireMode.EXCLUSIVE, WireKind.MODULE, "R1")
_PATIENCE_S = 5.0


def _running(name: str, **spec: Any) -> tuple[ChipView, SessionView]:
    """A session of three qubits, each one task, that holds the chip of this name."""
    asked = session(f"on-{name}", chip=name, tasks=("Rabi",), targets={"qubits": ["0", "1", "2"]})
    view = recorded(asked, on=chip(name, **spec), status="running")
    its = chip(name, held_by=[view], **spec)
    since_now = tuple(one.model_copy(update={"since": datetime.now(UTC)}) for one in its.status.holders)
    return replace(its, status=its.status.model_copy(update={"holders": since_now})), view


def _cache(*pairs: tuple[ChipView, SessionView]) -> Cache:
    cache = Cache(health=RecordsHealth(available=True))
    cache.chips = {(one.namespace, one.name): one for one, _ in pairs}
    cache.sessions = {view.ref.uid: view for _, view in pairs}
    return cache


@dataclass
class Instruments:
    """Carries out creates at its leisure: as long as records take to be written, and pods to be made."""

    cache: Cache
    running: list[tuple[CreatePod, PodView]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    executing: asyncio.Event = field(default_factory=asyncio.Event)
    late: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: decisions are carried out now."""
    hold: int = 1
    """How many decisions there must be before the first is carried out."""
    asked: int = 0
    fails: bool = False
    _version: int = 100

    async def execute(self, domain: str, decision: Decision, pressed: Callable[[], bool]) -> Outcome:
        fails = self.fails
        self.asked += 1
        self.executing.set()
        if self.asked >= self.hold:
            self.late.set()
        await self.late.wait()
        for create in decision.creates if not fails else ():
            self._start(create)
        return Outcome(Acted.NOT)

    def _start(self, create: CreatePod) -> None:
        owner = self.cache.sessions[create.ref.uid]
        view = pod(owner, create.planned.key, wires=create.planned.wires)
        assert create.planned.key.target not in [one.planned.key.target for one, _ in self.running if one.ref == owner]
        self._put(create, view)
        self.running.append((create, view))
        self.order.append(create.chip.name)
        self.started.set()

    def _put(self, create: CreatePod, view: PodView) -> None:
        self._version += 1
        assert self.cache.put_pod(view, f"lab/{create.chip.name}", self._version)

    def finish(self) -> str:
        """The only task that runs ends; the domain whose pod it was."""
        ((create, view),) = self.running
        self.running.clear()
        owner = self.cache.sessions[create.ref.uid]
        outcome = receipt(owner, create.planned.key)
        self._put(create, replace(view, terminated=terminated(0, reason="Completed", outcome=outcome)))
        return f"lab/{create.chip.name}"

    async def next_one(self) -> None:
        await asyncio.wait_for(self.started.wait(), _PATIENCE_S)
        self.started.clear()


def _observer(cache: Cache) -> Observer:
    no_images = AuthorCatalogues(cast(ApiClient, None), cache, lambda _: None, cast(Any, None))
    return Observer(cache, CATALOGUE, "kubecal/tasks:1", no_images, lambda: True)


def _domains(cache: Cache, instruments: Instruments) -> Domains:
    return Domains(cache, cast(Executor, instruments), _observer(cache), lambda: True)


async def test_two_chips_take_turns_on_their_module() -> None:
    cache = _cache(*(_running(name, **_WIRED) for name in ("fridge-a", "fridge-b")))
    # Both decide before anything of the other is to be seen but what it reserved.
    instruments = Instruments(cache, hold=2)
    domains = _domains(cache, instruments)
    domains.poke_all()
    for number in range(1, 7):
        await instruments.next_one()
        assert len(instruments.running) == 1
        assert len(instruments.order) == number
        domains.poke(instruments.finish())
    await domains.close()
    assert sorted(instruments.order[:2]) == ["fridge-a", "fridge-b"]
    assert instruments.order == instruments.order[:2] * 3


async def test_chips_with_modules_of_their_own_do_not_wait_for_each_other() -> None:
    other = {**_WIRED, "wiring": {"muxes": [{"id": 0, "readout": ["R2"], "exclusive": True}]}}
    cache = _cache(_running("fridge-a", **_WIRED), _running("fridge-b", **other))
    instruments = Instruments(cache)
    domains = _domains(cache, instruments)
    domains.poke_all()
    while len(instruments.order) < 2:
        await instruments.next_one()
    await domains.close()
    assert sorted(instruments.order) == ["fridge-a", "fridge-b"]


async def test_modules_of_creates_that_came_to_nothing_are_given_to_who_waits() -> None:
    pairs = [_running(name, **_WIRED) for name in ("fridge-a", "fridge-b")]
    cache = _cache(*pairs)
    instruments = Instruments(cache, fails=True, hold=99)
    domains = _domains(cache, instruments)
    domains.poke("lab/fridge-a")
    await asyncio.wait_for(instruments.executing.wait(), _PATIENCE_S)
    assert {one.session_uid for one in cache.reservations.values()} == {pairs[0][1].ref.uid}
    instruments.fails = False
    # Nobody pokes the other: it is woken because the first lets go.
    instruments.late.set()
    await instruments.next_one()
    await domains.close()
    assert instruments.order == ["fridge-b"]


def _soon() -> datetime:
    return datetime.now(UTC)


def _seen_from_a(cache: Cache) -> list[tuple[str, str]]:
    observed = _observer(cache).observe("lab/fridge-a")
    return [(one.what, one.chip) for one in observed.elsewhere]


def test_a_pod_is_seen_from_the_other_chip_until_its_process_has_ended() -> None:
    (chip_a, mine), (chip_b, theirs) = (_running(name, **_WIRED) for name in ("fridge-a", "fridge-b"))
    cache = _cache((chip_a, mine), (chip_b, theirs))
    cache.put_pod(pod(mine, wires=(_R1,)), "lab/fridge-a", 1)
    view = pod(theirs, wires=(_R1,))
    cache.put_pod(view, "lab/fridge-b", 2)
    cache.modules.taken_note()
    assert _seen_from_a(cache) == [("Rabi on 0", "fridge-b")]
    cache.put_pod(replace(view, terminated=terminated(0)), "lab/fridge-b", 3)
    assert _seen_from_a(cache) == []
    assert cache.modules.taken_note() == {"R1"}
    assert cache.modules.taken_note() == frozenset()


def test_a_pod_that_was_moved_or_is_gone_is_not_looked_up_any_more() -> None:
    _, theirs = _running("fridge-b", **_WIRED)
    cache = _cache(_running("fridge-a", **_WIRED))
    view = pod(theirs, wires=(_R1,))
    cache.put_pod(view, "lab/fridge-b", 2)
    assert set(cache.modules.pods) == {"R1"}
    cache.put_pod(replace(view, wires=(replace(_R1, id="R2"),)), "lab/fridge-b", 3)
    assert set(cache.modules.pods) == {"R2"}
    cache.drop_pod(view.namespace, view.name, view.uid)
    assert cache.modules.pods == {}
    assert cache.modules.taken_note() == {"R1", "R2"}


def test_an_attempt_that_was_given_up_tells_the_other_chip_when_its_module_will_be_free() -> None:
    chip_b, theirs = _running("fridge-b", **_WIRED)
    cache = _cache(_running("fridge-a", **_WIRED), (chip_b, theirs))
    lost = given_up(FIRST, wires=(_R1,), claimed_by="a pod that is gone", reason="PodGone", grace_s=30)
    cache.merge_rows({theirs.ref.uid: [replace(lost, superseded_at=_soon())]})
    assert cache.modules.taken_note() == {"R1"}
    assert [chip for _, chip in _seen_from_a(cache)] == ["fridge-b"]


def test_nothing_is_kept_of_chips_that_name_no_modules() -> None:
    pair = _running("fridge-a", topology=_SQUARE)
    cache = _cache(pair)
    cache.put_pod(pod(pair[1], wires=(Wire(WireMode.EXCLUSIVE, WireKind.QUBIT, "0"),)), "lab/fridge-a", 1)
    assert cache.modules.pods == {}
    assert cache.modules.taken_note() == frozenset()
