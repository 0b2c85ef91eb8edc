"""What a report is made of: the answers about one execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kubecal.api.catalogue import Catalogue
from kubecal.reading.answers import ExecutionDetail, ParameterValue, Result
from kubecal.reading.records import DEFAULT_PROJECT, NotRecordedError, Records
from kubecal.report.figures import Packed, pack
from kubecal.report.parameters import Kinds, kinds_of

ENDED = ("completed", "failed", "cancelled")
_SVG = ".svg"
_LOCAL_IMAGE = "local"
"""What records of a run without a cluster have in the place of an image."""


@dataclass(frozen=True)
class Material:
    """One execution with everything that came of it."""

    detail: ExecutionDetail
    results: tuple[Result, ...]
    parameters: tuple[ParameterValue, ...]
    """The chip's, as they were at the end."""
    figures: Mapping[str, Packed] = field(repr=False)
    """SVGs by file id."""
    made_at: datetime
    kinds: Kinds = field(default_factory=dict, repr=False)
    """What outputs are about."""

    @property
    def running(self) -> bool:
        """Whether more will come."""
        return self.detail.status not in ENDED

    @property
    def on_this_computer(self) -> bool:
        """Whether it ran without a cluster, where there are no namespaces and no images."""
        return self.detail.image == _LOCAL_IMAGE

    @property
    def namespace(self) -> str:
        """Of the session; empty: there are none."""
        return "" if self.on_this_computer else self.detail.namespace

    @property
    def zone(self) -> ZoneInfo:
        """The clock that the chip's people read; one that this computer does not know is read as UTC."""
        try:
            return ZoneInfo(self.detail.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


async def gather(
    records: Records,
    execution_id: str,
    made_at: datetime,
    *,
    catalogue: Catalogue | None = None,
    project: str = DEFAULT_PROJECT,
) -> Material:
    """Ask the records for all that the report of an execution needs.

    Parameters
    ----------
    catalogue
        Says which outputs are a qubit's own and which belong to a fit or the readout; None: nobody knows.

    Raises
    ------
    NotRecordedError
        If there is no such execution.
    RecordsError
        If the records cannot be asked.
    """
    detail = await records.execution(execution_id, project=project)
    results = await records.results(execution_id, project=project)
    try:
        known = await records.parameters_at(detail.chip, detail.ended_at or made_at, project=project)
    except NotRecordedError:
        known = ()  # A session that ended before its first task leaves no chip behind.
    figures = {
        file_id: pack(content) async for file_id, content in records.figures(execution_id, project=project, form="svg")
    }
    return Material(detail, tuple(results), tuple(known), figures, made_at, kinds_of(catalogue))


def svg_ids(result: Result) -> tuple[str, ...]:
    """The file ids of a result's figures, one each."""
    return tuple(file_id for file_id in result.figure_ids if file_id.endswith(_SVG))
