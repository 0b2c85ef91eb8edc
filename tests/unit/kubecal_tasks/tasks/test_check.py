"""The six tasks on a simulated qubit, one after the other, as a session runs them."""

from __future__ import annotations

import pytest

from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from tests.bench.closed_loop import ClosedLoop, Outcome

TASKS = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")
CONFIG = {"seed": 3, "drift": False}


@pytest.fixture(scope="module")
def check() -> dict[str, Outcome]:
    loop = ClosedLoop(square_lattice(2, 2, 4), CONFIG, figures=True)
    return {task: loop.run(task, "0") for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_a_healthy_qubit_passes(check: dict[str, Outcome], task: str) -> None:
    assert (check[task].verdict, check[task].judged.message) == (Verdict.OK, "")
    assert all(each.accepted for each in check[task].judged.outputs)


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_comes_as_svg_png_and_json(check: dict[str, Outcome], task: str) -> None:
    assert check[task].figures
    for figure in check[task].figures:
        assert figure.svg.content.startswith(b"<?xml")
        assert figure.png.content.startswith(b"\x89PNG")
        assert figure.json.content.startswith(b"{")


def test_a_task_goes_on_with_what_the_one_before_it_found(check: dict[str, Outcome]) -> None:
    found = {each.name: each.value for each in check["CreateHPIPulse"].judged.outputs}
    used = check["CheckHPIPulse"].inputs["hpi_amplitude"]
    assert (used.value, used.origin) == (found["hpi_amplitude"], "session")
    assert check["CheckRabi"].inputs["qubit_frequency"].origin == "backend"
    assert check["CheckRabi"].inputs["readout_length"].origin in ("backend", "fallback")


def test_the_same_seed_and_time_give_the_same_bytes() -> None:
    files = [
        ClosedLoop(square_lattice(2, 2, 4), CONFIG).run("CheckRabi", "1", {"shots": 64}).raw_data for _ in range(2)
    ]
    assert [each.content for each in files[0]] == [each.content for each in files[1]]


def test_ramsey_refuses_what_it_could_not_decide() -> None:
    design = {"0": {"qubit_frequency": {"value": 5.0, "error": 0.010}, "hpi_amplitude": {"value": 0.2}}}
    design["0"]["hpi_length"] = {"value": 32.0}
    outcome = ClosedLoop(square_lattice(2, 2, 4), CONFIG, design).run("CheckRamsey", "0")
    assert outcome.verdict is Verdict.WINDOW
    assert "31 MHz" in outcome.judged.message
    assert "run CheckChevron" in outcome.judged.message
    assert not outcome.raw_data, "nothing was measured"


@pytest.mark.parametrize(
    ("task", "parameters", "verdict", "suggested"),
    [
        ("CheckT1", {"delays": {"start": 0.1, "stop": 5, "num": 51}}, Verdict.WINDOW, {"delays"}),
        ("CheckT1", {"shots": 16, "delays": {"start": 1, "stop": 300, "num": 9, "scale": "log"}}, None, {"shots"}),
        ("CheckRabi", {"times": {"start": 0, "stop": 20, "num": 21}}, Verdict.WINDOW, {"times"}),
    ],
)
def test_what_fails_suggests_what_to_change(
    check: dict[str, Outcome], task: str, parameters: dict[str, object], verdict: Verdict | None, suggested: set[str]
) -> None:
    design = {
        "0": {
            name: {"value": record.value}
            for name, record in check["CheckHPIPulse"].inputs.items()
            if name in ("hpi_amplitude", "hpi_length")
        }
    }
    outcome = ClosedLoop(square_lattice(2, 2, 4), CONFIG, design).run(task, "0", parameters)
    assert outcome.verdict is not Verdict.OK
    assert verdict is None or outcome.verdict is verdict
    assert outcome.judged.suggestion is not None
    assert suggested <= set(outcome.judged.suggestion.parameters)


def test_a_run_parameter_that_is_not_allowed_is_named() -> None:
    with pytest.raises(AssertionError, match="BadParameters: shots: 1 is below the minimum of 2"):
        ClosedLoop(square_lattice(2, 2, 4), CONFIG).run("CheckRabi", "0", {"shots": 1})


def test_a_missing_input_says_which_task_provides_it() -> None:
    with pytest.raises(AssertionError, match=r"MissingInput: .* hpi_amplitude of qubit 0: run CreateHPIPulse"):
        ClosedLoop(square_lattice(2, 2, 4), CONFIG).run("CheckT1", "0")
