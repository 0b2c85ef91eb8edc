"""``Chip.spec.backend.config`` of the simulated chip."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.base import BackendUnusable


class _Config(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
    )


class Profile(StrEnum):
    """How long coherence lasts."""

    DEFAULT = "Default"
    """T1 15 ... 60 us."""
    LONG = "Long"
    """T1 60 ... 300 us, for sessions with wider sweeps."""


class FaultKind(StrEnum):
    """What can be wrong with a simulated chip."""

    DEAD_QUBIT = "DeadQubit"
    """The resonator answers as if there were no qubit."""
    NO_LINE = "NoLine"
    """Nothing of the drive arrives."""
    GLITCHES = "Glitches"
    """Some points are garbage, in all sweeps the same; ``value`` is their fraction, 0.03 unless given."""
    TLS = "Tls"
    """A two-level system sits at the qubit: T1 is 0.45 of what it was, the frequency ``value`` kHz off, 60 unless
    given."""
    TWO_LINES = "TwoLines"
    """Charge parity gives the qubit two frequencies, ``value`` kHz above and below its own, 150 unless given."""
    SATURATED_READOUT = "SaturatedReadout"
    """An amplifier has ``value`` times its gain, 10 unless given, so that the digitiser cuts off the readout."""
    INSTRUMENT_ERROR = "InstrumentError"
    """The instrument reports an error instead of data."""
    INSTRUMENT_HANG = "InstrumentHang"
    """The instrument does not answer for ``value`` seconds, a day unless given, then reports an error."""
    WRONG_WINDOW = "WrongWindow"
    """Sweeps reach only ``value`` of the way, numbers of repetitions stay; 0.02 of times and 0.05 of amplitudes
    unless given."""


class WallClock(_Config):
    """Measurements count as made now, or so much later."""

    mode: Literal["Wall"] = "Wall"
    offset_seconds: float = Field(default=0.0, allow_inf_nan=False)


class FixedClock(_Config):
    """All measurements count as made at one time: what tests that want identical data use."""

    mode: Literal["Fixed"]
    at: Annotated[AwareDatetime, Field(strict=False)]


class Priors(_Config):
    """How well the design values are known, one sigma."""

    frequency_mhz: float = Field(default=0.5, ge=0, le=100, alias="frequencyMHz")
    amplitude: float = Field(default=0.1, ge=0, lt=0.5)
    """Relative, of the drive amplitude."""
    readout_mhz: float = Field(default=0.2, ge=0, le=20, alias="readoutMHz")


class Fault(_Config):
    """Something planted."""

    kind: Annotated[FaultKind, Field(strict=False)]
    target: str
    """The qubit it befalls, or the coupling, MUX or chip all of whose qubits it does."""
    tasks: Annotated[tuple[str, ...], Field(strict=False)] | None = None
    """Only in these tasks."""
    attempts: int | None = Field(default=None, ge=1, strict=False)
    """Only in the first so many attempts."""
    value: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """How bad, as the kind says; None: as bad as it usually is."""


class FakeConfig(_Config):
    """The simulated chip's settings; the same seed is the same chip."""

    seed: int = Field(default=0, ge=0, le=2**53 - 1, strict=False)
    profile: Annotated[Profile, Field(strict=False)] = Profile.DEFAULT
    drift: bool = True
    """False: the truth stays as it was drawn."""
    clock: WallClock | FixedClock = WallClock()
    """Read by the engine, which decides what time a measurement counts as made at."""
    priors: Priors = Priors()
    time_scale: float = Field(default=0.0, ge=0, le=1)
    """Share of the real duration that a program takes; 0: as fast as it is simulated."""
    faults: Annotated[tuple[Fault, ...], Field(strict=False)] = ()


def read_config(request: TaskRequest) -> FakeConfig:
    """The configuration in a request.

    Raises
    ------
    BackendUnusable
        If it is not accepted, naming the field.
    """
    try:
        return FakeConfig.model_validate(request.chip.backend_config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in ("backend.config", *first["loc"]))
        raise BackendUnusable(f"{field} is {first['input']!r}: {first['msg'].lower()}") from error
