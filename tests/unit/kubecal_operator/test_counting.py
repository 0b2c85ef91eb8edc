"""When the parameters of a chip are counted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from kubecal.api.chip import ParameterCounts
from kubecal.api.session_status import Phase
from kubecal.engine.model import ChipView
from kubecal.records.failures import Unusable
from kubecal.records.store import RecordStore, RecordsUnavailable
from kubecal_operator import counting
from kubecal_operator.cache import Cache
from kubecal_operator.catalogues import AuthorCatalogues
from kubecal_operator.counting import AGAIN_S, ParameterCounter
from tests.unit.kubecal.engine.builders import CATALOGUE, chip, session

COUNTS = ParameterCounts(calibrated=3)


class _NoImages:
    def of(self, *_: Any) -> dict[tuple[str, str], str]:
        return {("lab", "mylab"): "ConfigMap mylab has not been read yet"}


@dataclass
class Office:
    """A counter, and what it asks and says; Any: whatever the counter passes on."""

    monkeypatch: pytest.MonkeyPatch
    cache: Cache = field(default_factory=Cache)
    asked: list[tuple[str, str]] = field(default_factory=list)
    poked: list[str | None] = field(default_factory=list)
    counts: ParameterCounts = COUNTS
    down: bool = False
    time_s: float = 0.0

    def __post_init__(self) -> None:
        async def count(_: RecordStore, project: str, name: str, **__: Any) -> ParameterCounts:
            self.asked.append((project, name))
            if self.down:
                raise RecordsUnavailable(Unusable.UNREACHABLE, "MongoDB does not answer")
            return self.counts

        self.monkeypatch.setattr(counting, "count_parameters", count)
        self.monkeypatch.setattr(counting.time, "monotonic", lambda: self.time_s)
        images = cast(AuthorCatalogues, _NoImages())
        self.counter = ParameterCounter(
            cast(RecordStore, None), self.cache, CATALOGUE, images, lambda: True, self.poked.append
        )

    def with_chip(self) -> ChipView:
        made = chip()
        self.cache.chips[made.namespace, made.name] = made
        return made


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(monkeypatch)


async def test_a_chip_is_counted_when_it_is_seen_first_and_its_domain_is_told(office: Office) -> None:
    made = office.with_chip()
    await office.counter.count_due()
    assert (office.asked, office.poked) == ([("default", "fridge-a")], ["lab/fridge-a"])
    assert office.cache.parameters == {made.uid: COUNTS}


async def test_nothing_is_asked_again_before_something_can_have_changed(office: Office) -> None:
    office.with_chip()
    for office.time_s in (0.0, 5.0, AGAIN_S - 1.0):
        await office.counter.count_due()
    assert len(office.asked) == 1


async def test_a_quarter_of_an_hour_later_it_is_counted_anew_and_equal_counts_wake_nobody(office: Office) -> None:
    office.with_chip()
    for office.time_s in (0.0, AGAIN_S):
        await office.counter.count_due()
    assert (len(office.asked), len(office.poked)) == (2, 1)


async def test_the_end_of_a_session_is_a_reason_to_count(office: Office) -> None:
    office.with_chip()
    running = session()
    office.cache.sessions[running.ref.uid] = running
    await office.counter.count_due()
    ended = running.status.model_copy(update={"phase": Phase.COMPLETED})
    office.cache.sessions[running.ref.uid] = replace(running, status=ended)
    await office.counter.count_due()
    assert len(office.asked) == 2


async def test_a_changed_chip_is_counted_anew(office: Office) -> None:
    made = office.with_chip()
    await office.counter.count_due()
    office.cache.chips[made.namespace, made.name] = replace(made, generation=2)
    await office.counter.count_due()
    assert len(office.asked) == 2


async def test_what_could_not_be_asked_is_asked_the_next_time(office: Office) -> None:
    office.with_chip()
    office.down = True
    await office.counter.count_due()
    assert office.cache.parameters == {}
    office.down = False
    await office.counter.count_due()
    assert len(office.asked) == 2
    assert office.poked == ["lab/fridge-a"]


async def test_the_counts_of_a_chip_that_is_gone_are_forgotten(office: Office) -> None:
    office.with_chip()
    await office.counter.count_due()
    office.cache.chips.clear()
    await office.counter.count_due()
    assert office.cache.parameters == {}


async def test_a_chip_that_does_not_parse_is_left_alone(office: Office) -> None:
    made = office.with_chip()
    office.cache.chips[made.namespace, made.name] = replace(made, spec=None)
    await office.counter.count_due()
    assert (office.asked, office.cache.parameters) == ([], {})
