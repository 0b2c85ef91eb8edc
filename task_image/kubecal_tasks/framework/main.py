"""``kubecal-task``: the process of a task pod, and of a task on a laptop.

The parent keeps the clock, the claim and the record; the child, forked first of all, measures. The parent
stays light: it reads no numeric library, so its handler for SIGTERM stands within milliseconds and the claim
is made while the child still imports. Exit codes: 0 whenever a result is stored, whatever its verdict; 143
when interrupted; 1 otherwise, with the reason in the termination message.
"""

from __future__ import annotations

import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kubecal_tasks.framework.interruption import Interruption
from kubecal_tasks.framework.process import fork

_SCRATCH_VARIABLE = "KUBECAL_SCRATCH"  # kubecal.api.request says the same; its import must wait for the fork
_FONT_CACHE_VARIABLE = "KUBECAL_FONT_CACHE"
"""Environment variable with the folder of a ready font list, so that no pod searches the image's fonts again."""


def main() -> None:
    """Run the attempt that the environment describes, and leave."""
    started = time.monotonic()  # the clock of the task's timeout starts with the process, before imports
    interruption = Interruption()
    prepare_scratch()
    child = fork(_measure)
    from kubecal_tasks.framework.parent import run_attempt  # after the fork: it imports while the child does

    code = run_attempt(child, interruption, started)
    sys.stdout.flush()
    sys.stderr.flush()
    # Libraries' exit handlers and threads have nothing left to do, and a pod's end is on the critical path.
    os._exit(code)


def prepare_scratch() -> None:
    """Point what libraries write to at the scratch folder: the root file system of a pod is read-only."""
    scratch = os.environ.get(_SCRATCH_VARIABLE)
    if not scratch:
        return
    folder = Path(scratch) / "matplotlib"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["HOME"] = scratch
    os.environ["MPLCONFIGDIR"] = str(folder)
    ready = os.environ.get(_FONT_CACHE_VARIABLE)
    for source in Path(ready).glob("fontlist-*.json") if ready else ():
        (folder / source.name).write_bytes(source.read_bytes())


def _measure(connection: Connection[Any, Any]) -> None:
    from kubecal_tasks.framework.child import measure

    measure(connection)


if __name__ == "__main__":
    main()
