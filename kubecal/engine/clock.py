"""What time a measurement counts as made at."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubecal.api.catalogue import Catalogue
from kubecal.api.chip import ChipSpec


def measure_at(catalogue: Catalogue, chip: ChipSpec, now: datetime) -> datetime:
    """Wall time, or what a simulated chip's clock says: shifted, or fixed for identical data."""
    backend = catalogue.backend_by_name.get(chip.backend.name)
    clock = chip.backend.config.get("clock") if backend is not None and backend.takes_clock else None
    if not isinstance(clock, dict):
        return now
    if clock.get("mode") == "Fixed" and "at" in clock:
        return datetime.fromisoformat(str(clock["at"]).replace("Z", "+00:00"))
    return now + timedelta(seconds=float(clock.get("offsetSeconds", 0)))
