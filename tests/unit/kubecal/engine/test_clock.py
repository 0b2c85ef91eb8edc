"""What time a measurement counts as made at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubecal.api.catalogue import Catalogue
from kubecal.engine.clock import measure_at
from tests.unit.kubecal.engine.builders import CATALOGUE, NOON, chip_spec, later

FIXED = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "at"),
    [
        (None, NOON),
        ({}, NOON),
        ({"mode": "Wall"}, NOON),
        ({"mode": "Wall", "offsetSeconds": 90}, later(90)),
        ({"mode": "Wall", "offsetSeconds": -90}, later(-90)),
        ({"mode": "Fixed", "at": "2026-01-31T08:00:00Z"}, FIXED),
        ({"mode": "Fixed"}, NOON),
    ],
)
def test_a_simulated_chip_may_have_its_own_time(clock: dict[str, Any] | None, at: datetime) -> None:
    config = {} if clock is None else {"clock": clock}
    assert measure_at(CATALOGUE, chip_spec(backend={"name": "fake", "config": config}), NOON) == at


def test_real_instruments_measure_now() -> None:
    backend = CATALOGUE.backends[0].model_copy(update={"takes_clock": False})
    real = Catalogue(tasks=CATALOGUE.tasks, backends=(backend,))
    config = {"clock": {"mode": "Fixed", "at": "2026-01-31T08:00:00Z"}}
    assert measure_at(real, chip_spec(backend={"name": "fake", "config": config}), NOON) == NOON
