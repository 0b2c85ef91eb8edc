"""``python -m kubecal_tasks.framework.park``: leave the instrument safe after a measuring process was killed."""

from __future__ import annotations

import os

from kubecal.api.request import REQUEST_VARIABLE, TaskRequest
from kubecal_tasks.backends.registry import open_backend


def main() -> None:
    """Connect to the backend of the environment's request, park its target, disconnect."""
    request = TaskRequest.model_validate_json(os.environ[REQUEST_VARIABLE])
    backend = open_backend(request)
    backend.connect()
    try:
        backend.park()
    finally:
        backend.disconnect()


if __name__ == "__main__":
    main()
