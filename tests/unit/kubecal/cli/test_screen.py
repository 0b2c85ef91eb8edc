"""Answers in the forms people and programs ask for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
import yaml
from rich.text import Text

from kubecal.cli.form import Form
from kubecal.cli.screen import Screen
from kubecal.reading.answers import ParameterValue

VALUE = ParameterValue(
    target="0", name="t1", value=22.19, error=float("nan"), unit="µs", measured_at=datetime(2026, 11, 25, tzinfo=UTC)
)


def written(form: Form, *, several: bool) -> str:
    out = StringIO()
    Screen(out, StringIO(), form).show([VALUE] if several else VALUE, lambda: Text("a table"))
    return out.getvalue()


@pytest.mark.parametrize("form", [Form.TABLE, Form.WIDE])
def test_people_get_a_table(form: Form) -> None:
    assert written(form, several=True) == "a table\n"


@pytest.mark.parametrize(("form", "load"), [(Form.JSON, json.loads), (Form.YAML, yaml.safe_load)])
def test_programs_get_the_answers_own_fields(form: Form, load: object) -> None:
    assert callable(load)
    (item,) = load(written(form, several=True))["items"]
    assert (item["name"], item["value"], item["measuredAt"]) == ("t1", 22.19, "2026-11-25T00:00:00Z")
    assert load(written(form, several=False)) == item


@pytest.mark.parametrize("form", [Form.JSON, Form.YAML])
def test_what_is_no_number_is_null_and_signs_stay_readable(form: Form) -> None:
    text = written(form, several=False)
    assert "NaN" not in text
    assert "null" in text
    assert "µs" in text


def test_sentences_stand_beside_an_answer_that_a_program_reads() -> None:
    for form, beside in ((Form.TABLE, False), (Form.JSON, True)):
        out, errors = StringIO(), StringIO()
        Screen(out, errors, form).say("nothing was measured yet")
        assert (errors if beside else out).getvalue() == "nothing was measured yet\n"


def test_nothing_that_is_said_steers_the_terminal() -> None:
    errors = StringIO()
    Screen(StringIO(), errors, Form.TABLE).complain("a \x1b[2J bell\a")
    assert errors.getvalue() == "a  [2J bell\n"
