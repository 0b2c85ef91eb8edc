"""The command line: `python -m tests.cluster up | down | status | build | control-plane`."""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from tests.cluster import registry
from tests.cluster.base_image import base_image
from tests.cluster.cache import cache_folder
from tests.cluster.control_plane import ControlPlane
from tests.cluster.docker import connected
from tests.cluster.errors import ClusterError
from tests.cluster.kind import KindCluster
from tests.cluster.process import say
from tests.cluster.registry import KEPT


def exports(environment: Mapping[str, str], tools: Path | None) -> str:
    """Lines for a shell, to be used with `eval`."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items() if name != "PATH"]
    if tools is not None:
        lines.append(f'export PATH={shlex.quote(str(tools))}:"$PATH"')
    return "\n".join(lines)


def _up(keep: bool) -> None:
    started = time.monotonic()
    with KindCluster.ensure(keep=keep) as cluster:
        say(f"the cluster {cluster.name!r} is ready after {time.monotonic() - started:.0f} s; export:")
        print(exports(cluster.environment, cluster.tools), flush=True)
        if keep:
            say("it stays until make cluster-down")
        else:
            _wait_for_interrupt()


def _down() -> None:
    if registry.read(KEPT) is None:
        say("there is no kept cluster")
        return
    with connected(), registry.held(KEPT) as ours:
        if not ours:
            raise ClusterError(f"the kept cluster {KEPT!r} is in use by a run: wait for that run to end")
        registry.keep(KEPT, kept=False)
        registry.delete(KEPT)
    say("the kept cluster is gone")


def _status() -> None:
    say(f"cache: {cache_folder()}")
    if not registry.clusters():
        say("no kind cluster")
    for name in registry.clusters():
        with registry.held(name) as free:
            use = "free" if free else "in use"
        kept = "kept" if registry.is_kept(name) else "ends with its run"
        print(f"{name}: {kept}, {use}, KUBECONFIG={registry.folder_of(name) / 'kubeconfig'}")


def _build() -> None:
    """Everything that takes long, so that the first `up` is quick: programs, node image, the project's images."""
    # Only here: what the cluster is used for is no business of the cluster.
    from tests.e2e.images import build_all

    with connected() as docker:
        say(f"base image: {base_image(docker)}")
        say(f"node image: {KindCluster.prepare(docker)}")
        images = build_all(docker)
    for tag in (images.operator, images.tasks, images.tests):
        print(tag)


def _control_plane() -> None:
    started = time.monotonic()
    with ControlPlane() as control_plane:
        say(f"the control plane is ready after {time.monotonic() - started:.1f} s; export:")
        print(exports(control_plane.environment, None), flush=True)
        _wait_for_interrupt()


def _wait_for_interrupt() -> None:
    say("Ctrl-C ends it")
    while True:
        signal.pause()


def _end_in_order(number: int, frame: FrameType | None) -> None:
    """An ordinary end for SIGTERM and a closed terminal too: what was started is ended in its order."""
    sys.exit(128 + number)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="a kind cluster, until Ctrl-C")
    up.add_argument("--keep", action="store_true", help="the kept cluster, made or reused; it stays")
    commands.add_parser("down", help="remove the kept cluster, and the Docker daemon if it is ours and idle")
    commands.add_parser("status", help="what exists and who uses it")
    commands.add_parser("build", help="build the programs, the node image and the project's images")
    commands.add_parser("control-plane", help="etcd, API server and controller manager, until Ctrl-C")
    arguments = parser.parse_args()
    # A shell script starts its background jobs with SIGINT ignored; Ctrl-C must end us there too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_in_order)
    actions = {"down": _down, "status": _status, "build": _build, "control-plane": _control_plane}
    if arguments.command == "up":
        _up(arguments.keep)
    else:
        actions[arguments.command]()


if __name__ == "__main__":
    try:
        main()
    except ClusterError as error:
        sys.exit(f"tests.cluster: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
