"""Sessions that change what is recorded: one step, no wire, no name of their own."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.manifests import ManifestError, parse_manifest
from kubecal.api.session import CalibrationSession
from kubecal.lab.manifests import (
    Signed,
    exclude_session,
    named,
    publish_session,
    reanalyse_session,
    revert_session,
    set_session,
    written,
)

RUN = "20261125-000"
VALUES = {"qubits": {"0": {"t1": {"value": 30.0}}}}
TASK_ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("session", "step"),
    [
        (set_session("a", VALUES), {"set": VALUES}),
        (revert_session("a", RUN), {"revert": {"executionId": RUN}}),
        (publish_session("a", RUN, ["0"], ["t1"]),
         {"publish": {"executionId": RUN, "targets": ["0"], "parameters": ["t1"]}}),
        (exclude_session("a", [TASK_ID], "glitch"), {"exclude": {"taskIds": [TASK_ID], "reason": "glitch"}}),
        (exclude_session("a", [TASK_ID], undo=True), {"exclude": {"taskIds": [TASK_ID], "undo": True}}),
        (reanalyse_session("a", RUN, ["CheckT1"]), {"reanalyse": {"executionId": RUN, "tasks": ["CheckT1"]}}),
    ],
)  # fmt: skip
def test_each_is_one_step_about_the_chip(session: CalibrationSession, step: dict[str, Any]) -> None:
    (only,) = written(session)["spec"]["steps"]
    assert {name: value for name, value in only.items() if name != "name"} == step
    assert session.spec.targets.chip
    assert session.metadata.name == ""


def test_stored_data_of_some_targets_is_analysed_by_a_session_about_these() -> None:
    assert reanalyse_session("a", RUN, (), ["0", "1"]).spec.targets.qubits == ("0", "1")
    pairs = reanalyse_session("a", RUN, (), ["0-1"]).spec.targets.couplings
    assert pairs is not None
    assert pairs.ids == ("0-1",)
    with pytest.raises(ManifestError, match="qubits and couplings cannot be chosen together here: give one kind"):
        reanalyse_session("a", RUN, (), ["0", "0-1"])


def test_who_did_it_and_why_goes_with_it() -> None:
    spec = revert_session("a", RUN, Signed("alice", "wrong fridge", ("oops",))).spec
    assert (spec.username, spec.note, spec.tags) == ("alice", "wrong fridge", ("oops",))


def test_what_is_written_is_read_back_the_same() -> None:
    session = named(publish_session("a", RUN, ["0"]), "publish-1", "lab")
    assert parse_manifest(written(session), "here") == session


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: revert_session("a", "yesterday"), "write YYYYMMDD-NNN, like 20261123-004"),
        (lambda: exclude_session("a", ["abc"], "x"), "write a task id: 32 hexadecimal digits, as results show it"),
        (lambda: exclude_session("a", [TASK_ID]), "give a reason: others will ask"),
        (lambda: set_session("a", {}), "give values under qubits or couplings"),
        (lambda: named(revert_session("a", RUN), "Not a name"), "the name 'Not a name': "),
    ],
)
def test_what_a_cluster_would_refuse_is_refused_before(make: Any, sentence: str) -> None:
    with pytest.raises(ManifestError) as refused:
        make()
    assert sentence in str(refused.value)
