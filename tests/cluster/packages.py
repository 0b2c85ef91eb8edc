"""Debian packages that the tests need: installed where we may, named where we may not."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.cache import locked
from tests.cluster.errors import ClusterError
from tests.cluster.process import run, say

_PACKAGES = {
    # The daemon, not the client: a machine may well have a client of another origin, and no daemon.
    "dockerd": "docker.io",
    "docker": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "iptables": "iptables",
    "ip": "iproute2",
    "chromium": "chromium",
}
_FOR_CLUSTERS = (
    "the test cluster needs {packages}: install these Debian packages (or your system's counterparts), start a Docker "
    "that this user may use, or set CLUSTER=external and KUBECONFIG"
)
_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def program(name: str) -> Path | None:
    """Where a program is, looking into the system's folders too: a user's PATH often lacks sbin."""
    found = shutil.which(name) or shutil.which(name, path=_SYSTEM_FOLDERS)
    return Path(found) if found else None


def missing(programs: Iterable[str]) -> list[str]:
    """The packages of those programs that are not there."""
    return sorted({_PACKAGES[name] for name in programs if program(name) is None})


def ensure_programs(*programs: str, otherwise: str = _FOR_CLUSTERS) -> None:
    """Install what is missing of these programs.

    Args:
        programs: their names.
        otherwise: what to say where they cannot be installed, with `{packages}` in it.

    Raises:
        ClusterError: something is missing and we are not root, or this is no Debian.
    """
    if not missing(programs):
        return
    with locked("packages"):
        packages = missing(programs)
        if not packages:
            return
        if os.geteuid() != 0 or program("apt-get") is None:
            raise ClusterError(otherwise.format(packages=", ".join(packages)))
        say(f"installing the Debian packages {', '.join(packages)}")
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
        run(["apt-get", "update"], environment=environment)
        run(install, environment=environment)
