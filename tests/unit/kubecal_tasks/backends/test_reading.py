"""Readings: plain data that come back as they were stored."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kubecal_tasks.backends.reading import Reading
from kubecal_tasks.framework.conversion import raw_files


def test_a_file_gives_back_what_went_in() -> None:
    before = Reading("settings", {"b": [1, 2.5, None], "a": {"amplifier": "außen", "on": True}})
    assert Reading.from_json("settings", before.to_json()) == before


def test_equal_content_gives_equal_bytes() -> None:
    assert Reading("x", {"a": 1, "b": 2}).to_json() == Reading("x", {"b": 2, "a": 1}).to_json()


@pytest.mark.parametrize("content", [{"level": math.nan}, {"bands": {1, 2}}, {"of": object()}])
def test_what_is_no_plain_data_is_named(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="'levels' cannot be kept as JSON"):
        Reading("levels", content).to_json()


@pytest.mark.parametrize("content", [b"[1, 2]", b"3"])
def test_what_is_no_object_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError, match="'levels' is no JSON object"):
        Reading.from_json("levels", content)


def test_its_file_says_what_it_is() -> None:
    (file,) = raw_files([Reading("noise of lines", {})])
    assert (file.name, file.content_type) == ("noise-of-lines.json", "application/json")
