"""Where the next page of a list begins, and how much text is read."""

from __future__ import annotations

import gc

import pytest

from kubecal_operator.client import next_page, parsed

_HEAD = '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"123"'


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (_HEAD + '},"items":[]}', None),
        (_HEAD + ',"continue":"eyJ2Ijoi","remainingItemCount":7},"items":[]}', "eyJ2Ijoi"),
        (_HEAD + '},"items":[{"metadata":{"name":"a","continue":"not a list\'s"}}]}', None),
    ],
    ids=["the only page", "more follow", "an item that looks like it"],
)
def test_the_next_page_is_known_from_the_head_of_this_one(text: str, token: str | None) -> None:
    assert next_page(text) == token


@pytest.mark.parametrize("collects", [True, False])
def test_reading_leaves_the_collector_as_it_was(collects: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        assert parsed('{"a": [1]}') == {"a": [1]}
        with pytest.raises(ValueError, match="Expecting"):
            parsed("{")
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()
