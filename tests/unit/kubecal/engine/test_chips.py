"""Which of several chips with one place in the records has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubecal.api.conditions import ConditionType
from kubecal.engine.chips import taken_keys
from kubecal.engine.conditions import Claimed, merged
from kubecal.engine.model import ChipView
from tests.unit.kubecal.engine.builders import NOON, chip, later


def _chip(namespace: str, *, age_s: float = 0, valid: bool | None = None, stale: bool = False, **spec: Any) -> ChipView:
    """A chip that was found valid, not valid, or not looked at yet; before its last change where ``stale``."""
    view = replace(chip(namespace=namespace, **spec), uid=namespace, created_at=later(-age_s), generation=2)
    if valid is None:
        return view
    told = merged((), [Claimed(ConditionType.VALID, valid, "Told")], NOON, 1 if stale else 2)
    return replace(view, status=view.status.model_copy(update={"conditions": told}))


@pytest.mark.parametrize(
    ("lab", "annex", "refused"),
    [
        ({"age_s": 1}, {}, {"annex"}),
        ({}, {"age_s": 1}, {"lab"}),
        ({}, {}, {"lab"}),
        # Who has it keeps it, whoever is older.
        ({"valid": True}, {"age_s": 1}, {"annex"}),
        ({"valid": True}, {"age_s": 1, "valid": False}, {"annex"}),
        # The older one was changed to take the other's place.
        ({"valid": True}, {"age_s": 1, "valid": True, "stale": True}, {"annex"}),
        # The one that has it was changed in some other way, while another waits for it.
        ({"valid": True, "stale": True}, {"age_s": 1, "valid": False}, {"annex"}),
        ({"projectId": "other"}, {"age_s": 1}, set()),
    ],
)
def test_one_chip_has_a_place_in_the_records(lab: dict[str, Any], annex: dict[str, Any], refused: set[str]) -> None:
    chips = [_chip("lab", **lab), _chip("annex", **annex)]
    assert set(taken_keys(chips)) == set(taken_keys(chips[::-1])) == refused


def test_chips_of_other_names_share_a_project() -> None:
    assert not taken_keys([_chip("lab"), replace(_chip("annex"), name="fridge-b")])


@pytest.mark.parametrize("changes", [{"deleted": True}, {"spec": None}])
def test_a_chip_that_goes_or_does_not_parse_has_no_place(changes: dict[str, Any]) -> None:
    assert not taken_keys([_chip("lab"), replace(_chip("annex", age_s=1), **changes)])


def test_the_sentence_says_whose_the_place_is() -> None:
    (sentence,) = taken_keys([_chip("lab", age_s=1), _chip("annex")]).values()
    assert "'fridge-a' in project 'default' belong to the Chip in namespace 'lab'" in sentence
