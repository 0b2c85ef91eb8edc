"""``kubecal figures``: figures as files that a person finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubecal.cli.figures import FiguresAsked, save
from kubecal.cli.place import Place, Where
from kubecal.cli.results import Chosen
from tests.unit.kubecal.cli.in_memory import Answered, MemoryLab, MemoryRecords, a_result, an_execution, answer

ROWS = (
    a_result("CheckT1", "0"),
    a_result("CheckT1", "1", status="failed", attempt=2, figure_ids=("1-a.svg", "1-a.png", "2-b.svg", "2-b.png")),
    a_result("LinkUp", "", figure_ids=()),
)
LAB = MemoryLab(MemoryRecords([an_execution()], {"20261125-000": ROWS}))


async def saved(folder: Path | None, form: str = "svg", **chosen: Any) -> Answered:
    asked = FiguresAsked("latest", Place(Where.LOCAL), "default", Chosen(**chosen), folder, form)
    return await answer(LAB, lambda at, screen: save(at, screen, asked))


async def test_every_figure_is_a_file_that_says_what_it_is_of(tmp_path: Path) -> None:
    said = await saved(tmp_path / "new" / "figures")
    assert said == Answered(0, f"3 figures in {tmp_path}/new/figures", "")
    written = {path.name: path.read_text() for path in (tmp_path / "new" / "figures").iterdir()}
    assert written == {
        "0-check-CheckT1.svg": "content of abc-CheckT1-0.svg",
        "1-check-CheckT1-attempt2.svg": "content of 1-a.svg",
        "1-check-CheckT1-attempt2-2.svg": "content of 2-b.svg",
    }


async def test_the_default_folder_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (await saved(None, "png", targets=["0"])).out == "1 figure in figures-20261125-000"
    assert [path.name for path in (tmp_path / "figures-20261125-000").iterdir()] == ["0-check-CheckT1.png"]


@pytest.mark.parametrize(
    ("form", "chosen", "code", "sentence"),
    [
        ("pnq", {}, 2, "--format pnq: figures are svg, png or json: did you mean png?"),
        ("json", {}, 1, "execution 20261125-000 has no figures as json: --format svg or png has them"),
        ("svg", {"tasks": ["LinkUp"]}, 1, "these results of execution 20261125-000 have no figures"),
        ("svg", {"tasks": ["CheckT2"]}, 1, "this execution has no task 'CheckT2': did you mean CheckT1?"),
    ],
)
async def test_without_figures_it_says_why(
    tmp_path: Path, form: str, chosen: dict[str, Any], code: int, sentence: str
) -> None:
    assert await saved(tmp_path / "figures", form, **chosen) == Answered(code, "", sentence)
    assert not (tmp_path / "figures").exists()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = await saved(tmp_path / "file" / "figures")
    assert said == Answered(
        2, "", f"{tmp_path}/file/figures: cannot be written (Not a directory): give another folder with --to"
    )
