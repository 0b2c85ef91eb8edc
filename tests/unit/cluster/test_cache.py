from pathlib import Path

import pytest

from tests.cluster.cache import cache_folder, key_of, key_of_folder, made_once, try_locked


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("KUBECAL_CACHE", str(folder))
    return folder


def test_a_key_changes_when_a_boundary_between_parts_moves() -> None:
    assert key_of("ab", "c") != key_of("a", "bc")


def test_a_key_takes_text_and_bytes_alike() -> None:
    assert key_of("a") == key_of(b"a")


@pytest.mark.parametrize(
    ("name", "content"), [("b", "1"), ("a", "2"), ("sub/a", "1")], ids=["renamed", "changed", "moved"]
)
def test_the_key_of_a_folder_follows_names_and_contents(tmp_path: Path, name: str, content: str) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, file, text in ((first, "a", "1"), (second, name, content)):
        path = folder / file
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert key_of_folder(first) != key_of_folder(second)


def test_the_key_of_a_folder_passes_over_compiled_python(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = key_of_folder(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"\0")
    assert key_of_folder(tmp_path) == before


def test_a_thing_is_made_only_once() -> None:
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "thing").write_text("made")

    assert made_once("some/thing", make) == made_once("some/thing", make)
    assert len(calls) == 1
    assert (cache_folder() / "some" / "thing" / "thing").read_text() == "made"


def test_a_thing_whose_making_failed_leaves_nothing_and_is_made_again() -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        made_once("thing", fail)
    assert [path.name for path in cache_folder().iterdir()] == ["locks"]
    assert made_once("thing", lambda folder: None).is_dir()


def test_a_held_lock_is_not_given_twice() -> None:
    with try_locked("one") as first, try_locked("one") as second:
        assert (first, second) == (True, False)
    with try_locked("one") as again:
        assert again


def test_readers_share_a_lock_and_keep_a_writer_out() -> None:
    reader = try_locked("one", shared=True)
    with reader as first, try_locked("one", shared=True) as second, try_locked("one") as writer:
        assert (first, second, writer) == (True, True, False)
