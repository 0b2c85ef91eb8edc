"""Which lab a program speaks to."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.api.request import TASK_FILES_VARIABLE
from kubecal.cluster.lab import ClusterLab
from kubecal.local.lab import LocalLab
from kubecal.service.config import CalibConfig
from kubecal.service.errors import ServiceError
from kubecal.service.place import chosen_place


def config(**said: Any) -> CalibConfig:
    return CalibConfig(**{"username": "alice", "chip_id": "4Q", "tasks": (), **said})


@pytest.mark.parametrize(
    ("said", "environment", "lab"),
    [
        ({}, "", LocalLab),
        ({}, "local", LocalLab),
        ({}, "cluster", ClusterLab),
        ({"where": "local"}, "cluster", LocalLab),
        ({"where": "cluster"}, "", ClusterLab),
        ({"namespace": "lab"}, "", ClusterLab),
        ({"context": "kind"}, "local", ClusterLab),
    ],
)
def test_it_is_said_or_set_and_else_this_computer(
    said: dict[str, Any], environment: str, lab: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECAL_LAB", environment)
    found = chosen_place(config(**said), print)
    assert isinstance(found.lab, lab)
    assert found.makes_chips is (lab is LocalLab)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"where": "moon"}, r"where \(or the environment variable KUBECAL_LAB\) is 'moon': local or cluster"),
        ({"where": "local", "namespace": "lab"}, "namespace and context are about a cluster"),
        ({"where": "cluster", "tasks": ["my_task.py"]}, "a cluster has own tasks in images, not in files"),
    ],
)
def test_what_contradicts_itself_is_refused(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ServiceError, match=sentence):
        chosen_place(config(**said), print)


def test_a_file_that_is_loaded_for_its_tasks_begins_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TASK_FILES_VARIABLE, "[]")
    with pytest.raises(ServiceError, match=r"put what begins a session under if __name__ == '__main__'$"):
        chosen_place(config(), print)
