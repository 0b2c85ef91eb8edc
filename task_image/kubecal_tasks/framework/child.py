"""The measuring side of a task's process: import, wait for the claim, measure, report."""

from __future__ import annotations

import os
import traceback
from multiprocessing.connection import Connection
from typing import Any

from kubecal.api.request import REQUEST_VARIABLE, TaskRequest
from kubecal_tasks.framework.reports import Failed


def measure(connection: Connection[Any, Any]) -> None:
    """Run the attempt of the environment's request once the parent has claimed it.

    The imports come before the wait: that is what the parent's claim is made in parallel to.
    """
    try:
        request = TaskRequest.model_validate_json(os.environ.get(REQUEST_VARIABLE, ""))
    except ValueError:
        return  # the parent reads the same text and says what is wrong with it
    try:
        from kubecal_tasks.framework.attempt import prepare_attempt

        attempt = prepare_attempt(request, connection.send)
    except Exception as error:
        # A broken installation, or a task file that cannot be imported.
        connection.send(Failed("TaskError", f"the task cannot be loaded: {error}", traceback.format_exc()))
        return
    try:
        offers, stored = connection.recv()
    except EOFError:
        return  # the parent is gone, and the claim with it
    attempt.run(offers, stored)
