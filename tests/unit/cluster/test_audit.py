import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.audit import parse_event, policy_text, position, read_events


def line(**changes: Any) -> str:
    entry: dict[str, Any] = {
        "verb": "create",
        "user": {"username": "system:serviceaccount:kubecal:operator"},
        "userAgent": "kubecal",
        "objectRef": {"resource": "pods", "namespace": "lab", "name": "a"},
        "responseStatus": {"code": 201},
        "stageTimestamp": "2026-01-02T03:04:05.000006Z",
        "responseObject": {"metadata": {"name": "a", "resourceVersion": "41"}},
    }
    return json.dumps({**entry, **changes}) + "\n"


def test_a_write_tells_who_did_what_and_in_which_order() -> None:
    event = parse_event(line())
    assert (event.verb, event.resource, event.namespace, event.name) == ("create", "pods", "lab", "a")
    assert (event.user, event.code) == ("system:serviceaccount:kubecal:operator", 201)
    assert event.resource_version == 41


def test_a_name_that_the_server_chose_stands_in_the_answer() -> None:
    about = {"resource": "pods", "namespace": "lab"}
    assert parse_event(line(objectRef=about)).name == "a"


def test_an_event_without_bodies_has_no_version() -> None:
    event = parse_event(line(responseObject=None, objectRef=None))
    assert (event.resource_version, event.resource) == (None, "")


def test_rotated_logs_are_read_before_the_one_being_written(tmp_path: Path) -> None:
    (tmp_path / "audit.log").write_text(line(verb="delete"))
    (tmp_path / "audit-2026-01-02T03-04-05.000.log").write_text(line(verb="create") + line(verb="patch"))
    assert [event.verb for event in read_events(tmp_path)] == ["create", "patch", "delete"]


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    (tmp_path / "audit.log").write_text(line() + line().rstrip("\n")[:40])
    assert len(read_events(tmp_path)) == 1


def test_writes_to_pods_and_to_our_kinds_are_kept_with_their_bodies() -> None:
    rules = yaml.safe_load(policy_text())["rules"]
    bodies = next(rule for rule in rules if rule["level"] == "RequestResponse")
    groups = {resource["group"]: resource.get("resources") for resource in bodies["resources"]}
    assert {"pods", "pods/status"} <= set(groups[""])
    assert groups["kubecal.io"] is None


@pytest.mark.parametrize("rotated", [False, True], ids=["one file", "rotated meanwhile"])
def test_events_after_a_position_are_the_new_ones(tmp_path: Path, rotated: bool) -> None:
    log = tmp_path / "audit.log"
    log.write_text(line(verb="create"))
    before = position(tmp_path)
    if rotated:
        log.rename(tmp_path / "audit-2026-01-02T03-04-05.000.log")
    with log.open("a") as file:
        file.write(line(verb="patch"))
    assert [event.verb for event in read_events(tmp_path, before)] == ["patch"]


def test_a_line_that_was_being_written_at_the_position_is_new(tmp_path: Path) -> None:
    log, second = tmp_path / "audit.log", line(verb="patch")
    log.write_text(line() + second[:30])
    before = position(tmp_path)
    log.write_text(line() + second + line(verb="delete"))
    assert [event.verb for event in read_events(tmp_path, before)] == ["patch", "delete"]
