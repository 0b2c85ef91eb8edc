"""The Docker that everything runs in: one that answers, else one of our own.

Our own daemon belongs to no single run. It is shared by all runs on the machine, started by the first and ended by a
guard (guard.py) after the last, however that one ended.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cache import cache_folder, key_of, locked, try_locked
from tests.cluster.errors import ClusterError
from tests.cluster.packages import ensure_programs, program
from tests.cluster.process import run, say, succeeds, tail
from tests.cluster.registry import kept_clusters

_CHECKOUT = Path(__file__).parents[2]
_PATIENCE_S = 60


@dataclass(frozen=True)
class Docker:
    """A Docker daemon that answers, and a client that can talk to it."""

    client: Path
    host: str
    """The value of DOCKER_HOST; empty for the client's default."""

    own: bool
    """Whether it is the daemon that we started."""

    @property
    def environment(self) -> dict[str, str]:
        return {"DOCKER_HOST": self.host} if self.host else {}

    def run(self, *arguments: str | Path, given: bytes | None = None, timeout_s: float | None = None) -> str:
        """Run the client; raises ClusterError with what it printed."""
        return run([self.client, *arguments], environment=self.environment, given=given, timeout_s=timeout_s)

    def has_image(self, tag: str) -> bool:
        return succeeds([self.client, "image", "inspect", tag], environment=self.environment)

    def pulled(self, image: str) -> bool:
        """Whether the image is here, or could be pulled now."""
        if self.has_image(image):
            return True
        say(f"asking for {image}")
        return succeeds([self.client, "pull", "--quiet", image], environment=self.environment, timeout_s=600)


def own_socket() -> Path:
    return run_folder() / "docker.sock"


def run_folder() -> Path:
    """Socket, process id and state of our own daemon: a short path, since a socket's may have 107 characters only."""
    return Path("/run") / f"kubecal-{key_of(str(cache_folder()))}"


def answering() -> Docker | None:
    """The Docker that the user has, or our own if it runs."""
    own = f"unix://{own_socket()}"
    for host in dict.fromkeys([os.environ.get("DOCKER_HOST", ""), own]):
        for client in _clients():
            if succeeds([client, "version"], environment={"DOCKER_HOST": host} if host else {}, timeout_s=20):
                return Docker(client, host, own=host == own)
    return None


def _clients() -> list[Path]:
    """The client of the PATH, and the one that came with the daemon: a client may be too new for the daemon."""
    daemon = program("dockerd")
    candidates = [program("docker"), Path("/usr/bin/docker") if daemon else None]
    return list(dict.fromkeys(path.resolve() for path in candidates if path and path.exists()))


@contextmanager
def connected() -> Iterator[Docker]:
    """A Docker for as long as the context lasts, and a guard that clears up behind us if we cannot."""
    try:
        with locked("docker-users", shared=True):
            with locked("docker-start"):
                docker = answering()
                if docker is None:
                    ensure_programs("dockerd", "docker", "containerd", "runc", "iptables", "ip")
                    docker = answering()  # installing the packages may have started a daemon
                docker = _guarded(docker)
            yield docker
    finally:
        _wait_for_guard()


def _guarded(docker: Docker | None) -> Docker:
    """Start the guard if it does not run; it starts our own daemon if there is no other."""
    if docker is None and os.geteuid() != 0:
        raise ClusterError(
            "no Docker answers and only root can start one: start Docker, join the group docker, or set"
            " CLUSTER=external"
        )
    if docker is not None and guard_runs():
        return docker
    log = cache_folder() / "guard.log"
    mode = "own" if docker is None or docker.own else "given"
    with log.open("ab") as output:
        guard = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.guard", mode],
            cwd=_CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        found = answering()
        if found is not None and guard_runs():
            return found
        if guard.poll() is not None or time.monotonic() > deadline:
            guard.terminate()
            raise ClusterError(f"no Docker could be started; the end of {log}:\n{tail(log.read_text())}")
        time.sleep(0.1)


def guard_runs() -> bool:
    with try_locked("guard") as free:
        return not free


def _wait_for_guard() -> None:
    """Wait until the guard has cleared up behind us, unless it stays for others or for a kept cluster."""
    deadline = time.monotonic() + _PATIENCE_S
    while guard_runs() and time.monotonic() < deadline:
        with try_locked("docker-users") as nobody:
            stays = nobody and bool(kept_clusters())
        if not nobody:
            # Another run, or the guard itself while it clears up; only the guard keeps out readers too.
            with try_locked("docker-users", shared=True) as stays:
                pass
        if stays:
            return
        time.sleep(0.2)
