import io
import tarfile
from pathlib import Path

import pytest

from tests.cluster.build_context import archive, context_files, copied_sources, image_key
from tests.cluster.errors import ClusterError


@pytest.mark.parametrize(
    ("dockerfile", "sources"),
    [
        ("COPY a b /app/", ["a", "b"]),
        ("copy a /app", ["a"]),
        ("ADD a /app", ["a"]),
        ("ADD https://example.org/a /app", []),
        ("COPY --from=build /a /b", []),
        ("COPY --chown=1:1 a /b", ["a"]),
        ('COPY ["with space", "/b"]', ["with space"]),
        ("COPY a \\\n  b \\\n  /app/", ["a", "b"]),
        ("# COPY a /app", []),
        ("COPY a \\\n# a word between\n  b /app/", ["a", "b"]),
        ("RUN echo COPY a b", []),
    ],
)
def test_the_sources_of_a_dockerfile(dockerfile: str, sources: list[str]) -> None:
    assert copied_sources(dockerfile) == sources


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("app/main.py", "app/__pycache__/main.pyc", "app/notes.log", "docs/page.md", "pyproject.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(context: Path, dockerfile: str, ignored: tuple[str, ...] = ()) -> list[str]:
    return [path.relative_to(context).as_posix() for path in context_files(context, dockerfile, ignored)]


def test_only_what_is_copied_belongs_to_the_context(context: Path) -> None:
    assert names(context, "COPY pyproject.toml app /app/", ("app/notes.log",)) == ["app/main.py", "pyproject.toml"]


def test_patterns_are_followed(context: Path) -> None:
    assert names(context, "COPY *.toml /app/") == ["pyproject.toml"]


@pytest.mark.parametrize("source", ["gone", "*.lock"])
def test_a_source_that_is_not_there_is_named(context: Path, source: str) -> None:
    with pytest.raises(ClusterError, match=rf"copies '{source.replace('*', '[*]')}'.*correct its COPY"):
        names(context, f"COPY {source} /app/")


def key(context: Path, dockerfile: str = "COPY app /app", **arguments: str) -> str:
    return image_key(dockerfile, context, context_files(context, dockerfile), arguments)


def test_the_key_follows_code_arguments_and_dockerfile_and_nothing_else(context: Path) -> None:
    first = key(context)
    (context / "docs" / "page.md").write_text("better words")
    assert key(context) == first
    assert key(context, BASE_IMAGE="other") != first
    assert key(context, "COPY app /srv") != first
    (context / "app" / "main.py").write_text("other code")
    assert key(context) != first


def test_a_file_made_executable_changes_the_key(context: Path) -> None:
    first = key(context)
    (context / "app" / "main.py").chmod(0o755)
    assert key(context) != first


def test_the_archive_has_the_dockerfile_and_does_not_depend_on_clocks(context: Path) -> None:
    files = context_files(context, "COPY app /app")
    first = archive("COPY app /app", context, files)
    (context / "app" / "main.py").touch()
    assert archive("COPY app /app", context, files) == first
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        assert tar.getnames() == ["Dockerfile", "app/main.py", "app/notes.log"]
