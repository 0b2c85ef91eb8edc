"""The guide's example is a package as a lab would write it: it loads, measures, judges, and is quoted as it is."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.manifests import load_manifests
from kubecal.api.request import Verdict
from kubecal.records.results import Offer
from kubecal_tasks.framework.export import installed_catalogue
from tests.bench.closed_loop import Outcome
from tests.documents import ROOT, blocks
from tests.unit.docs.conftest import MYLAB
from tests.unit.kubecal_tasks.tasks.chip import chip, found, truth

TASK = "CheckEchoContrast"
DELAY_US = 20.0


def _run(qubit: str = "0", faults: tuple[dict[str, Any], ...] = (), figures: bool = False, **given: Any) -> Outcome:
    """Any: run parameters and faults, as manifests write them."""
    loop = chip(figures, faults=[{"target": qubit, "tasks": [TASK], **each} for each in faults])
    loop.found[qubit] = dict(_pulses(qubit))
    return loop.run(TASK, qubit, {"delay": DELAY_US, **given})


@cache
def _pulses(qubit: str) -> Mapping[str, Offer]:
    """What the tasks before it find of a qubit."""
    loop = chip()
    for task in ("CheckRabi", "CreateHPIPulse"):
        assert loop.run(task, qubit).verdict is Verdict.OK
    return loop.found[qubit]


@pytest.mark.usefixtures("mylab")
class TestTheExample:
    def test_is_in_the_catalogue_beside_the_built_in_tasks(self) -> None:
        exported = installed_catalogue()
        assert set(exported.task_by_name) == {*built_in_catalogue().task_by_name, TASK}
        entry = exported.task_by_name[TASK]
        outputs = [(each.name, each.unit, each.group, each.drift) for each in entry.outputs]
        assert outputs == [("echo_contrast", "", "echo", 0.2), ("echo_delay", "us", "echo", None)]
        assert {"delay", "shots", "interval"} == set(entry.run_parameter_by_name)
        assert {each.name: each.hint for each in entry.inputs}["hpi_amplitude"] == "CreateHPIPulse"
        assert entry.duration_s > 0

    @pytest.mark.parametrize("qubit", ["0", "3", "6"])
    def test_finds_the_contrast_that_t2_leaves(self, qubit: str) -> None:
        outcome = _run(qubit)
        contrast = found(outcome, "echo_contrast")
        assert (outcome.verdict, outcome.judged.message) == (Verdict.OK, "")
        assert contrast.accepted
        assert found(outcome, "echo_delay").value == pytest.approx(DELAY_US)
        expected = math.exp(-DELAY_US * 1e-6 / truth(qubit).t2_echo_s)
        assert abs(contrast.value - expected) < 4 * contrast.error
        assert contrast.error < 0.03

    @pytest.mark.parametrize("kind", ["NoLine", "DeadQubit"])
    def test_sees_no_signal_where_there_is_none(self, kind: str) -> None:
        outcome = _run(faults=({"kind": kind},))
        assert outcome.verdict is Verdict.NO_SIGNAL
        assert "run CheckRabi" in outcome.judged.message
        assert not found(outcome, "echo_contrast").accepted

    def test_is_not_troubled_by_a_few_glitches(self) -> None:
        assert _run(faults=({"kind": "Glitches", "value": 0.04},)).verdict is Verdict.OK

    def test_is_troubled_by_many(self) -> None:
        assert _run(faults=({"kind": "Glitches", "value": 0.3},)).verdict is Verdict.POOR_FIT

    def test_asks_for_a_shorter_delay_where_the_echo_is_gone_and_then_passes(self) -> None:
        gone = _run(delay=200)
        assert gone.verdict is Verdict.WINDOW
        assert gone.judged.suggestion is not None
        assert gone.judged.suggestion.parameters == {"delay": 50.0}
        assert _run(**gone.judged.suggestion.parameters).verdict is Verdict.OK

    def test_asks_for_shots_where_it_cannot_tell_and_then_passes(self) -> None:
        vague = _run(shots=16)
        assert vague.verdict is Verdict.IMPRECISE
        assert vague.judged.suggestion is not None
        assert set(vague.judged.suggestion.parameters) == {"shots"}
        assert _run(**vague.judged.suggestion.parameters).verdict is Verdict.OK

    def test_draws_its_fringe(self) -> None:
        (figure,) = _run(figures=True).figures
        assert figure.png.content.startswith(b"\x89PNG")
        assert b"Phase of the last pulse" in figure.json.content

    def test_is_what_its_session_asks_for(self) -> None:
        (session,) = load_manifests([MYLAB / "try.yaml"]).sessions
        asked = [each.task for step in session.spec.steps for each in step.tasks or ()]
        assert asked[-1] == TASK
        assert set(asked) <= set(installed_catalogue().task_by_name)


GUIDE_QUOTES = [(block.path, block.text) for block in blocks() if block.page == "add-a-task.md" and block.path]


def test_every_part_of_the_task_is_quoted() -> None:
    quoted = "".join(text for path, text in GUIDE_QUOTES if path.endswith("check_echo_contrast.py"))
    written = (MYLAB / "mylab" / "check_echo_contrast.py").read_text()
    names = re.findall(r"^ *(?:def|class) (\w+)", written, re.MULTILINE)
    parts = {"CheckEchoContrast", "preprocess", "run", "postprocess", "_window_check", "_shorter", "_draw"}
    assert parts <= set(names)
    assert not {name for name in parts if f"def {name}(" not in quoted and f"class {name}(" not in quoted}


def test_the_image_is_made_of_files_that_are_there() -> None:
    copied = re.findall(r"^COPY (\S+) ", (MYLAB / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    assert [each for each in copied if not (MYLAB / each).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/developing.md", "docs/start.md", "docs/author-images.md"])
def test_the_guide_is_found_from(page: str) -> None:
    assert "add-a-task.md" in (ROOT / page).read_text()
