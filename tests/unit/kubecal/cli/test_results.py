"""``kubecal results``: failures first, values with errors and what changed, for people and programs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubecal.cli.form import Form
from kubecal.cli.place import Place, Where
from kubecal.cli.results import Chosen, ResultsAsked, show_results
from tests.unit.kubecal.cli.in_memory import (
    Answered,
    MemoryLab,
    MemoryRecords,
    a_result,
    an_execution,
    an_output,
    answer,
)

HERE = Place(Where.LOCAL)
ROWS = (
    a_result("CheckT1", "10", an_output(value=31.2, error=0.84, previous=30.9, previous_error=0.8, sigmas=0.26)),
    a_result("CheckT1", "2", an_output(previous=30.0, previous_error=0.5, sigmas=-12.7)),
    a_result("CheckRabi", "2", status="failed", verdict="no_signal", message="no oscillation: raise control_amplitude"),
    a_result(
        "CheckRabi", "3", status="failed", verdict="window", message="half a period: sweep further", superseded=True
    ),
    a_result("CheckRabi", "3", an_output("control_amplitude", 0.178, 0.0002, "a.u."), attempt=2),
)


def lab(*rows: Any) -> MemoryLab:
    counts = {"planned": 4, "succeeded": 3, "failed": 1}
    execution = an_execution(phase="PartiallyFailed", counts=counts, message="failed on qubit 2")
    return MemoryLab(MemoryRecords([execution], {"20261125-000": rows or ROWS}))


async def results(execution: str = "latest", form: Form = Form.TABLE, *rows: Any, **chosen: Any) -> Answered:
    asked = ResultsAsked(execution, HERE, "default", Chosen(**chosen))
    return await answer(lab(*rows), lambda at, screen: show_results(at, screen, asked), form=form)


async def test_failures_come_first_then_values_by_qubit_then_how_it_went() -> None:
    assert (await results()).out == (
        "failed: CheckRabi on qubit 2, no_signal\n"
        "    no oscillation: raise control_amplitude\n"
        "\n"
        "task         parameter          value              unit   change  verdict\n"
        "qubit 2\n"
        "  CheckT1    t1                   22.19 ± 0.36     us    -12.7 σ  ok\n"
        "qubit 3\n"
        "  CheckRabi  control_amplitude  0.17800 ± 0.00020  a.u.    first  ok\n"
        "qubit 10\n"
        "  CheckT1    t1                   31.20 ± 0.84     us     +0.3 σ  ok\n"
        "\n"
        "moved since the values that these replace\n"
        "  qubit 2  t1  -7.81 us  -12.7 σ\n"
        "\n"
        "morning partially failed: 3 of 4 tasks ok, 1 failed in 33 s, execution 20261125-000"
    )


async def test_without_anything_to_compare_with_there_is_no_column_for_it() -> None:
    shown = (await results("latest", Form.TABLE, a_result("CheckT1", "0", an_output()))).out
    assert "change" not in shown
    assert "first" not in shown


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ({"tasks": ["CheckT1"]}, [("CheckT1", "10", 1), ("CheckT1", "2", 1)]),
        ({"targets": ["3"]}, [("CheckRabi", "3", 2)]),
        ({"targets": ["3"], "all_attempts": True}, [("CheckRabi", "3", 1), ("CheckRabi", "3", 2)]),
        ({"failed": True}, [("CheckRabi", "2", 1)]),
        ({"failed": True, "all_attempts": True}, [("CheckRabi", "2", 1), ("CheckRabi", "3", 1)]),
        ({"tasks": ["CheckT1"], "failed": True}, []),
    ],
)
async def test_results_are_chosen_by_task_target_and_failure(
    chosen: dict[str, Any], shown: list[tuple[str, str, int]]
) -> None:
    items = json.loads((await results("latest", Form.JSON, **chosen)).out)["items"]
    assert [(one["task"], one["qid"], one["attempt"]) for one in items] == shown


@pytest.mark.parametrize("name", ["latest", "morning", "20261125-000"])
async def test_an_execution_is_called_by_its_id_its_session_or_latest(name: str) -> None:
    assert (await results(name)).code == 0


@pytest.mark.parametrize(
    ("name", "chosen", "sentence"),
    [
        ("mornin", {}, "no session called 'mornin' was run here: did you mean morning?"),
        ("20261125-009", {}, "there is no execution 20261125-009: the newest is 20261125-000"),
        ("latest", {"tasks": ["CheckT2"]}, "this execution has no task 'CheckT2': did you mean CheckT1?"),
        ("latest", {"targets": ["7"]}, "this execution has no result on '7': it has some on 2, 3, 10"),
    ],
)
async def test_what_is_not_there_is_answered_with_what_is_close(
    name: str, chosen: dict[str, Any], sentence: str
) -> None:
    assert await results(name, **chosen) == Answered(1, "", sentence)


async def test_without_any_records_it_says_where_there_may_be_some() -> None:
    asked = ResultsAsked("latest", HERE, "default", Chosen())
    said = await answer(MemoryLab(), lambda at, screen: show_results(at, screen, asked))
    assert said == Answered(
        1,
        "",
        "nothing was recorded on this computer yet: run a session with kubecal run, or ask a cluster with --cluster",
    )


async def test_wide_adds_the_id_that_other_verbs_ask_for() -> None:
    shown = (await results("latest", Form.WIDE)).out
    assert "task id" in shown
    assert "CheckT1-10-1" in shown
