"""``kubecal get``: sessions, chips and executions, for people and programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from kubecal.api.session_status import Failure, TaskCounts, Wait
from kubecal.cli.form import Form
from kubecal.cli.get import GetAsked, get, kind_and_name
from kubecal.cli.place import Place, Where
from tests.unit.kubecal.cli.in_memory import (
    Answered,
    MemoryLab,
    MemoryRecords,
    a_chip,
    a_session,
    an_execution,
    answer,
)

HERE = Place(Where.LOCAL)
LAB = MemoryLab(
    MemoryRecords([an_execution(), an_execution(1, session="evening", phase="Failed", tags=("night",))]),
    [
        a_session("evening", phase="Running", progress="3/9", tasks=TaskCounts(planned=9, failed=1)),
        a_session(),
    ],
    [
        a_chip(),
        a_chip(
            "fridge-b",
            spec={"maintenance": True},
            status={
                "holders": [{"uid": "u", "session": "evening", "since": "2026-11-25T09:00:00Z"}],
                "queue": [{"session": "next", "position": 1}],
                "parameters": {"calibrated": 14, "stale": 1, "moved": 1},
            },
        ),
    ],
)


async def got(*words: str, form: Form = Form.TABLE, lab: MemoryLab = LAB, **asked: Any) -> Answered:
    return await answer(lab, lambda at, screen: get(at, screen, GetAsked(words, HERE, "default", **asked)), form=form)


def columns(line: str) -> list[str]:
    return [part for part in line.split("  ") if part]


async def test_sessions_are_listed_with_how_far_they_are() -> None:
    header, first, second = (await got()).out.splitlines()
    assert header.split() == ["session", "phase", "progress", "failed", "chip", "execution", "age"]
    assert first.split()[:5] == ["evening", "running", "3/9", "1", "fridge-a"]
    assert second.split()[:4] == ["morning", "completed", "2/2", "fridge-a"]


async def test_chips_are_listed_with_who_holds_them_and_what_they_are_worth() -> None:
    header, first, second = (await got("chips")).out.splitlines()
    assert header.split() == ["chip", "qubits", "held", "by", "waiting", "calibrated", "stale", "state"]
    assert first.split() == ["fridge-a", "4", "nobody", "ready"]
    assert second.split() == ["fridge-b", "4", "evening", "1", "14", "2", "maintenance"]


async def test_executions_are_listed_the_newest_first() -> None:
    lines = (await got("executions")).out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["20261125-001", "20261125-000"]
    assert lines[2].endswith("33 s")
    # The other one still runs: how wide its column is depends on for how long.
    assert "33 s alice 2026-11-25 09:00:00" in " ".join((await got("executions", form=Form.WIDE)).out.split())


@pytest.mark.parametrize(
    ("asked", "ids"),
    [({"session": "morning"}, ["000"]), ({"tag": "night"}, ["001"]), ({"limit": 1}, ["001"]), ({"chip": "x"}, [])],
)
async def test_executions_are_chosen(asked: dict[str, Any], ids: list[str]) -> None:
    items = json.loads((await got("executions", form=Form.JSON, **asked)).out)["items"]
    assert [one["executionId"][-3:] for one in items] == ids


async def test_executions_of_another_namespace_are_left_out() -> None:
    records = MemoryRecords([an_execution(namespace="lab"), an_execution(1, namespace="annex")])
    asked = GetAsked(["executions"], Place(Where.CLUSTER, "lab"), "default")
    said = await answer(MemoryLab(records), lambda at, screen: get(at, screen, asked), form=Form.JSON)
    assert [one["namespace"] for one in json.loads(said.out)["items"]] == ["lab"]


async def test_where_there_may_be_more_it_says_how_to_see_them() -> None:
    assert (await got("executions", limit=1)).err == "these are the newest 1: --limit shows more"


@pytest.mark.parametrize("form", [Form.JSON, Form.YAML])
async def test_programs_get_manifests_as_kubectl_writes_them(form: Form) -> None:
    one = yaml.safe_load((await got("morning", form=form)).out)
    assert (one["kind"], one["metadata"]["name"]) == ("CalibrationSession", "morning")
    assert (one["spec"]["chip"], one["status"]["executionId"]) == ("fridge-a", "20261125-000")
    chips = yaml.safe_load((await got("chips", form=form)).out)["items"]
    assert [chip["metadata"]["name"] for chip in chips] == ["fridge-a", "fridge-b"]


async def test_one_session_says_in_words_what_waits_and_what_failed() -> None:
    standing = a_session(
        phase="Running",
        message="2 tasks wait for the records",
        waits=(Wait(reason="WaitsForWire", tasks=2, task="CheckT1", target="2", message="qubit 2 is held"),),
        failures=(Failure(task="CheckRabi", target="1", attempt=2, verdict="no_signal", message="flat"),),
    )
    assert (await got("morning", lab=MemoryLab(standing=[standing]))).out.splitlines()[2:] == [
        "  2 tasks wait for the records",
        "  2 wait (WaitsForWire): CheckT1 on qubit 2: qubit 2 is held",
        "  failed: CheckRabi on qubit 1, no_signal",
        "      flat",
    ]


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        ([], "sessions", ""),
        (["sessions"], "sessions", ""),
        (["cals"], "sessions", ""),
        (["session/morning"], "sessions", "morning"),
        (["session", "morning"], "sessions", "morning"),
        (["morning"], "sessions", "morning"),
        (["Chip", "fridge-a"], "chips", "fridge-a"),
        (["20261125-000"], "executions", "20261125-000"),
        (["execution", "latest"], "executions", "latest"),
    ],
)
def test_kinds_are_called_as_kubectl_calls_them(words: list[str], kind: str, name: str) -> None:
    assert kind_and_name(words) == (kind, name)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sesions", "morning"], "there is nothing called 'sesions' to get: did you mean sessions?"),
        (["chps"], "there is no session 'chps' on this computer; or did you mean chips?"),
        (["session", "mornin"], "there is no session 'mornin' on this computer"),
        (["chip", "fridge-c"], "there is no chip 'fridge-c' on this computer"),
        (["execution", "mornin"], "no session called 'mornin' was run here: did you mean morning?"),
    ],
)
async def test_what_is_mistyped_is_answered_with_what_is_close(words: list[str], sentence: str) -> None:
    assert await got(*words) == Answered(1, "", sentence)


@pytest.mark.parametrize("words", [["sessions"], ["executions"]])
async def test_an_empty_lab_says_where_to_begin(words: list[str]) -> None:
    said = await got(*words, lab=MemoryLab())
    assert said.code == 0
    assert said.err.endswith("run a session with kubecal run, or ask a cluster with --cluster")
