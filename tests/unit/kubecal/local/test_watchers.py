"""Those who watch a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecal.local.logs import new_lines
from kubecal.local.watchers import Watchers


def test_the_first_look_is_due_at_once_and_the_next_when_something_changes() -> None:
    watchers = Watchers()
    with watchers.watching() as one, watchers.watching() as other:
        assert one.changed.is_set()
        one.changed.clear()
        watchers.tell()
        assert one.changed.is_set()
        assert other.changed.is_set()


def test_everybody_who_watches_hears_a_notice_once() -> None:
    watchers = Watchers()
    with watchers.watching() as one, watchers.watching() as other:
        watchers.notice("the database died")
        assert one.notices() == ("the database died",)
        assert one.notices() == ()
        assert other.notices() == ("the database died",)


def test_what_was_said_before_anybody_watched_is_heard_by_the_first() -> None:
    watchers = Watchers()
    watchers.notice("an earlier run was killed")
    with watchers.watching() as first, watchers.watching() as second:
        assert first.notices() == ("an earlier run was killed",)
        assert second.notices() == ()


@pytest.mark.parametrize(("growing", "lines", "read"), [(True, ["one", "two"], 8), (False, ["one", "two", "half"], 12)])
def test_a_line_that_is_not_whole_waits_as_long_as_more_may_come(
    tmp_path: Path, growing: bool, lines: list[str], read: int
) -> None:
    log = tmp_path / "output.log"
    log.write_text("one\ntwo\nhalf")

    assert new_lines(log, 0, growing) == (lines, read)
    log.write_text("one\ntwo\nhalf a line\n")
    assert new_lines(log, 8, growing) == (["half a line"], 20)


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert new_lines(None, 0, growing=True) == ([], 0)
    assert new_lines(tmp_path / "none", 3, growing=True) == ([], 3)
