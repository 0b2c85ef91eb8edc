"""The command line: `python -m tests.cluster up | down | status | build | control-plane`."""

import argparse
import signal
import sys
import time

from tests.cluster import registry
from tests.cluster.docker import connected
from tests.cluster.errors import ClusterError
from tests.cluster.kind import KEPT, KindCluster
from tests.cluster.process import say


def _up(keep: bool) -> None:
    started = time.monotonic()
    with KindCluster.ensure(keep=keep) as cluster:
        say(f"the cluster {cluster.name!r} is ready after {time.monotonic() - started:.0f} s")
        for name, value in cluster.environment.items():
            print(f'export {name}="{value}"' if name != "PATH" else f'export PATH="{cluster.tools}:$PATH"', flush=True)
        if keep:
            say("it stays until make cluster-down")
        else:
            say("Ctrl-C ends it")
            signal.pause()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="make a kind cluster, and keep it with --keep")
    up.add_argument("--keep", action="store_true", help="leave it running, and reuse it")
    arguments = parser.parse_args()
    # An ordinary end for SIGTERM too: what was started is ended in order.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if arguments.command == "up":
        _up(arguments.keep)


if __name__ == "__main__":
    try:
        main()
    except ClusterError as error:
        sys.exit(f"tests.cluster: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
