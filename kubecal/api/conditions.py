"""Conditions of both kinds, in the standard shape."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kubecal.api.model import Model, shortened


class ConditionType(StrEnum):
    """Every condition a session or chip may have."""

    VALID = "Valid"
    CHIP_HELD = "ChipHeld"
    PROGRESSING = "Progressing"
    RESULTS_STORED = "ResultsStored"
    PODS_BLOCKED = "PodsBlocked"
    POD_STUCK = "PodStuck"
    NOT_PARKED = "NotParked"
    FINISHED = "Finished"


class ConditionStatus(StrEnum):
    """Whether it holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One condition."""

    type: str = Field(max_length=64)
    """What is said."""
    status: ConditionStatus
    """Whether it holds."""
    reason: str = Field(max_length=64)
    """One CamelCase word."""
    message: Annotated[str, shortened(2048), Field(max_length=2048)] = ""
    """One sentence a person can act on."""
    last_transition_time: datetime
    """When status changed last."""
    observed_generation: int = 0
    """Generation of the spec it speaks of."""
