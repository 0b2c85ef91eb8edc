"""Chips with one mistake each, beside what their pods may be."""

from __future__ import annotations

from tests.bad_manifests.table import COUPLING, GONE, QUBIT, bad_chip

_LISTED = {"spec.topology": {"qubits": [{"id": "0", "x": 0, "y": 0, "mux": 0}, {"id": "1", "x": 1, "y": 0, "mux": 0}]}}

BAD_CHIPS = (
    bad_chip(
        "no topology", {"spec.topology": GONE}, "spec.topology", "is required: add it", "spec.topology: Required value"
    ),
    bad_chip(
        "an empty topology",
        {"spec.topology": {}},
        "spec.topology",
        "give either squareLattice or qubits (with couplings)",
    ),
    bad_chip(
        "a generator and a list",
        {"spec.topology.qubits": _LISTED["spec.topology"]["qubits"]},
        "spec.topology",
        "give either squareLattice or qubits (with couplings)",
    ),
    bad_chip(
        "couplings of a generator",
        {"spec.topology.couplings": [{"control": "0", "target": "1"}]},
        "spec.topology",
        "squareLattice makes its own couplings: remove couplings, or list qubits too",
    ),
    bad_chip(
        "half a MUX",
        {"spec.topology.squareLattice.rows": 3},
        "spec.topology.squareLattice",
        "muxSize 4 needs even rows and columns: use muxSize 1 or change them",
    ),
    bad_chip(
        "a MUX of three",
        {"spec.topology.squareLattice.muxSize": 3},
        "spec.topology.squareLattice.muxSize",
        "must be 1 or 4, not 3",
        'Unsupported value: 3: supported values: "1", "4"',
    ),
    bad_chip(
        "too large a lattice",
        {"spec.topology.squareLattice": {"rows": 40, "columns": 40}},
        "spec.topology.squareLattice",
        "rows x columns is more than 1024 qubits: make the lattice smaller",
    ),
    bad_chip(
        "a listed qubit twice",
        {**_LISTED, "spec.topology.qubits.1.id": "0"},
        "spec.topology.qubits",
        'lists "0" twice: remove or rename one',
        "spec.topology.qubits[1]: Duplicate value",
    ),
    bad_chip(
        "a qubit coupled to itself",
        {**_LISTED, "spec.topology.couplings": [{"control": "0", "target": "0"}]},
        "spec.topology.couplings[0]",
        "a qubit is not coupled to itself: correct control or target",
    ),
    bad_chip(
        "a coupling of a qubit that is not there",
        {**_LISTED, "spec.topology.couplings": [{"control": "0", "target": "7"}]},
        "spec.topology",
        "coupling 0-7 names qubit 7, which is not listed: correct the coupling or list the qubit",
        only_parser=True,
    ),
    bad_chip(
        "two qubits in one place",
        {**_LISTED, "spec.topology.qubits.1.x": 0},
        "spec.topology",
        "qubits 0 and 1 are in the same place (x 0, y 0): correct x or y",
        only_parser=True,
    ),
    bad_chip(
        "a coupling in both directions",
        {
            **_LISTED,
            "spec.topology.couplings": [{"control": "0", "target": "1"}, {"control": "1", "target": "0"}],
        },
        "spec.topology",
        "qubits 0 and 1 are coupled twice: remove one of the couplings",
        only_parser=True,
    ),
    bad_chip(
        "no backend", {"spec.backend": GONE}, "spec.backend", "is required: add it", "spec.backend: Required value"
    ),
    bad_chip(
        "a backend in capitals",
        {"spec.backend.name": "Fake"},
        "spec.backend.name",
        "write the name of a backend: lower-case letters, digits and -, like fake",
    ),
    bad_chip(
        "a place that is no time zone",
        {"spec.timeZone": "Europe/Atlantis"},
        "spec.timeZone",
        "'Europe/Atlantis' is not an IANA time zone: write one like Europe/Berlin or Asia/Tokyo",
        only_parser=True,
    ),
    bad_chip(
        "a hardware id with a blank",
        {"spec.hardwareId": "lab fridge"},
        "spec.hardwareId",
        "write letters, digits, ., _, / and -, like lab/fridge-a",
    ),
    bad_chip(
        "a band upside down",
        {"spec.design": {"bands": {"qubit": {"min": 5.6, "max": 4.4}}}},
        "spec.design.bands.qubit",
        "min must be below max: exchange or correct them",
    ),
    bad_chip(
        "a design value of no qubit",
        {"spec.design": {"qubits": {"Q0": {"qubit_frequency": {"value": 4.9}}}}},
        "spec.design.qubits.Q0",
        QUBIT,
    ),
    bad_chip(
        "an error below zero",
        {"spec.design": {"qubits": {"0": {"qubit_frequency": {"value": 4.9, "error": -0.1}}}}},
        "spec.design.qubits.0.qubit_frequency.error",
        "must be at least 0, not -0.1",
        "should be greater than or equal to 0",
    ),
    bad_chip(
        "a disabled qubit twice",
        {"spec.disabled": {"qubits": ["1", "1"]}},
        "spec.disabled.qubits",
        'lists "1" twice: remove or rename one',
        'spec.disabled.qubits[1]: Duplicate value: "1"',
    ),
    bad_chip(
        "a limit below zero",
        {"spec.limits": {"maxPriority": -1}},
        "spec.limits.maxPriority",
        "must be at least 0, not -1",
        "should be greater than or equal to 0",
    ),
    bad_chip(
        "a Secret in capitals",
        {"spec.backend.secretName": "Credentials"},
        "spec.backend.secretName",
        "write the name of a Secret: lower-case letters, digits, - and .",
    ),
    bad_chip(
        "a project with a blank",
        {"spec.projectId": "my lab"},
        "spec.projectId",
        "write letters, digits, ., _ and -, like default",
    ),
    bad_chip(
        "a parameter with a name without end",
        {"spec.design": {"qubits": {"0": {"p" * 64: {"value": 1}}}}},
        f"spec.design.qubits.0.{'p' * 64}",
        "must have at most 63 characters, not 64",
        "a name here has more than 63 characters: shorten it",
    ),
    bad_chip(
        "a design value of a qubit far out",
        {"spec.design": {"qubits": {"100000": {"qubit_frequency": {"value": 4.9}}}}},
        "spec.design.qubits.100000",
        "must have at most 5 characters, not 6",
        "a name here has more than 5 characters: shorten it",
    ),
    bad_chip(
        "a name beyond 63 characters",
        {"metadata.name": "f" * 64},
        "",
        "metadata.name has more than 63 characters: shorten it, because it becomes a label",
    ),
    bad_chip(
        "a disabled coupling that is a qubit",
        {"spec.disabled": {"couplings": ["0"]}},
        "spec.disabled.couplings[0]",
        COUPLING,
    ),
    bad_chip(
        "a disabled coupling twice",
        {"spec.disabled": {"couplings": ["0-1", "0-1"]}},
        "spec.disabled.couplings",
        'lists "0-1" twice: remove or rename one',
        'spec.disabled.couplings[1]: Duplicate value: "0-1"',
    ),
    bad_chip(
        "a design value of no coupling",
        {"spec.design": {"couplings": {"0": {"coupling_strength": {"value": 1}}}}},
        "spec.design.couplings.0",
        COUPLING,
    ),
    bad_chip(
        "a module with a blank",
        {"spec.wiring": {"muxes": [{"id": 0, "readout": ["R 1"]}]}},
        "spec.wiring.muxes[0].readout[0]",
        "write the name of a module: letters, digits, -, _ and ., like R1",
    ),
    bad_chip(
        "a module twice",
        {"spec.wiring": {"muxes": [{"id": 0, "control": ["C1", "C1"]}]}},
        "spec.wiring.muxes[0].control",
        'lists "C1" twice: remove or rename one',
        'spec.wiring.muxes[0].control[1]: Duplicate value: "C1"',
    ),
    bad_chip(
        "more modules than a MUX has",
        {"spec.wiring": {"muxes": [{"id": 0, "readout": [f"R{number}" for number in range(17)]}]}},
        "spec.wiring.muxes[0].readout",
        "must have at most 16 entries, not 17",
        "spec.wiring.muxes[0].readout: Too many: 17: must have at most 16 items",
    ),
    bad_chip(
        "a MUX wired twice",
        {"spec.wiring": {"muxes": [{"id": 0}, {"id": 0, "readout": ["R1"]}]}},
        "spec.wiring.muxes",
        'lists "0" twice: remove or rename one',
        "spec.wiring.muxes[1]: Duplicate value",
    ),
    bad_chip(
        "wiring of no MUX",
        {"spec.wiring": {"muxes": [{"readout": ["R1"]}]}},
        "spec.wiring.muxes[0].id",
        "is required: add it",
        "spec.wiring.muxes[0].id: Required value",
    ),
    bad_chip(
        "a cool-down with a blank",
        {"spec.cooldown": "November 2026"},
        "spec.cooldown",
        "write letters, digits, -, _ and ., like 2026-11",
    ),
    bad_chip(
        "no time to idle",
        {"spec.limits": {"maxIdleSeconds": 0}},
        "spec.limits.maxIdleSeconds",
        "must be at least 1, not 0",
        "should be greater than or equal to 1",
    ),
)
