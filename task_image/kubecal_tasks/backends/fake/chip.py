"""The simulated chip as one request meets it: the truth of every qubit at that time, and what is broken."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import RequestSite, TaskRequest
from kubecal_tasks.backends.base import BackendUnusable
from kubecal_tasks.backends.fake.config import FakeConfig, FaultKind, Profile
from kubecal_tasks.backends.fake.faults import ActiveFaults, active_faults, as_befallen, parities
from kubecal_tasks.physics.drift import drifted
from kubecal_tasks.physics.readout import Resonator
from kubecal_tasks.physics.truth import DEFAULT, LONG, QubitTruth, draw_truth

_COHERENCE = {Profile.DEFAULT: DEFAULT, Profile.LONG: LONG}


@dataclass(frozen=True)
class Chip:
    """A simulated chip at one moment."""

    request: TaskRequest
    config: FakeConfig

    @cached_property
    def faults(self) -> ActiveFaults:
        """What befalls this attempt."""
        return active_faults(self.config, self.request)

    @cached_property
    def _truths(self) -> dict[str, QubitTruth]:
        return {}

    def site(self, qubit: str) -> RequestSite:
        """Where a qubit is.

        Raises
        ------
        BackendUnusable
            If the chip has no such qubit.
        """
        for site in self.request.chip.sites:
            if site.id == qubit:
                return site
        raise BackendUnusable(f"chip {self.request.chip.chip_id!r} has no qubit {qubit!r}: correct the target")

    @property
    def couplings(self) -> tuple[tuple[str, str], ...]:
        """(control, target) of every coupling that the request can have to do with."""
        ends = self.request.qubits
        own = ((ends[0], ends[1]),) if self.request.kind is TargetKind.COUPLING else ()
        return (*own, *(each for each in self.request.chip.couplings if each not in own))

    def drawn(self, qubit: str) -> QubitTruth:
        """A qubit as the seed has it."""
        return draw_truth(self.config.seed, self.site(qubit), _COHERENCE[self.config.profile])

    def truth(self, qubit: str) -> QubitTruth:
        """A qubit as it is when the request measures, drift and faults included."""
        if qubit not in self._truths:
            truth = self.drawn(qubit)
            if self.config.drift:
                truth = drifted(truth, self.config.seed, self.request.measure_at)
            self._truths[qubit] = as_befallen(truth, self.faults)
        return self._truths[qubit]

    def parities(self, qubit: str) -> tuple[QubitTruth, ...]:
        """What a qubit is in equal parts of the shots."""
        return parities(self.truth(qubit), self.faults)

    def resonator(self, qubit: str) -> Resonator:
        """A qubit's resonator."""
        return Resonator(self.truth(qubit), alive=self.faults.on(FaultKind.DEAD_QUBIT, qubit) is None)

    def others_on_cable(self, qubit: str) -> tuple[Resonator, ...]:
        """The resonators that share a qubit's readout cable."""
        mux = self.site(qubit).mux
        sites = (site for site in self.request.chip.sites if site.mux == mux and site.id != qubit)
        return tuple(self.resonator(site.id) for site in sites)
