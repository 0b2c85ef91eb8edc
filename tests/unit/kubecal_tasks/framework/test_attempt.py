"""Tasks that return nothing, as one begins to write them."""

from __future__ import annotations

from typing import ClassVar

import pytest

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.framework.attempt import Attempt
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Report
from kubecal_tasks.framework.task import UNKNOWN_DURATION_S, BaseTask
from tests.bench.closed_loop import ClosedLoop


class MyNewTask(BaseTask):
    name = "MyNewTask"

    def preprocess(self, backend: object) -> None:
        pass

    def run(self, backend: object) -> None:
        pass

    def postprocess(self, backend: object, result: object) -> None:
        pass


class Promising(MyNewTask):
    name = "Promising"
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter("t1", "us"),
        OutputParameter("t2", "us", required=False),
    )


class PromisingLittle(MyNewTask):
    name = "PromisingLittle"
    r2_threshold = 0.7
    outputs: ClassVar[tuple[OutputParameter, ...]] = (OutputParameter("t2", "us", required=False),)


def reported(task: type[BaseTask]) -> list[Report]:
    loop = ClosedLoop(square_lattice(2, 2, 4), {"seed": 3, "drift": False})
    reports: list[Report] = []
    Attempt(loop.request("CheckRabi", "0", {}, 0), reports.append, task, installed_catalogue().hash).run({})
    return reports


def test_a_task_that_declares_no_output_and_returns_nothing_is_ok() -> None:
    *_, judged, drawn = reported(MyNewTask)
    assert isinstance(judged, Judged)
    assert judged.verdict is Verdict.OK
    assert isinstance(drawn, Drawn)


@pytest.mark.parametrize("task", [Promising, PromisingLittle])
def test_one_that_declares_outputs_and_returns_nothing_fails_and_keeps_its_data(task: type[BaseTask]) -> None:
    *_, measured, failed = reported(task)
    names = ", ".join(output.name for output in task.outputs)
    sentence = f"postprocess returned None, but {task.name} declares {names}: return a PostProcessResult"
    assert failed == Failed("NothingReturned", sentence)
    assert isinstance(measured, Measured)


def test_what_a_task_does_not_say_of_itself_the_catalogue_makes_up() -> None:
    entry = MyNewTask.catalogue_entry()
    assert (entry.description, entry.duration_s) == ("MyNewTask", UNKNOWN_DURATION_S)
