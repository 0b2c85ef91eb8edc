"""How tasks end in the lab in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """The end of one attempt."""

    status: str = "completed"
    verdict: str = "ok"
    message: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


OK = Answer(values={"t1": 30.0})
FLAT = Answer("failed", "no_signal", "there is nothing but noise: widen the sweep")
HANGS = Answer("running", "")
