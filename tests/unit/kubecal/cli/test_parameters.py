"""``kubecal params``: now, history, differences in sigmas, and a file that can be taken in again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import yaml

from kubecal.api.actions import GivenValue
from kubecal.cli.form import Form
from kubecal.cli.parameters import (
    ParamsAsked,
    differences,
    export_parameters,
    show_difference,
    show_history,
    show_parameters,
)
from kubecal.cli.place import Place, Where
from tests.unit.kubecal.cli.in_memory import (
    MORNING,
    Answered,
    MemoryLab,
    MemoryRecords,
    a_value,
    an_execution,
    answer,
)

HERE = Place(Where.LOCAL)
LATER = MORNING + timedelta(hours=3)
OLD = (
    a_value("0", "t1", 22.0, 0.3),
    a_value("0", "qubit_frequency", 4.91, 0.0001, unit="GHz"),
    a_value("0-1", "zx90_amplitude", 0.31, 0.0, unit="a.u."),
)
NEW = (
    a_value("0", "t1", 26.0, 0.4, measured_at=LATER, execution_id="20261125-003"),
    a_value("10", "t1", 30.0, 0.4, measured_at=LATER, by_hand=True, task=""),
)
NOW = (NEW[0], OLD[1], NEW[1], OLD[2])
LAB = MemoryLab(MemoryRecords([an_execution(), an_execution(3)], now=NOW, past=(*NEW, *OLD)))


def asked(target: str = "", *names: str, chip: str = "fridge-a") -> ParamsAsked:
    return ParamsAsked(chip, HERE, "default", target, names)


async def now(form: Form = Form.TABLE, what: ParamsAsked | None = None, lab: MemoryLab = LAB) -> Answered:
    return await answer(lab, lambda at, screen: show_parameters(at, screen, what or asked()), form=form)


async def difference(before: str, after: str = "now", *, form: Form = Form.TABLE, **more: Any) -> Answered:
    return await answer(
        LAB,
        lambda at, screen: show_difference(at, screen, more.get("what", asked()), before, after, every=False),
        form=form,
    )


async def test_current_values_stand_under_their_qubit_with_errors_and_origin() -> None:
    lines = (await now()).out.splitlines()
    assert [line.split("  ")[0] if line[0] != " " else line.split()[0] for line in lines[1:]] == [
        *("qubit 0", "qubit_frequency", "t1"),
        *("qubit 10", "t1"),
        *("coupling 0-1", "zx90_amplitude"),
    ]
    assert "26.00 ± 0.40" in lines[3]
    assert lines[3].endswith("CheckT1")
    assert lines[5].endswith("set by hand")


async def test_values_are_chosen_by_target_and_name() -> None:
    items = json.loads((await now(Form.JSON, asked("0", "t1"))).out)["items"]
    assert [(one["target"], one["name"], one["value"]) for one in items] == [("0", "t1", 26.0)]


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (asked(chip="fridge-b"), "nothing was recorded of a chip 'fridge-b': did you mean fridge-a?"),
        (
            asked(chip="histroy"),
            "nothing was recorded of a chip 'histroy': known are fridge-a; or the verb: did you mean params history?",
        ),
        (asked("3"), "chip 'fridge-a' has no calibrated parameters of qubit 3: it has some of qubits 0, 10"),
        (asked("0-4"), "chip 'fridge-a' has no calibrated parameters of coupling 0-4: it has some of couplings 0-1"),
        (asked("q0"), "'q0' is not a qubit like 0 or a coupling like 0-1"),
        (asked("0", "t2"), "qubit 0 has no parameter 't2': known are qubit_frequency, t1"),
        (asked("", "zx90_amp"), "chip 'fridge-a' has no parameter 'zx90_amp': did you mean zx90_amplitude?"),
    ],
)
async def test_what_is_not_there_is_answered_with_what_is_close(what: ParamsAsked, sentence: str) -> None:
    said = await now(what=what)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(sentence)


async def test_a_history_says_how_far_each_value_lies_from_the_one_before() -> None:
    lines = (await answer(LAB, lambda at, screen: show_history(at, screen, asked("0", "t1"), 100))).out.splitlines()
    assert lines == [
        "measured (UTC)       value         unit  change  execution     from",
        "2026-11-25 12:00:00  26.00 ± 0.40  us    +8.0 σ  20261125-003  CheckT1",
        "2026-11-25 09:00:00  22.00 ± 0.30  us     first  20261125-000  CheckT1",
    ]


async def test_a_history_of_something_mistyped_is_answered_with_what_is_close() -> None:
    said = await answer(LAB, lambda at, screen: show_history(at, screen, asked("0", "qubit_freq"), 100))
    assert said == Answered(1, "", "qubit 0 has no parameter 'qubit_freq': did you mean qubit_frequency?")


@pytest.mark.parametrize("before", ["morning", "20261125-000", "2026-11-25T09:01", "2026-11-25T10:01+01:00"])
async def test_differences_are_in_sigmas_what_came_first(before: str) -> None:
    # The newest execution of the session is the later one: its end is after all that was published.
    lines = (await difference("20261125-000" if before == "morning" else before)).out.splitlines()
    assert lines == [
        "target  parameter  before        after         unit  change",
        "10      t1                       30.00 ± 0.40  us       new",
        "0       t1         22.00 ± 0.30  26.00 ± 0.40  us    +8.0 σ",
    ]


def test_properties_that_drift_stand_before_settings_of_a_measurement() -> None:
    old = [a_value("0", "ramsey_frequency", 0.5, 0.001), a_value("0", "t1", 22.0, 1.0)]
    new = [a_value("0", "ramsey_frequency", 1.0, 0.001), a_value("0", "t1", 23.0, 1.0)]
    assert [one.name for one in differences(old, new, {"t1"})] == ["t1", "ramsey_frequency"]


def test_what_changed_without_an_error_is_not_lost() -> None:
    (length,) = differences([a_value("0", "hpi_length", 32.0, 0.0)], [a_value("0", "hpi_length", 40.0, 0.0)])
    assert (length.sigmas, length.weight) == (None, float("inf"))
    (same,) = differences([a_value("0", "hpi_length", 32.0, 0.0)], [a_value("0", "hpi_length", 32.0, 0.0)])
    assert same.weight == 0


def test_a_phase_is_the_same_after_a_turn() -> None:
    (phase,) = differences(
        [a_value("0", "rabi_phase", -3.1413, 0.01, unit="rad")], [a_value("0", "rabi_phase", 3.1314, 0.01, unit="rad")]
    )
    assert phase.sigmas == pytest.approx(-0.74, abs=0.01)


async def test_without_a_difference_it_says_so() -> None:
    said = await difference("now", "now")
    assert (said.code, said.err) == (0, "nothing has changed between now and now")


async def test_a_moment_that_is_none_is_answered_with_how_to_write_one() -> None:
    said = await difference("yesterday")
    assert said.code == 1
    assert said.err.endswith("or write a moment: 2026-11-24, 2026-11-24T09:30, 2d (ago), now")


async def test_an_execution_on_another_chip_is_not_compared() -> None:
    lab = MemoryLab(MemoryRecords([an_execution(), an_execution(1, chip="fridge-b")], now=NOW))
    said = await answer(
        lab, lambda at, screen: show_difference(at, screen, asked(), "20261125-001", "now", every=False)
    )
    assert said == Answered(
        2, "", "execution 20261125-001 was on chip 'fridge-b', not on 'fridge-a': correct one of them"
    )


@pytest.mark.parametrize(("form", "load"), [(Form.YAML, yaml.safe_load), (Form.JSON, json.loads)])
async def test_what_is_exported_is_what_a_step_set_takes_with_units(form: Form, load: Any) -> None:
    said = await answer(LAB, lambda at, screen: export_parameters(at, screen, asked(), "now"), form=form)
    body = load(said.out)
    assert list(body) == ["qubits", "couplings"]
    assert body["qubits"]["0"]["qubit_frequency"] == {"value": 4.91, "error": 0.0001, "unit": "GHz"}
    assert body["couplings"]["0-1"]["zx90_amplitude"]["value"] == 0.31
    for values in (*body["qubits"].values(), *body["couplings"].values()):
        for value in values.values():
            GivenValue.model_validate({name: each for name, each in value.items() if name != "unit"})
