"""Steps, filters and tasks with one mistake each."""

from __future__ import annotations

from tests.bad_manifests.table import GONE, bad_session, only_step

_VALUES = {"qubits": {"0": {"t1": {"value": 30}}}}
_ONE_KIND = "give exactly one of tasks, filter, set, publish, revert, exclude and reanalyse"
_ONLY_TASKS = "only steps with tasks have targets, schedule, batch, pairs and barrier: remove them"

BAD_STEPS = (
    bad_session("no steps", {"spec.steps": GONE}, "spec.steps", "is required: add it", "spec.steps: Required value"),
    bad_session(
        "a filter that asks for nothing",
        {"spec.steps.0": {"name": "good", "filter": {"onEmpty": "Stop"}}},
        "spec.steps[0].filter",
        "give either metric or status",
        "give either metric or status",
    ),
    bad_session(
        "a metric without a bound",
        {"spec.steps.0": {"name": "good", "filter": {"metric": "t1"}}},
        "spec.steps[0].filter",
        "give min or max: what must the metric be?",
        "give min or max: what must the metric be?",
    ),
    bad_session(
        "bounds the wrong way round",
        {"spec.steps.0": {"name": "good", "filter": {"metric": "t1", "min": 30, "max": 20}}},
        "spec.steps[0].filter",
        "min must not be above max: exchange or correct them",
        "min must not be above max: exchange or correct them",
    ),
    bad_session(
        "a step without a name",
        {"spec.steps.0.name": GONE},
        "spec.steps[0].name",
        "is required: add it",
        "spec.steps[0].name: Required value",
    ),
    bad_session(
        "a step's name in capitals",
        {"spec.steps.0.name": "Check"},
        "spec.steps[0].name",
        "write lower-case letters, digits and -, beginning and ending with a letter or digit",
    ),
    bad_session(
        "two steps of one name",
        {"spec.steps": [{"name": "check", "tasks": [{"task": "CheckT1"}]}] * 2},
        "spec.steps",
        'lists "check" twice: remove or rename one',
        "spec.steps[1]: Duplicate value",
    ),
    bad_session(
        "too many tasks in a step",
        {"spec.steps.0.tasks": [{"task": "CheckT1"}] * 65},
        "spec.steps[0].tasks",
        "must have at most 64 entries, not 65",
        "spec.steps[0].tasks: Too many: 65: must have at most 64 items",
    ),
    bad_session(
        "a task's name with a hyphen",
        {"spec.steps.0.tasks.0.task": "check-t1"},
        "spec.steps[0].tasks[0].task",
        "write the name of a task: letters and digits, like CheckT1",
    ),
    bad_session(
        "no time at all",
        {"spec.steps.0.tasks.0.timeoutSeconds": 0},
        "spec.steps[0].tasks[0].timeoutSeconds",
        "must be at least 1, not 0",
        "should be greater than or equal to 1",
    ),
    bad_session(
        "an R2 above one",
        {"spec.steps.0.tasks.0.r2Threshold": 1.5},
        "spec.steps[0].tasks[0].r2Threshold",
        "must be at most 1, not 1.5",
        "should be less than or equal to 1",
    ),
    bad_session(
        "a number as text",
        {"spec.steps.0.tasks.0.r2Threshold": "0.8"},
        "spec.steps[0].tasks[0].r2Threshold",
        "must be a number, not '0.8'",
        "must be of type number",
    ),
    bad_session(
        "a field that is misspelt",
        {"spec.steps.0.tasks.0.timeoutSecond": 5},
        "spec.steps[0].tasks[0]",
        "there is no field timeoutSecond: did you mean timeoutSeconds?",
        'unknown field "spec.steps[0].tasks[0].timeoutSecond"',
    ),
    bad_session(
        "a schedule that nobody knows",
        {"spec.steps.0.schedule": {"mode": "Mux"}},
        "spec.steps[0].schedule.mode",
        "must be Parallel, Isolated, MuxSerial or Serial, not 'Mux'",
        'Unsupported value: "Mux": supported values: "Parallel", "Isolated", "MuxSerial", "Serial"',
    ),
    bad_session("a step of nothing", only_step(), "spec.steps[0]", _ONE_KIND),
    bad_session("a step with an empty list of tasks", {"spec.steps.0.tasks": []}, "spec.steps[0]", _ONE_KIND),
    bad_session(
        "a step that measures and filters",
        {"spec.steps.0.filter": {"status": "Succeeded"}},
        "spec.steps[0]",
        _ONE_KIND,
    ),
    bad_session(
        "a step that publishes and reverts",
        only_step(publish={"executionId": "20261123-004"}, revert={"executionId": "20261123-004"}),
        "spec.steps[0]",
        _ONE_KIND,
    ),
    bad_session(
        "a step that measures and analyses anew",
        {"spec.steps.0.reanalyse": {"executionId": "20261123-004"}},
        "spec.steps[0]",
        _ONE_KIND,
    ),
    bad_session(
        "an analysis with targets",
        only_step(reanalyse={"executionId": "20261123-004"}, targets={"qubits": ["0"]}),
        "spec.steps[0]",
        _ONLY_TASKS,
    ),
    bad_session(
        "a filter with a barrier",
        only_step(filter={"status": "Succeeded"}, barrier=True),
        "spec.steps[0]",
        _ONLY_TASKS,
    ),
    bad_session("a set with targets", only_step(set=_VALUES, targets={"qubits": ["0"]}), "spec.steps[0]", _ONLY_TASKS),
    bad_session(
        "a set with a schedule", only_step(set=_VALUES, schedule={"mode": "Serial"}), "spec.steps[0]", _ONLY_TASKS
    ),
    bad_session(
        "a set with a limit of tasks", only_step(set=_VALUES, schedule={"maxParallel": 1}), "spec.steps[0]", _ONLY_TASKS
    ),
    bad_session("a set in a batch", only_step(set=_VALUES, batch="All"), "spec.steps[0]", _ONLY_TASKS),
    bad_session("a set with pairs", only_step(set=_VALUES, pairs=[["0-1"]]), "spec.steps[0]", _ONLY_TASKS),
    bad_session(
        "a filter of a metric and a status",
        only_step(filter={"metric": "t1", "min": 3, "status": "Succeeded"}),
        "spec.steps[0].filter",
        "give either metric or status",
    ),
    bad_session(
        "bounds of a status",
        only_step(filter={"status": "Succeeded", "max": 3}),
        "spec.steps[0].filter",
        "min and max are bounds of a metric: remove them, or give metric instead of status",
    ),
    bad_session(
        "a batch in capitals",
        {"spec.steps.0.batch": "MUX"},
        "spec.steps[0].batch",
        "must be None, Mux or All, not 'MUX': did you mean Mux?",
        'Unsupported value: "MUX": supported values: "None", "Mux", "All"',
    ),
    bad_session(
        "an image by its address",
        {"spec.steps.0.tasks.0.image": "registry.example/mylab"},
        "spec.steps[0].tasks[0].image",
        "write the short name of an image: lower-case letters, digits and -",
    ),
    bad_session(
        "too many steps",
        {"spec.steps": [{"name": f"s{number}", "tasks": [{"task": "CheckT1"}]} for number in range(257)]},
        "spec.steps",
        "must have at most 256 entries, not 257",
        "spec.steps: Too many: 257: must have at most 256 items",
    ),
)
