"""Targets, couplings and pairs that are none."""

from __future__ import annotations

from tests.bad_manifests.table import COUPLING, GONE, QUBIT, bad_session

_ONE_TARGET = "give exactly one of qubits, muxes, couplings, all and chip: nothing is never everything"
_ONE_CHOICE = "give either ids or auto: true"

BAD_TARGETS = (
    bad_session(
        "no targets", {"spec.targets": GONE}, "spec.targets", "is required: add it", "spec.targets: Required value"
    ),
    bad_session("empty targets", {"spec.targets": {}}, "spec.targets", _ONE_TARGET),
    bad_session("an empty list of qubits", {"spec.targets": {"qubits": []}}, "spec.targets", _ONE_TARGET),
    bad_session("two ways to name targets", {"spec.targets.all": True}, "spec.targets", _ONE_TARGET),
    bad_session("only what to exclude", {"spec.targets": {"exclude": {"qubits": ["1"]}}}, "spec.targets", _ONE_TARGET),
    bad_session("a step's empty targets", {"spec.steps.0.targets": {}}, "spec.steps[0].targets", _ONE_TARGET),
    bad_session("a qubit with a leading zero", {"spec.targets.qubits.0": "01"}, "spec.targets.qubits[0]", QUBIT),
    bad_session("a qubit with a letter", {"spec.targets.qubits.0": "Q1"}, "spec.targets.qubits[0]", QUBIT),
    bad_session(
        "a qubit without quotes",
        {"spec.targets.qubits.0": 1},
        "spec.targets.qubits[0]",
        "must be text: write it in quotes, not 1",
        "must be of type string",
    ),
    bad_session(
        "a qubit twice",
        {"spec.targets.qubits": ["0", "0"]},
        "spec.targets.qubits",
        'lists "0" twice: remove or rename one',
        'spec.targets.qubits[1]: Duplicate value: "0"',
    ),
    bad_session(
        "a MUX twice",
        {"spec.targets": {"muxes": [1, 1]}},
        "spec.targets.muxes",
        'lists "1" twice: remove or rename one',
        "spec.targets.muxes[1]: Duplicate value: 1",
    ),
    bad_session(
        "an excluded qubit twice",
        {"spec.targets.exclude": {"qubits": ["0", "0"]}},
        "spec.targets.exclude.qubits",
        'lists "0" twice: remove or rename one',
        'spec.targets.exclude.qubits[1]: Duplicate value: "0"',
    ),
    bad_session(
        "too many qubits",
        {"spec.targets.qubits": [str(number) for number in range(1025)]},
        "spec.targets.qubits",
        "must have at most 1024 entries, not 1025",
        "spec.targets.qubits: Too many: 1025: must have at most 1024 items",
    ),
    bad_session("two more ways", {"spec.targets": {"chip": True, "all": True}}, "spec.targets", _ONE_TARGET),
    bad_session("couplings beside qubits", {"spec.targets.couplings": {"auto": True}}, "spec.targets", _ONE_TARGET),
    bad_session(
        "a chip without one of its qubits",
        {"spec.targets": {"chip": True, "exclude": {"qubits": ["1"]}}},
        "spec.targets",
        "the chip as a whole leaves nothing out: remove exclude",
    ),
    bad_session(
        "a MUX below zero",
        {"spec.targets": {"muxes": [-1]}},
        "spec.targets.muxes[0]",
        "must be at least 0, not -1",
        "should be greater than or equal to 0",
    ),
    bad_session("no couplings at all", {"spec.targets": {"couplings": {}}}, "spec.targets.couplings", _ONE_CHOICE),
    bad_session(
        "an empty list of couplings",
        {"spec.targets": {"couplings": {"ids": []}}},
        "spec.targets.couplings",
        _ONE_CHOICE,
    ),
    bad_session(
        "some couplings, and all",
        {"spec.targets": {"couplings": {"ids": ["0-1"], "auto": True}}},
        "spec.targets.couplings",
        _ONE_CHOICE,
    ),
    bad_session(
        "a coupling with an underscore",
        {"spec.targets": {"couplings": {"ids": ["0_1"]}}},
        "spec.targets.couplings.ids[0]",
        COUPLING,
    ),
    bad_session(
        "a coupling with a leading zero",
        {"spec.targets": {"couplings": {"ids": ["0-01"]}}},
        "spec.targets.couplings.ids[0]",
        COUPLING,
    ),
    bad_session(
        "a coupling twice",
        {"spec.targets": {"couplings": {"ids": ["0-1", "0-1"]}}},
        "spec.targets.couplings.ids",
        'lists "0-1" twice: remove or rename one',
        'spec.targets.couplings.ids[1]: Duplicate value: "0-1"',
    ),
    bad_session(
        "too many couplings",
        {"spec.targets": {"couplings": {"ids": [f"0-{number}" for number in range(4097)]}}},
        "spec.targets.couplings.ids",
        "must have at most 4096 entries, not 4097",
        "spec.targets.couplings.ids: Too many: 4097: must have at most 4096 items",
    ),
    bad_session(
        "a direction nobody knows",
        {"spec.targets": {"couplings": {"auto": True, "direction": "frequency"}}},
        "spec.targets.couplings.direction",
        "must be Design or Frequency, not 'frequency': did you mean Frequency?",
        'Unsupported value: "frequency": supported values: "Design", "Frequency"',
    ),
    bad_session(
        "a step's coupling with an underscore",
        {"spec.steps.0.targets": {"couplings": {"ids": ["0_1"]}}},
        "spec.steps[0].targets.couplings.ids[0]",
        COUPLING,
        "spec.steps[0].targets.couplings.ids[0] in body should match",
    ),
    bad_session(
        "a pair with an underscore",
        {"spec.steps.0.pairs": [["0-1"], ["1_2"]]},
        "spec.steps[0].pairs[1][0]",
        COUPLING,
        "spec.steps[0].pairs[1][0] in body should match",
    ),
    bad_session(
        "a pair twice in a group",
        {"spec.steps.0.pairs": [["0-1", "0-1"]]},
        "spec.steps[0].pairs[0]",
        'lists "0-1" twice: remove or rename one',
        'spec.steps[0].pairs[0][1]: Duplicate value: "0-1"',
    ),
    bad_session(
        "a group of no pairs",
        {"spec.steps.0.pairs": [[]]},
        "spec.steps[0].pairs[0]",
        "must have at least 1 entry",
        "spec.steps[0].pairs[0] in body should have at least 1 items",
    ),
    bad_session(
        "pairs without groups",
        {"spec.steps.0.pairs": ["0-1"]},
        "spec.steps[0].pairs[0]",
        "must be a list, not '0-1'",
        "spec.steps[0].pairs[0] in body must be of type array",
    ),
    bad_session(
        "too many groups",
        {"spec.steps.0.pairs": [["0-1"]] * 257},
        "spec.steps[0].pairs",
        "must have at most 256 entries, not 257",
        "spec.steps[0].pairs: Too many: 257: must have at most 256 items",
    ),
)
