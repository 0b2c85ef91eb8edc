"""Merge patches of statuses."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal_operator.execute import with_nulls


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {"phase": "Running"}, {"phase": "Running"}),
        ({"waitingFor": {"session": "a"}}, {"phase": "Running"}, {"phase": "Running", "waitingFor": None}),
        ({"suspended": {"since": "noon"}}, {"suspended": {"seconds": 5}}, {"suspended": {"since": None, "seconds": 5}}),
        ({"failures": [{"task": "a"}]}, {"failures": []}, {"failures": []}),
    ],
)
def test_what_went_away_is_named_as_null(before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]) -> None:
    assert with_nulls(before, after) == patch
