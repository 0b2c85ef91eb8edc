"""The process that outlives the runs: parent of our own Docker daemon, and undertaker of clusters left behind.

A run that is killed cannot clear up, so none is relied upon to. Every run holds a lock for each thing it uses, which
the kernel takes from it when it ends. The guard looks at these locks: a cluster that nobody holds and nobody wanted
kept is deleted, and when there is neither run nor kept cluster left, the daemon ends, with its rules, bridges, mounts
and control groups. If the guard itself is killed, the kernel ends the daemon, which ends its containers.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster import firewall
from tests.cluster.cache import cache_folder, key_of, locked, made_once
from tests.cluster.docker import answering, own_socket, run_folder
from tests.cluster.errors import ClusterError
from tests.cluster.packages import program
from tests.cluster.process import end, run, spawn
from tests.cluster.registry import kept_clusters, remove_abandoned

_CAP_SYS_RESOURCE = 24
_WRAPPER = Path(__file__).with_name("runc-without-sys-resource")
_EVERY_S = 0.5
_BEFORE = "before.json"


@dataclass(frozen=True)
class Before:
    """What the kernel had before our daemon came, written down for the case that this guard is killed."""

    rules: dict[str, str]
    bridges: list[str]
    groups: list[str]
    forwarding: str

    @staticmethod
    def now() -> "Before":
        groups = [str(path) for path in _docker_groups() if path.exists()]
        return Before(firewall.saved(), firewall.bridges(), groups, _forwarding().read_text())


def _recalled() -> Before | None:
    """What a guard wrote down that could not clear up."""
    path = run_folder() / _BEFORE
    return Before(**json.loads(path.read_text())) if path.exists() else None


class OwnDocker:
    """Our own daemon, and everything it makes the kernel keep."""

    def __init__(self) -> None:
        folder = run_folder()
        self._unmount()
        self._before = _recalled() or Before.now()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o711)
        (folder / _BEFORE).write_text(json.dumps(asdict(self._before)))
        self._daemon = spawn(self._command(folder), cache_folder() / "dockerd.log")

    def _command(self, folder: Path) -> list[str | Path]:
        command: list[str | Path] = [
            program("dockerd") or "dockerd", "--host", f"unix://{own_socket()}", "--pidfile", folder / "dockerd.pid",
            "--data-root", cache_folder() / "docker", "--exec-root", folder / "exec",
            "--default-cgroupns-mode", "private",
            # Nothing of ours uses the default bridge: builds have the host's network, kind has a network of its own.
            "--bridge", "none",
        ]  # fmt: skip
        if not may_use_sys_resource(Path("/proc/self/status").read_text()):
            command += ["--add-runtime", f"weaker={_installed_wrapper()}", "--default-runtime", "weaker"]
        return command

    def ended(self) -> bool:
        return self._daemon.poll() is not None

    def end(self) -> None:
        docker = answering()
        if docker is not None and docker.own:
            with contextlib.suppress(ClusterError):
                docker.run("network", "prune", "--force", timeout_s=30)
        end(self._daemon, patience_s=30)
        self._unmount()
        firewall.restore(self._before.rules)
        firewall.remove_bridges(self._before.bridges)
        for group in _docker_groups():
            if str(group) not in self._before.groups:
                _remove_group(group)
        if self._before.forwarding.strip() == "0":
            _forwarding().write_text(self._before.forwarding)
        shutil.rmtree(run_folder(), ignore_errors=True)

    def _unmount(self) -> None:
        """The daemon leaves a mounted network namespace behind, and after a kill every layer of a container."""
        ours = (str(run_folder()), str(cache_folder() / "docker"))
        points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for point in sorted((point for point in points if point.startswith(ours)), reverse=True):
            with contextlib.suppress(ClusterError):
                run(["umount", "--lazy", point])


def may_use_sys_resource(status: str) -> bool:
    """Whether the bounding set in /proc/PID/status has CAP_SYS_RESOURCE."""
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding, 16) >> _CAP_SYS_RESOURCE & 1)


def _installed_wrapper() -> Path:
    """The wrapper in the cache: a kept daemon outlives the checkout it was started from."""

    def copy(folder: Path) -> None:
        shutil.copy2(_WRAPPER, folder / _WRAPPER.name)
        (folder / _WRAPPER.name).chmod(0o755)

    return made_once(f"runc/{key_of(_WRAPPER.read_bytes())}", copy) / _WRAPPER.name


def _forwarding() -> Path:
    return Path("/proc/sys/net/ipv4/ip_forward")


def _docker_groups() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    return [folder / "docker" for folder in [root, *(path for path in root.iterdir() if path.is_dir())]]


def _remove_group(group: Path) -> None:
    """Control groups are removed from the leaves up; one that still has processes stays, and that is right."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _nobody_left() -> bool:
    """Whether no run uses Docker; if so, the lock is ours until we end, so that a new run waits for us to be gone."""
    handle = (cache_folder() / "locks" / "docker-users").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return False
    if kept_clusters():
        handle.close()
        return False
    _held.append(handle)
    return True


_held: list[object] = []
"""Locks that only the end of this process lets go."""


def main() -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    with locked("guard"):
        own = OwnDocker() if sys.argv[1:] == ["own"] else None
        try:
            while not stopping and not (own and own.ended()) and not _nobody_left():
                time.sleep(_EVERY_S)
                remove_abandoned()
            remove_abandoned()
        finally:
            if own is not None:
                own.end()


if __name__ == "__main__":
    try:
        main()
    except (ClusterError, subprocess.SubprocessError) as error:
        sys.exit(str(error))
