"""The file: whole or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubecal.report.file import write_report


def _breaks_off() -> Iterator[str]:
    yield "half a page"
    raise RuntimeError("broke off")


def test_it_holds_all_pieces_and_its_size_is_told(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert write_report(path, ["a ± ", "b"]) == 6
    assert path.read_bytes() == "a ± b".encode()


def test_what_breaks_off_leaves_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("yesterday's")
    with pytest.raises(RuntimeError, match="broke off"):
        write_report(path, _breaks_off())
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"report.html": "yesterday's"}


def test_others_may_read_it_as_far_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_report(tmp_path / "report.html", ["page"])
    finally:
        os.umask(before)
    assert (tmp_path / "report.html").stat().st_mode & 0o777 == 0o640


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "no" / "report.html", ["page"])
