"""The example package as an installer would leave it."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator

import pytest

from kubecal_tasks.backends import registry as backends
from kubecal_tasks.framework import registry
from kubecal_tasks.framework.export import installed_catalogue
from tests.documents import ROOT

MYLAB = ROOT / "examples" / "mylab"


@pytest.fixture(scope="module")
def mylab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package on the path, beside metadata such as an installer makes of its pyproject.toml."""
    project = tomllib.loads((MYLAB / "pyproject.toml").read_text())["project"]
    site = tmp_path_factory.mktemp("site")
    metadata = site / f"{project['name']}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    (metadata / "entry_points.txt").write_text(_entry_points(project["entry-points"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(site), str(MYLAB)])
        _forget()
        yield
    for name in [each for each in sys.modules if each.partition(".")[0] == project["name"]]:
        del sys.modules[name]
    _forget()


def _entry_points(groups: dict[str, dict[str, str]]) -> str:
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), ""]
    return "\n".join(lines)


def _forget() -> None:
    registry._all_tasks.cache_clear()
    backends._points.cache_clear()
    installed_catalogue.cache_clear()
