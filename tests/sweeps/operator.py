"""The operator as the sweeps run it: with shorter waiting times, and with a planted bug where one is asked for.

Its rules stay as they are: a call's timeout and the wait for the calls of a former life are shortened together. The
variables are read here and nowhere in the operator.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import kubecal.engine.retry
import kubecal_operator.app
import kubecal_operator.client
import kubecal_operator.creating
import kubecal_operator.lease
import kubecal_operator.main
from kubecal_operator.settings import Settings
from tests.sweeps import plants

PLANT, RELIST = "SWEEP_PLANT", "SWEEP_RELIST_S"
_PATIENCE_S = 1.5
_BACKOFF_S = 0.2


def shorten() -> None:
    """What waits for seconds where the tests wait for it."""
    for module in (kubecal_operator.app, kubecal_operator.client, kubecal_operator.lease):
        module.MUTATION_TIMEOUT_S = _PATIENCE_S  # type: ignore[attr-defined]
    kubecal_operator.creating._UNKNOWN_FOR_S = _PATIENCE_S + 1.0
    kubecal.engine.retry._BACKOFF_FIRST_S = _BACKOFF_S
    read = Settings.from_environment
    relist_s = float(os.environ[RELIST])
    Settings.from_environment = staticmethod(lambda: replace(read(), relist_s=relist_s))  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    shorten()
    planted = os.environ.get(PLANT, "")
    if planted:
        plants.PLANTS[planted].plant()
    sys.argv = ["kubecal-operator", "run"]
    kubecal_operator.main.main()
