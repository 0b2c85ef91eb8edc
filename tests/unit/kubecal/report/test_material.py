"""What is asked of the records for a report."""

from datetime import UTC, datetime
from typing import Any

from kubecal.api.catalogue import built_in_catalogue
from kubecal.reading.records import NotRecordedError
from kubecal.report.material import gather
from kubecal.report.parameters import Kind
from tests.unit.kubecal.report.builders import LATER, a_result, an_execution, material, moment


class _Records:
    """Answers what it was given, and notes which moment it was asked about."""

    def __init__(self, *, chip_known: bool = True, **execution: Any) -> None:
        self.detail = an_execution(**execution)
        self.moments: list[datetime] = []
        self._chip_known = chip_known

    async def execution(self, execution_id: str, *, project: str) -> object:
        return self.detail

    async def results(self, execution_id: str, *, project: str) -> object:
        return [a_result(figure_ids=("a.svg", "a.png"))]

    async def parameters_at(self, chip: str, moment: datetime, *, project: str) -> object:
        self.moments.append(moment)
        if not self._chip_known:
            raise NotRecordedError("there is no chip 'fridge-a'")
        return []

    async def figures(self, execution_id: str, *, project: str, form: str) -> Any:
        yield "a.svg", b"<svg/>"


async def test_parameters_are_those_at_the_sessions_end() -> None:
    records = _Records(ended_at=moment(104))
    await gather(records, "20261125-000", LATER)
    assert records.moments == [moment(104)]


async def test_of_a_session_that_runs_they_are_those_of_now() -> None:
    records = _Records(status="running", ended_at=None)
    found = await gather(records, "20261125-000", LATER)
    assert (records.moments, found.running) == ([LATER], True)


async def test_a_chip_that_nothing_was_ever_published_of_has_no_parameters() -> None:
    found = await gather(_Records(chip_known=False), "20261125-000", LATER)
    assert found.parameters == ()


async def test_every_figure_is_kept_under_its_id() -> None:
    assert list((await gather(_Records(), "20261125-000", LATER)).figures) == ["a.svg"]


async def test_the_catalogue_says_what_is_a_qubits_own() -> None:
    found = await gather(_Records(), "20261125-000", LATER, catalogue=built_in_catalogue())
    outputs = (("CheckT1", "t1"), ("CheckHPIPulse", "hpi_error"), ("CheckRabi", "iq_ground_i"))
    kinds = [found.kinds[output] for output in outputs]
    assert kinds == [Kind.TARGET, Kind.CHECK, Kind.SETTING]


def test_a_time_zone_that_this_computer_lacks_is_read_as_utc() -> None:
    assert datetime(2026, 11, 25, tzinfo=UTC).astimezone(material(time_zone="Mars/Olympus").zone).hour == 0


def test_on_this_computer_there_are_no_namespaces() -> None:
    assert material(namespace="local", image="local").namespace == ""
    assert material(namespace="lab", image="registry.example/tasks:1").namespace == "lab"
