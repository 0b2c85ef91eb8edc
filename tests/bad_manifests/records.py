"""Changes of records, and repetitions of earlier executions, with one mistake each."""

from __future__ import annotations

from tests.bad_manifests.table import COUPLING, EXECUTION, PARAMETER, QUBIT, bad_session, only_step

_TASK_ID = "0123456789abcdef" * 2
_OF_AN_EXECUTION = "give executionId: inputs Snapshot and only Failed are about an earlier execution"

BAD_RECORDS = (
    bad_session("a set of nothing", only_step(set={}), "spec.steps[0].set", "give values under qubits or couplings"),
    bad_session(
        "a set of no qubit", only_step(set={"qubits": {}}), "spec.steps[0].set", "give values under qubits or couplings"
    ),
    bad_session(
        "a set of no value",
        only_step(set={"qubits": {"0": {}}}),
        "spec.steps[0].set.qubits.0",
        "must have at least 1 entry",
        "spec.steps[0].set.qubits.0 in body should have at least 1 properties",
    ),
    bad_session(
        "a set of a qubit with a letter",
        only_step(set={"qubits": {"Q0": {"t1": {"value": 30}}}}),
        "spec.steps[0].set.qubits.Q0",
        QUBIT,
    ),
    bad_session(
        "a set of a coupling with an underscore",
        only_step(set={"couplings": {"0_1": {"zx_rotation": {"value": 1}}}}),
        "spec.steps[0].set.couplings.0_1",
        COUPLING,
        only_parser=True,
    ),
    bad_session(
        "a set of a parameter in capitals",
        only_step(set={"qubits": {"0": {"T1": {"value": 30}}}}),
        "spec.steps[0].set.qubits.0.T1",
        PARAMETER,
        only_parser=True,
    ),
    bad_session(
        "a set of a parameter with a name without end",
        only_step(set={"qubits": {"0": {"p" * 64: {"value": 30}}}}),
        f"spec.steps[0].set.qubits.0.{'p' * 64}",
        "must have at most 63 characters, not 64",
        only_parser=True,
    ),
    bad_session(
        "a bare number as a value",
        only_step(set={"qubits": {"0": {"t1": 30}}}),
        "spec.steps[0].set.qubits.0.t1",
        "must be a mapping of fields to values, not 30",
        "spec.steps[0].set.qubits.0.t1 in body must be of type object",
    ),
    bad_session(
        "an error without a value",
        only_step(set={"qubits": {"0": {"t1": {"error": 1}}}}),
        "spec.steps[0].set.qubits.0.t1.value",
        "is required: add it",
        "spec.steps[0].set.qubits.0.t1.value: Required value",
    ),
    bad_session(
        "a value's error below zero",
        only_step(set={"qubits": {"0": {"t1": {"value": 30, "error": -1}}}}),
        "spec.steps[0].set.qubits.0.t1.error",
        "must be at least 0, not -1",
        "should be greater than or equal to 0",
    ),
    bad_session(
        "results of no execution",
        only_step(publish={}),
        "spec.steps[0].publish.executionId",
        "is required: add it",
        "spec.steps[0].publish.executionId: Required value",
    ),
    bad_session(
        "results of an empty execution",
        only_step(publish={"executionId": ""}),
        "spec.steps[0].publish.executionId",
        EXECUTION,
    ),
    bad_session(
        "data of an empty execution",
        only_step(reanalyse={"executionId": ""}),
        "spec.steps[0].reanalyse.executionId",
        EXECUTION,
    ),
    bad_session(
        "data of a task twice",
        only_step(reanalyse={"executionId": "20261123-004", "tasks": ["CheckT1", "CheckT1"]}),
        "spec.steps[0].reanalyse.tasks",
        'lists "CheckT1" twice: remove or rename one',
        'spec.steps[0].reanalyse.tasks[1]: Duplicate value: "CheckT1"',
    ),
    bad_session(
        "results of a MUX",
        only_step(publish={"executionId": "20261123-004", "targets": ["mux-0"]}),
        "spec.steps[0].publish.targets[0]",
        'write the id of a qubit or coupling without leading zeros, in quotes, like "0" or "0-1"',
        "spec.steps[0].publish.targets[0] in body should match",
    ),
    bad_session(
        "results of a qubit twice",
        only_step(publish={"executionId": "20261123-004", "targets": ["0", "0"]}),
        "spec.steps[0].publish.targets",
        'lists "0" twice: remove or rename one',
        'spec.steps[0].publish.targets[1]: Duplicate value: "0"',
    ),
    bad_session(
        "a published parameter in capitals",
        only_step(publish={"executionId": "20261123-004", "parameters": ["T1"]}),
        "spec.steps[0].publish.parameters[0]",
        PARAMETER,
    ),
    bad_session(
        "a published parameter twice",
        only_step(publish={"executionId": "20261123-004", "parameters": ["t1", "t1"]}),
        "spec.steps[0].publish.parameters",
        'lists "t1" twice: remove or rename one',
        'spec.steps[0].publish.parameters[1]: Duplicate value: "t1"',
    ),
    bad_session(
        "the latest execution taken back",
        only_step(revert={"executionId": "latest"}),
        "spec.steps[0].revert.executionId",
        EXECUTION,
    ),
    bad_session(
        "no results excluded",
        only_step(exclude={"taskIds": [], "reason": "a thermometer was on"}),
        "spec.steps[0].exclude.taskIds",
        "must have at least 1 entry",
        "spec.steps[0].exclude.taskIds in body should have at least 1 items",
    ),
    bad_session(
        "results excluded without a reason",
        only_step(exclude={"taskIds": [_TASK_ID]}),
        "spec.steps[0].exclude",
        "give a reason: others will ask",
    ),
    bad_session(
        "a result by the name of its task",
        only_step(exclude={"taskIds": ["CheckT1"], "reason": "a thermometer was on"}),
        "spec.steps[0].exclude.taskIds[0]",
        "write a task id: 32 hexadecimal digits, as results show it",
    ),
    bad_session(
        "a result excluded twice",
        only_step(exclude={"taskIds": [_TASK_ID, _TASK_ID], "reason": "a thermometer was on"}),
        "spec.steps[0].exclude.taskIds",
        f'lists "{_TASK_ID}" twice: remove or rename one',
        f'spec.steps[0].exclude.taskIds[1]: Duplicate value: "{_TASK_ID}"',
    ),
    bad_session(
        "inputs of no execution",
        {"spec.source": {"inputs": "Snapshot"}},
        "spec.source",
        _OF_AN_EXECUTION,
    ),
    bad_session("failures of no execution", {"spec.source": {"only": "Failed"}}, "spec.source", _OF_AN_EXECUTION),
    bad_session(
        "the latest execution as a source",
        {"spec.source": {"executionId": "latest"}},
        "spec.source.executionId",
        EXECUTION,
    ),
    bad_session(
        "inputs nobody knows",
        {"spec.source": {"executionId": "20261123-004", "inputs": "Snapshots"}},
        "spec.source.inputs",
        "must be Current or Snapshot, not 'Snapshots': did you mean Snapshot?",
        'Unsupported value: "Snapshots": supported values: "Current", "Snapshot"',
    ),
    bad_session(
        "a choice of tasks nobody knows",
        {"spec.source": {"executionId": "20261123-004", "only": "Succeeded"}},
        "spec.source.only",
        "must be All or Failed, not 'Succeeded'",
        'Unsupported value: "Succeeded": supported values: "All", "Failed"',
    ),
    bad_session(
        "an input of a qubit with a letter",
        {"spec.source": {"overrides": {"qubits": {"Q0": {"t1": {"value": 30}}}}}},
        "spec.source.overrides.qubits.Q0",
        QUBIT,
    ),
    bad_session(
        "an input of a coupling that is a qubit",
        {"spec.source": {"overrides": {"couplings": {"0": {"zx_rotation": {"value": 1}}}}}},
        "spec.source.overrides.couplings.0",
        COUPLING,
    ),
    bad_session(
        "an input in capitals",
        {"spec.source": {"overrides": {"qubits": {"0": {"T1": {"value": 30}}}}}},
        "spec.source.overrides.qubits.0.T1",
        PARAMETER,
    ),
    bad_session(
        "an input with a name without end",
        {"spec.source": {"overrides": {"qubits": {"0": {"p" * 64: {"value": 30}}}}}},
        f"spec.source.overrides.qubits.0.{'p' * 64}",
        "must have at most 63 characters, not 64",
        "a name here has more than 63 characters: shorten it",
    ),
    bad_session(
        "an input of a coupling far out",
        {"spec.source": {"overrides": {"couplings": {"100000-100001": {"zx_rotation": {"value": 1}}}}}},
        "spec.source.overrides.couplings.100000-100001",
        "must have at most 11 characters, not 13",
        "a name here has more than 11 characters: shorten it",
    ),
)
