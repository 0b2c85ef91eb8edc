"""What a backend's verbs say, as raw data: of a task that plays no program, what an acquisition is of others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reading:
    """Plain data that a backend told, kept as JSON."""

    label: str
    content: Mapping[str, Any]
    """Any: whatever the instruments say, as JSON has it."""

    def to_json(self) -> bytes:
        """The reading as a file; equal content gives equal bytes.

        Raises
        ------
        ValueError
            If something in it is no plain data.
        """
        try:
            text = json.dumps(self.content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.label!r} cannot be kept as JSON: {error}") from error
        return text.encode()

    @classmethod
    def from_json(cls, label: str, content: bytes) -> Reading:
        """Read what ``to_json`` wrote.

        Raises
        ------
        ValueError
            If it is no JSON object.
        """
        found = json.loads(content)
        if not isinstance(found, dict):
            raise ValueError(f"{label!r} is no JSON object: read the file that a task stored")
        return cls(label, found)
