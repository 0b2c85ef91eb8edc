"""What publishing an execution would change, before anybody does it: old and new in sigmas."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kubecal.reading.answers import OutputValue, ParameterValue, Result

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Proposed:
    """One value that would become current."""

    target: str
    name: str
    unit: str
    value: float
    error: float
    current: ParameterValue | None
    """What it would replace; None: nothing."""
    task_id: str = ""
    """Of the result that it comes from."""
    outdated: bool = False
    """What is current was measured later: this one is left aside."""

    @property
    def is_current(self) -> bool:
        """Whether it is the chip's already."""
        return self.current is not None and self.current.task_id == self.task_id

    @property
    def sigmas(self) -> float | None:
        """(new - old) / sqrt(errors²); None where there is nothing to compare with."""
        if self.current is None:
            return None
        scatter = math.hypot(self.error, self.current.error)
        return (self.value - self.current.value) / scatter if scatter > 0 else None


def proposed(
    results: Iterable[Result],
    current: Sequence[ParameterValue],
    *,
    targets: Sequence[str] = (),
    parameters: Sequence[str] = (),
) -> list[Proposed]:
    """What a step ``publish`` would publish of these results, by target, then by name.

    The newest accepted value of each parameter counts; what belongs to one group goes together.
    """
    there = {(one.target, one.name): one for one in current}
    taken: dict[str, set[str]] = defaultdict(set)
    found: list[Proposed] = []
    for row in sorted(filter(_counts, results), key=_newest_first):
        if targets and row.qid not in targets:
            continue
        for group in _groups(row.outputs):
            names = {output.name for output in group}
            wanted = not parameters or not names.isdisjoint(parameters)
            accepted = all(output.accepted for output in group)
            if wanted and accepted and taken[row.qid].isdisjoint(names):
                taken[row.qid] |= names
                found += _of_group(row, group, there)
    return sorted(found, key=lambda one: (len(one.target), one.target, one.name))


def _counts(row: Result) -> bool:
    return row.status == "completed" and not row.excluded and row.qid != ""


def _newest_first(row: Result) -> tuple[float, float]:
    return -_at(row.measured_at), -_at(row.ended_at)


def _at(moment: datetime | None) -> float:
    return moment.timestamp() if moment is not None else 0.0


def _groups(outputs: Sequence[OutputValue]) -> Iterable[Sequence[OutputValue]]:
    groups: dict[str, list[OutputValue]] = defaultdict(list)
    for output in outputs:
        groups[output.group or f"\x1f{output.name}"].append(output)
    return groups.values()


def _of_group(
    row: Result, group: Sequence[OutputValue], current: Mapping[tuple[str, str], ParameterValue]
) -> list[Proposed]:
    now = [current.get((row.qid, output.name)) for output in group]
    # A group is published whole or not at all, so one newer member keeps it.
    measured = row.measured_at or _LONG_AGO
    outdated = any(one is not None and one.measured_at > measured for one in now)
    return [
        Proposed(
            target=row.qid,
            name=output.name,
            unit=output.unit,
            value=output.value,
            error=output.error,
            current=old,
            task_id=row.task_id,
            outdated=outdated,
        )
        for output, old in zip(group, now, strict=True)
    ]
