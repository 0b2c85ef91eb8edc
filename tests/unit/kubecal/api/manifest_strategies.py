"""Any session, as manifests write it: every field, every kind of step, every way to name targets."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

Manifest = st.SearchStrategy[dict[str, Any]]
"""Any: a manifest is any JSON."""


def _fields(required: dict[str, Any] | None = None, **optional: st.SearchStrategy[Any]) -> Manifest:
    return st.fixed_dictionaries(required or {}, optional=optional)


def _some(items: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, min_size=least, max_size=3, unique=True)


_TEXT = st.text(max_size=8)
_NAME = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
_TASK = st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,8}", fullmatch=True)
_PARAMETER = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
_QUBIT = st.integers(0, 99_999).map(str)
_COUPLING = st.tuples(_QUBIT, _QUBIT).map("-".join)
_EXECUTION = st.from_regex(r"[0-9]{8}-[0-9]{3,7}", fullmatch=True)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000)
_SECONDS = st.integers(1, 86_400)
_VALUE = _fields({"value": _NUMBER}, error=st.floats(0, 1e9))
_VALUES = st.dictionaries(_PARAMETER, _VALUE, min_size=1, max_size=2)
_BY_QUBIT = st.dictionaries(_QUBIT, _VALUES, max_size=2)
_BY_COUPLING = st.dictionaries(_COUPLING, _VALUES, max_size=2)
_RUN_VALUE = st.recursive(
    st.booleans() | _NUMBER | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_PARAMETER, inner, max_size=2),
    max_leaves=3,
)
_RUN_PARAMETERS = st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=8), _RUN_VALUE, max_size=2)

_COUPLING_CHOICE = {"direction": st.sampled_from(["Design", "Frequency"]), "inverse": st.booleans()}
_TARGETS = st.one_of(
    _fields({"qubits": _some(_QUBIT, 1)}, exclude=_fields(qubits=_some(_QUBIT))),
    _fields({"muxes": _some(st.integers(0, 255), 1)}, exclude=_fields(qubits=_some(_QUBIT))),
    _fields({"all": st.just(True)}, exclude=_fields(qubits=_some(_QUBIT))),
    _fields({"couplings": _fields({"ids": _some(_COUPLING, 1)}, **_COUPLING_CHOICE)}),
    _fields({"couplings": _fields({"auto": st.just(True)}, **_COUPLING_CHOICE)}),
    _fields({"chip": st.just(True)}),
)

_ENTRY = _fields(
    {"task": _TASK},
    parameters=_RUN_PARAMETERS,
    timeoutSeconds=_SECONDS,
    r2Threshold=st.floats(0, 1),
    image=_NAME,
)
_ENTRIES = st.lists(_ENTRY, min_size=1, max_size=3)
_ON_EMPTY = st.sampled_from(["Stop", "Skip", "Fail"])
_FILTER = st.one_of(
    _fields({"status": st.just("Succeeded")}, onEmpty=_ON_EMPTY),
    _fields({"metric": _PARAMETER, "min": _NUMBER}, onEmpty=_ON_EMPTY),
    _fields({"metric": _PARAMETER, "min": st.floats(-1, 0), "max": st.floats(0, 1)}, onEmpty=_ON_EMPTY),
)
_TASK_IDS = _some(st.from_regex(r"[0-9a-f]{32}", fullmatch=True), 1)
_SET = st.one_of(
    _fields({"qubits": st.dictionaries(_QUBIT, _VALUES, min_size=1, max_size=2)}, couplings=_BY_COUPLING),
    _fields({"couplings": st.dictionaries(_COUPLING, _VALUES, min_size=1, max_size=2)}),
)
_REANALYSE = _fields(
    {"executionId": _EXECUTION}, tasks=_some(st.sampled_from(["CheckT1", "CheckRabi"])), publish=st.booleans()
)
_MEASURES = _fields(
    {"name": _NAME, "tasks": _ENTRIES},
    targets=_TARGETS,
    schedule=_fields(
        mode=st.sampled_from(["Parallel", "Isolated", "MuxSerial", "Serial"]), maxParallel=st.integers(0, 10_000)
    ),
    batch=st.sampled_from(["None", "Mux", "All"]),
    pairs=st.lists(_some(_COUPLING, 1), max_size=3),
    barrier=st.booleans(),
)
_STEP = st.one_of(
    _MEASURES,
    _fields({"name": _NAME, "filter": _FILTER}),
    _fields({"name": _NAME, "set": _SET}),
    _fields(
        {"name": _NAME, "publish": _fields({"executionId": _EXECUTION}, targets=_some(_QUBIT | _COUPLING))},
    ),
    _fields({"name": _NAME, "revert": _fields({"executionId": _EXECUTION})}),
    _fields({"name": _NAME, "reanalyse": _REANALYSE}),
    _fields({"name": _NAME, "exclude": _fields({"taskIds": _TASK_IDS, "reason": st.text(min_size=1, max_size=8)})}),
    _fields({"name": _NAME, "exclude": _fields({"taskIds": _TASK_IDS, "undo": st.just(True)}, reason=_TEXT)}),
)
_STEPS = st.lists(_STEP, min_size=1, max_size=4, unique_by=lambda step: step["name"])

_VERDICTS = st.sampled_from(["hardware_error", "no_signal", "window", "imprecise", "inconsistent"])
_OVERRIDES = _fields(qubits=_BY_QUBIT, couplings=_BY_COUPLING)
_SOURCE = st.one_of(
    _fields(
        {"executionId": _EXECUTION},
        inputs=st.sampled_from(["Current", "Snapshot"]),
        only=st.sampled_from(["All", "Failed"]),
        overrides=_OVERRIDES,
    ),
    _fields(overrides=_OVERRIDES),
)
SPEC_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "parameters": _fields(defaults=_RUN_PARAMETERS, tasks=st.dictionaries(_TASK, _RUN_PARAMETERS, max_size=2)),
    "parking": _fields({"tasks": _ENTRIES}, seconds=_SECONDS),
    "onTargetFailure": st.sampled_from(["StopTarget", "Continue", "StopSession"]),
    "retry": _fields(
        limit=st.integers(0, 10), backoffSeconds=st.integers(0, 3600), on=_some(_VERDICTS), adapt=st.booleans()
    ),
    "publish": st.sampled_from(["OnSuccess", "Review", "Never"]),
    "deadlines": _fields(pendingSeconds=_SECONDS, taskSeconds=_SECONDS, sessionSeconds=_SECONDS),
    "lock": _fields(scope=st.sampled_from(["Chip", "Targets"])),
    "priority": st.integers(0, 1000),
    "suspend": st.booleans(),
    "suspendHoldSeconds": st.integers(0, 604_800),
    "cancel": st.booleans(),
    "open": st.booleans(),
    "idleSeconds": _SECONDS,
    "outcome": _fields({"result": st.sampled_from(["Completed", "Failed"])}, message=_TEXT),
    "source": _SOURCE,
    "executionId": st.just("") | _EXECUTION,
    "username": _TEXT,
    "flowName": _TEXT,
    "tags": _some(st.text(min_size=1, max_size=8)),
    "note": _TEXT,
    "ttlSecondsAfterFinished": st.integers(0, 31_536_000),
}
"""Every field of a spec that may be absent."""


def session_manifests() -> Manifest:
    """Any session that is as it should be."""
    spec = _fields({"chip": _NAME, "targets": _TARGETS, "steps": _STEPS}, **SPEC_FIELDS)
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just("kubecal.io/v1alpha1"),
            "kind": st.just("CalibrationSession"),
            "metadata": st.fixed_dictionaries({"name": _NAME}),
            "spec": spec,
        }
    )
