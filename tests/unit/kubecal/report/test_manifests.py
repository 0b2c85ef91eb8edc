"""Manifests to run it again: such as an API server would take."""

from pathlib import Path

import yaml

from kubecal.api.manifests import load_manifests
from kubecal.report.manifests import in_line, manifests, values
from tests.unit.kubecal.report.builders import an_execution

STEPS = [{"name": "check", "tasks": [{"task": "CheckT1", "parameters": {"shots": 4096}}]}]
SPEC = {"chip": "fridge-a", "targets": {"all": True}, "steps": STEPS, "note": "nach dem Aufwärmen"}


def test_they_are_read_as_manifests_of_the_same_chip_and_session(tmp_path: Path) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(manifests(an_execution(session_spec=SPEC), "lab"))
    found = load_manifests([file])
    assert [(chip.metadata.namespace, chip.metadata.name) for chip in found.chips] == [("lab", "fridge-a")]
    (session,) = found.sessions
    assert session.spec.steps[0].tasks[0].parameters == {"shots": 4096}
    assert session.spec.note == "nach dem Aufwärmen"


def test_where_there_are_no_namespaces_none_is_written() -> None:
    documents = list(yaml.safe_load_all(manifests(an_execution(), "")))
    assert [document["metadata"] for document in documents] == [{"name": "fridge-a"}, {"name": "morning"}]


def test_an_execution_id_that_was_asked_for_is_not_asked_for_again() -> None:
    written = manifests(an_execution(session_spec={**SPEC, "executionId": "20261125-000"}), "")
    assert "executionId" not in written


def test_run_parameters_stand_in_a_line_each() -> None:
    scan = {"start": 0.1, "stop": 500.0, "num": 51}
    assert values({"shots": 1024, "delays": scan}) == "shots: 1024\ndelays: {num: 51, start: 0.1, stop: 500.0}"


def test_a_single_value_has_no_mark_of_the_documents_end() -> None:
    assert [in_line(value) for value in (1024, "1 MHz", True, [1, 2])] == ["1024", "1 MHz", "true", "[1, 2]"]
