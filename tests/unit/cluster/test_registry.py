from pathlib import Path

import pytest

from tests.cluster import registry
from tests.cluster.registry import KEPT, Record


@pytest.fixture(autouse=True)
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of kind that writes down what it was asked, and fails if told so."""
    monkeypatch.setenv("KUBECAL_CACHE", str(tmp_path / "cache"))
    program = tmp_path / "kind"
    program.write_text(f'#!/bin/sh\necho "$DOCKER_HOST $*" >> {tmp_path}/calls\n[ ! -e {tmp_path}/broken ]\n')
    program.chmod(0o755)
    return program


def existing(kind: Path, name: str, *, kept: bool = False) -> Path:
    folder = registry.write(Record(name, str(kind), path="/usr/bin:/bin", docker_host="unix:///d", fits="key"))
    registry.keep(name, kept=kept)
    return folder


def calls(kind: Path) -> list[str]:
    path = kind.with_name("calls")
    return path.read_text().splitlines() if path.exists() else []


def test_what_was_written_down_is_read_again(kind: Path) -> None:
    existing(kind, "one")
    assert registry.read("one") == Record("one", str(kind), "/usr/bin:/bin", "unix:///d", "key")
    assert registry.read("other") is None


def test_a_cluster_that_nobody_holds_is_deleted_in_the_docker_that_has_it(kind: Path) -> None:
    folder = existing(kind, "one")
    registry.remove_abandoned()
    assert calls(kind) == [f"unix:///d delete cluster --name one --kubeconfig {folder}/kubeconfig"]
    assert registry.clusters() == []


def test_a_cluster_in_use_stays(kind: Path) -> None:
    existing(kind, "one")
    with registry.held("one") as ours:
        registry.remove_abandoned()
        assert ours
    assert registry.clusters() == ["one"]


def test_a_kept_cluster_stays_until_it_is_let_go(kind: Path) -> None:
    existing(kind, KEPT, kept=True)
    registry.remove_abandoned()
    assert registry.kept_clusters() == [KEPT]
    registry.keep(KEPT, kept=False)
    registry.remove_abandoned()
    assert registry.clusters() == []


def test_a_cluster_that_could_not_be_deleted_is_tried_again(kind: Path) -> None:
    existing(kind, "one")
    kind.with_name("broken").touch()
    registry.remove_abandoned()
    assert registry.clusters() == ["one"]
    kind.with_name("broken").unlink()
    registry.remove_abandoned()
    assert registry.clusters() == []


def test_locks_of_ended_clusters_do_not_pile_up(kind: Path) -> None:
    existing(kind, "one")
    registry.remove_abandoned()
    locks = registry.folder_of("one").parents[1] / "locks"
    assert not (locks / registry.lock_of("one")).exists()
