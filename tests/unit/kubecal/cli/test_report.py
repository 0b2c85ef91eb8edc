"""``kubecal report``: one page, where it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecal.cli.place import Place, Where
from kubecal.cli.report import ReportAsked, save_report
from tests.unit.kubecal.cli.in_memory import (
    Answered,
    MemoryLab,
    MemoryRecords,
    a_result,
    an_execution,
    an_output,
    answer,
)

ROWS = (a_result("CheckT1", "0", an_output()), a_result("CheckT1", "1", status="failed", verdict="no_signal"))
RUNNING = an_execution(1, session="evening", status="running", phase="Running", ended_at=None)
LAB = MemoryLab(MemoryRecords([RUNNING, an_execution()], {"20261125-000": ROWS}))


async def reported(execution: str, path: Path | None) -> Answered:
    asked = ReportAsked(execution, Place(Where.LOCAL), "default", path)
    return await answer(LAB, lambda at, screen: save_report(at, screen, asked))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_the_page_is_a_file_with_what_came_out(tmp_path: Path) -> None:
    said = await reported("morning", tmp_path / "morning.html")
    assert said.code == 0
    assert said.out.startswith(f"{tmp_path}/morning.html (")
    page = (tmp_path / "morning.html").read_text()
    assert "<h1>morning</h1>" in page
    assert "22.19" in page


async def test_without_a_name_it_is_called_by_the_execution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await reported("20261125-000", None)
    assert names_in(tmp_path) == ["report-20261125-000.html"]


async def test_of_a_session_that_runs_it_says_so(tmp_path: Path) -> None:
    assert (await reported("evening", tmp_path / "e.html")).out.endswith(", of a session that still runs")


@pytest.mark.parametrize(
    ("execution", "name", "code", "sentence"),
    [
        ("mornin", "m.html", 1, "no session called 'mornin' was run here: did you mean morning?"),
        ("morning", ".", 2, "{path} is a folder: give the name of a file in it with -o"),
        ("morning", "no/m.html", 2, "{path}: cannot be written (No such file or directory): give another file with -o"),
    ],
)
async def test_what_cannot_be_written_is_said(
    tmp_path: Path, execution: str, name: str, code: int, sentence: str
) -> None:
    path = tmp_path / name
    assert await reported(execution, path) == Answered(code, "", sentence.format(path=path))
    assert names_in(tmp_path) == []
