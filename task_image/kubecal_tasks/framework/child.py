"""The measuring side of a task's process: import, wait for the claim, measure, report."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from typing import Any

from kubecal.api.request import REQUEST_VARIABLE, TaskRequest
from kubecal.records.results import InputOffers


def measure(connection: Connection[Any, Any]) -> None:
    """Run the attempt of the environment's request once the parent has claimed it.

    The imports come before the wait: that is what the parent's claim is made in parallel to.
    """
    from kubecal_tasks.framework.attempt import prepare_attempt

    try:
        request = TaskRequest.model_validate_json(os.environ.get(REQUEST_VARIABLE, ""))
    except ValueError:
        return  # the parent reads the same text and says what is wrong with it
    attempt = prepare_attempt(request, connection.send)
    try:
        offers = connection.recv()
    except EOFError:
        return  # the parent is gone, and the claim with it
    assert isinstance(offers, InputOffers)
    attempt.run(offers)
