from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import bson
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.chip import ChipSpec
from kubecal.api.session import MAX_STEPS, SessionSpec
from kubecal.api.steps import MAX_TASKS_PER_STEP
from kubecal.engine.model import RowStatus, TaskKey
from kubecal.records.documents import (
    attempt_rows,
    day_of,
    execution_document,
    pack,
    planned_rows,
    session_record,
    unpack,
)
from tests.unit.kubecal.records.builders import NOON, a_chip, admission, planned

LARGEST = 1024 * 1024


def largest_session() -> SessionSpec:
    tasks = [{"task": "CheckT1", "parameters": {"shots": 4096}, "timeoutSeconds": 900}] * MAX_TASKS_PER_STEP
    steps = [{"name": f"step-{n}", "tasks": tasks} for n in range(MAX_STEPS)]
    return SessionSpec.model_validate(
        {"chip": "fridge-a", "targets": {"all": True}, "steps": steps, "note": "x" * 8192}
    )


def largest_chip() -> ChipSpec:
    values = {f"parameter_{n}": {"value": 4.9123456789 + n, "error": 0.002} for n in range(24)}
    return ChipSpec.model_validate(
        {
            "topology": {
                "qubits": [{"id": str(n), "x": n % 32, "y": n // 32, "mux": n // 4} for n in range(1024)],
                "couplings": [{"control": str(n), "target": str(n + 1)} for n in range(1023)],
            },
            "design": {"qubits": {str(n): values for n in range(1024)}},
            "backend": {"name": "fake"},
        }
    )


@pytest.mark.parametrize(
    ("zone", "expected"), [("UTC", "20261231"), ("Asia/Tokyo", "20270101"), ("America/New_York", "20261231")]
)
def test_days_are_the_chips(zone: str, expected: str) -> None:
    assert day_of(datetime(2026, 12, 31, 15, 30, tzinfo=UTC), ZoneInfo(zone)) == expected


def test_a_small_spec_is_stored_so_that_people_can_query_it() -> None:
    spec = a_chip().spec
    assert spec is not None

    stored = pack(spec)

    assert isinstance(stored, dict)
    assert stored["pods"] == {"nodeSelector": {"kubecal.io/instruments": "fridge-a"}}
    assert ChipSpec.model_validate(unpack(stored)) == spec


@pytest.mark.parametrize("spec", [largest_chip(), largest_session()], ids=["chip", "session"])
def test_a_large_spec_comes_back_from_what_it_was_packed_into(spec: ChipSpec | SessionSpec) -> None:
    stored = pack(spec)

    assert isinstance(stored, bytes)
    assert type(spec).model_validate(unpack(stored)) == spec


def test_the_execution_of_the_largest_session_on_the_largest_chip_stays_under_one_mebibyte() -> None:
    largest = replace(admission(chip=replace(a_chip(), spec=largest_chip())), spec=largest_session())

    document = execution_document(largest, "20261123-000", "cluster/all", NOON, catalogue_hash="", image="")

    assert len(bson.encode(document)) < LARGEST


def test_a_planned_row_reads_back_as_the_attempt_it_stands_for() -> None:
    wanted = admission()
    execution = execution_document(wanted, "20261123-000", "cluster/all", NOON, catalogue_hash="", image="")

    (row,) = attempt_rows(planned_rows(wanted.ref, planned("CheckT1", "3"), execution, 30, NOON), NOON)

    assert row.key == TaskKey("check", "CheckT1", "3", 0)
    assert (row.attempt, row.status, row.grace_s) == (1, RowStatus.SCHEDULED, 30)
    assert row.wires == tuple(sorted(planned("CheckT1", "3").wires))
    assert not row.final


def test_the_rows_of_a_mux_task_read_back_as_one_attempt_of_several_members() -> None:
    wanted = admission()
    execution = execution_document(wanted, "20261123-000", "cluster/all", NOON, catalogue_hash="", image="")
    key = TaskKey("check", "Resonators", "mux-0", 0)
    task = replace(planned("CheckT1", "3"), key=key, kind=TargetKind.MUX, members=("0", "3", "12"))
    documents = planned_rows(wanted.ref, task, execution, 30, NOON)
    documents[0] |= {"status": "completed", "verdict": "ok", "numbers": {"f": 6.5}}
    documents[2] |= {"status": "skipped"}

    (row,) = attempt_rows(reversed(documents), NOON)

    assert len({document["_id"] for document in documents}) == 3
    assert (row.key, row.status, row.final) == (key, RowStatus.SCHEDULED, False)
    assert [(one.qid, one.status, dict(one.numbers)) for one in row.members] == [
        ("0", RowStatus.COMPLETED, {"f": 6.5}),
        ("3", RowStatus.SCHEDULED, {}),
        ("12", RowStatus.SKIPPED, {}),
    ]


def test_the_row_of_a_task_on_the_chip_has_no_qubit() -> None:
    wanted = admission()
    execution = execution_document(wanted, "20261123-000", "cluster/all", NOON, catalogue_hash="", image="")
    task = replace(planned("CheckT1", "3"), key=TaskKey("begin", "LinkUp", "chip", 0), kind=TargetKind.CHIP)
    (document,) = planned_rows(wanted.ref, task, execution, 30, NOON)
    (row,) = attempt_rows([document], NOON)
    assert (document["qid"], document["task_type"], document["_id"]) == ("", "global", document["attempt_id"])
    assert (row.key.target, row.members) == ("chip", ())


def test_an_execution_reads_back_as_the_record_the_engine_knows() -> None:
    wanted = admission()
    document = execution_document(wanted, "20261123-007", "cluster/all", NOON, catalogue_hash="abc", image="tasks:1")

    record = session_record(document, [], "cluster/all")

    assert (record.execution_id, record.catalogue_hash, record.image) == ("20261123-007", "abc", "tasks:1")
    assert record.chip_spec == wanted.chip.spec
    assert (record.status, record.ours, record.held_at) == ("scheduled", True, None)


def test_a_chip_that_does_not_parse_is_never_recorded() -> None:
    broken = replace(a_chip(), spec=None, spec_problem="spec.backend is missing")

    with pytest.raises(ValueError, match=r"chip 'fridge-a' does not parse .* spec.backend is missing"):
        execution_document(admission(chip=broken), "", "", NOON, catalogue_hash="", image="")
