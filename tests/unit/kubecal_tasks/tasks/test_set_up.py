"""The set-up tasks ask the backend's verbs, keep what it says, and judge the modules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.backends.base import ModuleStatus
from kubecal_tasks.backends.capabilities import Band, Capabilities
from kubecal_tasks.backends.fake.backend import FakeBackend
from kubecal_tasks.framework.registry import find_task
from kubecal_tasks.framework.task import Binding
from kubecal_tasks.physics.readout import shot_sigma
from kubecal_tasks.tasks.set_up import SetUpTask
from tests.bench.closed_loop import ClosedLoop, Outcome
from tests.unit.kubecal_tasks.backends.fake.builders import backend

CHIP_TASKS = ("ConfigureAll", "LinkUp", "CheckStatus", "CheckNoise", "DumpBox", "ReadoutConfigure")
MODULE_TASKS = ("Configure", "ConfigureAll", "LinkUp", "CheckStatus", "ReadoutConfigure")
ALL = ("Configure", *CHIP_TASKS)


def target_of(task: str) -> str:
    return "chip" if task in CHIP_TASKS else "2"


def run(task: str, faults: Sequence[Mapping[str, Any]] = (), figures: bool = False) -> Outcome:
    config = {"seed": 3, "drift": False, "faults": list(faults)}
    return ClosedLoop(square_lattice(2, 2, 4), config, figures=figures).run(task, target_of(task))


@pytest.mark.parametrize("task", ALL)
def test_a_chip_that_is_well_passes_and_its_answer_is_kept_as_json(task: str) -> None:
    outcome = run(task)
    assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
    (file,) = outcome.raw_data
    assert (file.name.rpartition(".")[2], file.content_type) == ("json", "application/json")
    assert json.loads(file.content)


@pytest.mark.parametrize("task", ALL)
def test_the_catalogue_entry_is_as_agreed(task: str) -> None:
    entry = find_task(task).catalogue_entry()
    assert entry.kind is (TargetKind.CHIP if task in CHIP_TASKS else TargetKind.QUBIT)
    assert (entry.inputs, entry.run_parameters, entry.timeout_s, entry.r2_threshold) == ((), (), 3600.0, None)
    assert [(each.name, each.unit, each.required) for each in entry.outputs] == (
        [("noise_floor", "dB", False)] if task == "CheckNoise" else []
    )


@pytest.mark.parametrize("task", MODULE_TASKS)
def test_a_module_that_is_not_well_is_named(task: str) -> None:
    outcome = run(task, [{"kind": "InstrumentError", "target": "2"}])
    assert outcome.verdict is Verdict.HARDWARE_ERROR
    assert "control-2 is not well (planted fault InstrumentError)" in outcome.judged.message


@pytest.mark.parametrize("task", ["CheckNoise", "DumpBox"])
def test_instruments_that_report_an_error_have_no_answer(task: str) -> None:
    outcome = run(task, [{"kind": "InstrumentError", "target": "2"}])
    assert (outcome.verdict, outcome.raw_data) == (Verdict.HARDWARE_ERROR, ())


@pytest.mark.parametrize("task", ALL)
def test_instruments_that_do_not_answer_are_a_hardware_error(task: str) -> None:
    outcome = run(task, [{"kind": "InstrumentHang", "target": "2", "value": 0.01}])
    assert outcome.verdict is Verdict.HARDWARE_ERROR
    assert "did not answer for 0.01 s" in outcome.judged.message


def test_status_has_a_row_for_each_module() -> None:
    outcome = run("CheckStatus", [{"kind": "InstrumentError", "target": "1"}])
    rows = {each.name: each.ok for each in outcome.judged.checks if each.name != "modules"}
    assert rows == {**{f"control-{qubit}": qubit != "1" for qubit in "0123"}, "readout-mux-0": True}
    assert outcome.judged.metrics == {"modules": 5.0, "faulty_modules": 1.0}


class Bare:
    """A backend without modules and settings; it notes what was pushed."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, ...]] = []
        self.links = 0

    def capabilities(self) -> Capabilities:
        bands = dict.fromkeys(("drive/0", "readout/0", "drive/1", "readout/1"), Band(1e9, 9e9))
        return Capabilities(bands, 1e9, 1e-9, 1.0, 1.0)

    def configure(self, targets: Sequence[str]) -> None:
        self.pushed.append(tuple(targets))

    def link_up(self) -> None:
        self.links += 1

    def status(self) -> Sequence[ModuleStatus]:
        return ()

    def noise(self) -> Mapping[str, float]:
        return {}

    def dump(self) -> Mapping[str, object]:
        return {}


@pytest.mark.parametrize(
    ("task", "pushed"),
    [
        ("Configure", [("2",)]),
        ("ConfigureAll", [("0", "1")]),
        ("ReadoutConfigure", [("readout/0", "readout/1")]),
        ("CheckStatus", []),
    ],
)
def test_what_is_pushed_is_what_the_name_says(task: str, pushed: list[tuple[str, ...]]) -> None:
    chip = Bare()
    bound(task).run(chip)  # type: ignore[arg-type]  # as much of a backend as these tasks use
    assert chip.pushed == pushed


def bound(task: str) -> SetUpTask:
    found = find_task(task)(Binding(target_of(task), {}, {}))
    assert isinstance(found, SetUpTask)
    return found


def test_links_are_brought_up() -> None:
    chip = Bare()
    bound("LinkUp").run(chip)  # type: ignore[arg-type]
    assert chip.links == 1


@pytest.mark.parametrize(
    ("task", "verdict", "words"),
    [
        *((task, Verdict.HARDWARE_ERROR, "no module answers") for task in MODULE_TASKS),
        ("DumpBox", Verdict.HARDWARE_ERROR, "told no settings"),
        ("CheckNoise", Verdict.NO_SIGNAL, "no readout line was listened to"),
    ],
)
def test_instruments_that_say_nothing_do_not_pass(task: str, verdict: Verdict, words: str) -> None:
    one, chip = bound(task), Bare()
    if task == "CheckNoise":
        checks = one.judge({"levels_db": {}}).checks
    else:
        checks = one.postprocess(chip, one.run(chip)).checks  # type: ignore[arg-type]
    (failed,) = (check for check in checks if not check.ok)
    assert (failed.verdict, words in failed.message) == (verdict, True)


def test_a_task_of_verbs_alone_configures_nothing_beforehand() -> None:
    """LinkUp comes before anything can be pushed."""
    assert not any(find_task(task).plays for task in ALL)
    assert find_task("CheckRabi").plays


# ------------------------------------------------------------------ noise


def test_the_noise_floor_is_that_of_the_noisiest_line() -> None:
    outcome = run("CheckNoise")
    (floor,) = outcome.judged.outputs
    chip = backend("chip", TargetKind.CHIP)
    truth = max(20 * np.log10(shot_sigma(chip._chip.truth(qubit))) for qubit in "0123")
    assert floor.accepted
    assert floor.error == pytest.approx(20 / np.log(10) / np.sqrt(4 * 1000 * 10), rel=0.6)
    assert abs(floor.value - truth) < 4 * floor.error


def test_many_noise_floors_scatter_as_their_errors_say() -> None:
    pulls = []
    for seed in range(40):
        chip = FakeBackend(backend("chip", TargetKind.CHIP)._request, backend("0", config={"seed": seed})._config)
        chip.connect()
        levels = [chip.noise()["readout/3"] for _ in range(10)]
        truth = 20 * np.log10(shot_sigma(chip._chip.truth("3")))
        pulls.append((np.mean(levels) - truth) / (np.std(levels, ddof=1) / np.sqrt(10)))
    assert abs(np.mean(pulls)) < 3.5 / np.sqrt(40) * 1.13
    assert 0.8 < np.std(pulls) < 1.5, "Student's t with 9 degrees of freedom scatters by 1.13"


def test_a_line_that_is_too_loud_is_named_and_its_value_is_not_published() -> None:
    outcome = run("CheckNoise", [{"kind": "SaturatedReadout", "target": "1", "value": 30.0}])
    (floor,) = outcome.judged.outputs
    assert not floor.accepted
    assert outcome.verdict is Verdict.UNPHYSICAL
    assert outcome.judged.message.startswith("readout/1 is at ")
    (failed,) = (each for each in outcome.judged.checks if not each.ok and "loud" in each.name)
    assert failed.message.startswith("readout/1 is at ")


def test_a_silent_line_is_seen() -> None:
    result = bound("CheckNoise").judge({"levels_db": {"readout/0": [-30.0, -31.0], "readout/1": [-140.0, -141.0]}})
    (failed,) = (check for check in result.checks if not check.ok)
    assert (failed.verdict, failed.name) == (Verdict.NO_SIGNAL, "readout/1 silent")


def test_the_noise_of_all_lines_is_drawn() -> None:
    (figure,) = run("CheckNoise", figures=True).figures
    assert figure.svg.content.startswith(b"<?xml")
    document = json.loads(figure.json.content)
    assert len(document["panels"][0]["series"][0]["y"]) == 4


# ------------------------------------------------------------------ the dump


def test_a_dump_has_the_settings_and_nothing_of_the_truth() -> None:
    (file,) = run("DumpBox").raw_data
    settings = json.loads(file.content)
    assert file.name == "settings.json"
    assert settings["config"]["seed"] == 3
    assert set(settings["capabilities"]["bands"]) >= {"drive/0", "readout/3"}
    assert "t1" not in file.content.decode()
