"""The kind clusters that exist, as folders in the cache: who holds one, which are kept, which were left behind."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from json import dumps, loads
from pathlib import Path

from tests.cluster.cache import cache_folder, try_locked
from tests.cluster.errors import ClusterError
from tests.cluster.process import Command, run

KEPT = "kubecal"
"""The name of the cluster that is kept between runs."""


@dataclass(frozen=True)
class Record:
    """What is written down about a cluster before it is made, so that anyone can delete it."""

    name: str
    kind: str
    path: str
    """PATH with the Docker client and kind that made it."""

    docker_host: str
    fits: str
    """Key of everything the cluster was made from: another key is another cluster."""


def folder_of(name: str) -> Path:
    return cache_folder() / "clusters" / name


def lock_of(name: str) -> str:
    return f"cluster-{name}"


def write(record: Record) -> Path:
    """Write a cluster down; its folder is where its kubeconfig and audit log go."""
    folder = folder_of(record.name)
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(dumps(asdict(record)))
    return folder


def read(name: str) -> Record | None:
    path = folder_of(name) / "record.json"
    return Record(**loads(path.read_text())) if path.exists() else None


def clusters() -> list[str]:
    folder = cache_folder() / "clusters"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def kept_clusters() -> list[str]:
    return [name for name in clusters() if is_kept(name)]


def is_kept(name: str) -> bool:
    return (folder_of(name) / "kept").exists()


def keep(name: str, kept: bool) -> None:
    mark = folder_of(name) / "kept"
    if kept:
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


@contextmanager
def held(name: str) -> Iterator[bool]:
    """Hold a cluster if nobody else does; the value says whether we do."""
    with try_locked(lock_of(name)) as ours:
        yield ours


def delete(name: str) -> None:
    """Delete a cluster and what is written down about it. The caller holds it."""
    record = read(name)
    if record is not None:
        environment = {"PATH": record.path, **({"DOCKER_HOST": record.docker_host} if record.docker_host else {})}
        command: Command = [
            record.kind,
            "delete",
            "cluster",
            "--name",
            name,
            "--kubeconfig",
            folder_of(name) / "kubeconfig",
        ]
        run(command, environment=environment, timeout_s=120)
    shutil.rmtree(folder_of(name), ignore_errors=True)
    if name != KEPT:
        # Nobody else waits for the lock of a name that was made up for one run.
        (cache_folder() / "locks" / lock_of(name)).unlink(missing_ok=True)


def remove_abandoned() -> None:
    """Delete the clusters that nobody holds and nobody keeps."""
    for name in clusters():
        if is_kept(name):
            continue
        with held(name) as ours:
            # Looked at again: between the two looks its run may have marked it as kept, and ended.
            if ours and not is_kept(name):
                try:
                    delete(name)
                except ClusterError as error:
                    print(error, flush=True)
