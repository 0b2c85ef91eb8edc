"""What every backend can do, and how it says that it cannot.

A backend is opened for one request: it knows chip, task and target. Nothing is sent before ``connect``;
``park`` leaves the target's lines silent and may be called in any state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kubecal.api.catalogue import CatalogueBackend
from kubecal.api.request import TaskRequest

if TYPE_CHECKING:  # the catalogue is read in every pod, before anything as heavy as numpy is needed
    from kubecal_tasks.backends.capabilities import Capabilities
    from kubecal_tasks.programs.acquisition import Acquired
    from kubecal_tasks.programs.program import Program


class BackendError(Exception):
    """A backend could not do what it was asked for: the verdict ``hardware_error``."""


class InstrumentError(BackendError):
    """An instrument failed, or did not answer."""


class ProgramRefused(BackendError):  # noqa: N818 - named after what happened, as Refusal is
    """The instruments cannot play this program; found before anything was sent."""


class BackendUnusable(BackendError):  # noqa: N818
    """There is no such backend, or its configuration is not what it accepts."""


class DesignValue(NamedTuple):
    """What is known of a parameter before anything was measured."""

    value: float
    error: float
    """One sigma; 0 where none is known."""
    unit: str


@dataclass(frozen=True)
class ModuleStatus:
    """How one instrument module is."""

    module: str
    ok: bool
    message: str = ""


class Backend(Protocol):
    """The verbs of a backend. All but ``design`` and ``capabilities`` may raise ``BackendError``."""

    def capabilities(self) -> Capabilities:
        """What its lines can play and read."""

    def design(self, target: str) -> Mapping[str, DesignValue]:
        """Parameters of a qubit or coupling as designed, under their names; needs no connection."""

    def connect(self) -> None:
        """Open the connection to the instruments."""

    def link_up(self) -> None:
        """Bring the links between the instruments up."""

    def configure(self, targets: Sequence[str]) -> None:
        """Push the settings of these targets to their modules: qubits, or single lines of them (``readout/3``)."""

    def status(self) -> Sequence[ModuleStatus]:
        """How each module is."""

    def noise(self) -> Mapping[str, float]:
        """Noise of each readout line without drive, one sigma of a shot in dB of the ADC's full scale; measured anew
        at every call."""

    def dump(self) -> Mapping[str, object]:
        """All settings as plain data."""

    def run(self, program: Program) -> Acquired:
        """Play a program and hand back its raw data.

        Raises
        ------
        ProgramRefused
            If the instruments cannot play it; nothing was sent then.
        InstrumentError
            If an instrument failed.
        """

    def park(self) -> None:
        """Silence the lines of the request's target."""

    def disconnect(self) -> None:
        """Close the connection."""


@dataclass(frozen=True)
class BackendFactory:
    """What an entry point of the group ``kubecal.backends`` names."""

    entry: Callable[[], CatalogueBackend]
    """Its line in the catalogue; must not import anything heavy, since every pod starts with it."""
    open: Callable[[TaskRequest], Backend]
    """A backend for one request.

    Raises ``BackendUnusable`` if the request's configuration is not accepted.
    """
