from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.laptop import Laptop, wait_until


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """A computer on which nothing is left running, whatever was done to it."""
    computer = Laptop(tmp_path)
    yield computer
    # What was killed needs a moment to be gone.
    wait_until(lambda: not computer.processes(), "nothing left running")
