"""Sessions and chips of as much as there may be, within the 1.5 MiB that etcd takes with all that is kept beside."""

from __future__ import annotations

from collections.abc import Iterable

from tests.bad_manifests import Document, good_chip, good_session

MAX_STEPS, MAX_TASKS, MAX_GROUPS, MAX_QUBITS = 256, 64, 256, 1024
QUBITS = [str(number) for number in range(MAX_QUBITS)]
COUPLINGS = [f"{n}-{(n + hop) % MAX_QUBITS}" for hop in (1, 2, 3, 4) for n in range(MAX_QUBITS)]
PAIRS = [f"{n}-{n + 1}" for n in range(0, 256, 2)]
TASK_IDS = [f"{number:032x}" for number in range(256)]
EXECUTION = "20261123-0000004"


def largest_sessions() -> dict[str, Document]:
    """Sessions that are open and take one more step, by what they have so much of."""
    return {
        "tasks": _session(_measuring() for _ in range(MAX_STEPS - 1)),
        "qubits": _session({"tasks": [{"task": "CheckT1"}], "targets": _all_but_one()} for _ in range(24)),
        "couplings": _session(
            [{"tasks": [{"task": "CheckT1"}], "targets": {"couplings": {"ids": COUPLINGS}}}] * 4
            + [{"tasks": [{"task": "CheckT1"}], "pairs": [PAIRS] * MAX_GROUPS}]
        ),
        "records": _session(
            [{"exclude": {"taskIds": TASK_IDS, "reason": "r" * 1024}}] * 8
            + [{"publish": {"executionId": EXECUTION, "targets": QUBITS, "parameters": _names(64)}}] * 4
            + [{"set": {"qubits": {q: _values(2) for q in QUBITS}, "couplings": {c: _values(1) for c in COUPLINGS}}}]
            + [{"set": {"qubits": {q: _values(1) for q in QUBITS[:24]}}}] * 200
        ),
    }


def _session(steps: Iterable[Document]) -> Document:
    document = good_session()
    document["metadata"]["name"] = "m" * 63
    document["spec"] |= {
        "targets": _all_but_one(),
        "parameters": {
            "defaults": dict.fromkeys(_names(64), 1),
            "tasks": {f"Task{n}": {"shots": n} for n in range(64)},
        },
        "steps": [{"name": f"{number:03}-" + "s" * 59, **step} for number, step in enumerate(steps)],
        "parking": {"tasks": _measuring()["tasks"]},
        "source": {"executionId": EXECUTION, "overrides": {"qubits": {q: _values(1) for q in QUBITS}}},
        "username": "u" * 253,
        "flowName": "f" * 253,
        "tags": [f"{number:02}" + "t" * 61 for number in range(32)],
        "note": "n" * 8192,
        "open": True,
    }
    return document


def _measuring() -> Document:
    return {"tasks": [{"task": "CheckT1", "timeoutSeconds": 604800, "r2Threshold": 0.75} for _ in range(MAX_TASKS)]}


def _all_but_one() -> Document:
    return {"qubits": QUBITS, "exclude": {"qubits": QUBITS[1:]}}


def _names(number: int) -> list[str]:
    return [f"parameter_{n}" for n in range(number)]


def _values(number: int) -> Document:
    return {name: {"value": 4.9, "error": 0.1} for name in _names(number)}


def largest_chip() -> Document:
    """A chip of 1,024 listed qubits, with as many couplings, modules and values as there may be."""
    document = good_chip()
    qubits = [{"id": q, "x": n % 32, "y": n // 32, "mux": n} for n, q in enumerate(QUBITS)]
    couplings = [dict(zip(("control", "target"), c.split("-"), strict=True)) for c in COUPLINGS]
    modules = {side: [f"{side}-{n}" for n in range(16)] for side in ("readout", "control")}
    document["spec"] |= {
        "topology": {"qubits": qubits, "couplings": couplings},
        "wiring": {"muxes": [{"id": n, **modules} for n in range(256)]},
        "design": {"qubits": {q: _values(2) for q in QUBITS}, "couplings": {c: _values(1) for c in COUPLINGS[:1024]}},
        "disabled": {"qubits": QUBITS, "couplings": COUPLINGS},
        "backend": {"name": "fake", "config": {f"setting{n}": "x" * 100 for n in range(64)}},
    }
    return document
