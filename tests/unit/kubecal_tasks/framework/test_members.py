"""Tasks that judge several members: what each of them is bound to, and what becomes of what was returned."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal.api.request import Verdict
from kubecal_tasks.fits.values import FitError
from kubecal_tasks.framework.attempt import by_member, clipping_checks
from kubecal_tasks.framework.inputs import InputValue, Origin
from kubecal_tasks.framework.task import Binding, PostProcessResult
from kubecal_tasks.programs import Acquisition, Program
from kubecal_tasks.programs.acquisition import Acquired
from kubecal_tasks.programs.operations import Readout, Tone, readout_line
from kubecal_tasks.programs.wanted import Average
from tests.image.kubecal_test_tasks.scripted import ScriptedBatch, ScriptedMux


def frequency(ghz: float) -> dict[str, InputValue]:
    return {"qubit_frequency": InputValue("qubit_frequency", ghz, 0.001, "GHz", Origin.SESSION)}


def on_mux() -> ScriptedMux:
    return ScriptedMux(Binding("mux-0", {}, {"value": 0.5}, 0.7, {"0": frequency(5.0), "3": frequency(4.0)}))


def test_each_member_has_its_own_inputs_and_all_have_the_same_parameters() -> None:
    task = on_mux()
    assert {one: member.value("qubit_frequency") for one, member in task.members.items()} == {"0": 5.0e9, "3": 4.0e9}
    assert {(member.number("value"), member.binding.r2_threshold) for member in task.members.values()} == {(0.5, 0.7)}
    assert task.members["3"].target == "3"
    assert task.members["3"] is task.members["3"], "what a member remembers from preprocess is there in postprocess"


def test_a_task_on_one_target_is_its_only_member() -> None:
    task = ScriptedBatch(Binding("3", frequency(5.0), {}))
    assert task.members == {"3": task}


def test_a_member_whose_data_make_no_curve_costs_the_others_nothing() -> None:
    def analyse(member: ScriptedMux) -> PostProcessResult:
        if member.target == "3":
            raise FitError("5 points of 51 are numbers")
        return PostProcessResult()

    found = on_mux().each(analyse)

    assert found["0"].checks == ()
    (check,) = found["3"].checks
    assert (check.verdict, check.message) == (Verdict.POOR_FIT, "5 points of 51 are numbers")


def test_one_result_is_that_of_the_target() -> None:
    result = PostProcessResult()
    assert by_member(ScriptedBatch(Binding("3", {}, {})), result) == {"3": result}


@pytest.mark.parametrize(
    "others", [{}, {"0": PostProcessResult()}, dict.fromkeys(("0", "1", "3"), PostProcessResult())]
)
def test_a_result_for_each_member_and_for_nobody_else(others: dict[str, PostProcessResult]) -> None:
    with pytest.raises(ValueError, match="but the attempt judges 0, 3: return one for each"):
        by_member(on_mux(), others)


def test_a_member_is_judged_by_what_was_cut_off_on_its_own_line() -> None:
    tones = tuple(Tone(readout_line(one), 7e9, 0.1) for one in ("0", "3"))
    program = Program(frames=(), body=(), readout=Readout(tones, 384e-9), acquisition=Average(16), interval_s=1e-4)
    clipped = np.asarray([0.0, 0.5])
    data = Acquired((), np.zeros((2, 2)), np.zeros((2, 2, 2)), clipped, 1.0)
    acquisitions = (Acquisition("both", program, data),)

    found = {one: clipping_checks(acquisitions, one)[0].ok for one in ("0", "3")}

    assert found == {"0": True, "3": False}
