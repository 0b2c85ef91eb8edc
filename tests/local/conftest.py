from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.laptop import Laptop


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """A computer on which nothing is left running, whatever was done to it."""
    computer = Laptop(tmp_path)
    yield computer
    assert computer.processes() == {}
