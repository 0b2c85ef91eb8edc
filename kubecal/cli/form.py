"""The forms in which an answer can be written."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    WIDE = "wide"
    """A table with more columns."""
    JSON = "json"
    YAML = "yaml"


FormOption = Annotated[Form, typer.Option("--output", "-o", help="How to write the answer.")]
