"""Which qubits or couplings ``CalibService.run`` is about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target(ABC):
    """Qubits of a chip."""

    @abstractmethod
    def manifest(self) -> dict[str, Any]:
        """``spec.targets`` of a session; Any: manifest values."""

    @property
    def couplings(self) -> tuple[str, ...]:
        """Couplings that are named, control first; empty: all between the qubits."""
        return ()


@dataclass(frozen=True)
class QubitTargets(Target):
    """Qubits by id: ``QubitTargets(["0", "1"])``."""

    qids: Sequence[str]

    def manifest(self) -> dict[str, Any]:
        """These qubits."""
        return {"qubits": [str(qid) for qid in self.qids]}


@dataclass(frozen=True)
class MuxTargets(Target):
    """All qubits of MUXes: ``MuxTargets([0, 1], exclude_qids=["5"])``."""

    mux_ids: Sequence[int]
    exclude_qids: Sequence[str] = ()

    def manifest(self) -> dict[str, Any]:
        """These MUXes, but for what is left out."""
        return {"muxes": list(self.mux_ids), **_without(self.exclude_qids)}


@dataclass(frozen=True)
class AllMuxTargets(Target):
    """The whole chip, but for what is disabled or left out."""

    exclude_qids: Sequence[str] = ()

    def manifest(self) -> dict[str, Any]:
        """Everything."""
        return {"all": True, **_without(self.exclude_qids)}


@dataclass(frozen=True)
class CouplingTargets(Target):
    """Couplings, control first: ``CouplingTargets([("0", "1")])``."""

    pairs: Sequence[tuple[str, str]]

    def manifest(self) -> dict[str, Any]:
        """The qubits at their ends."""
        return {"qubits": list(dict.fromkeys(str(qid) for pair in self.pairs for qid in pair))}

    @property
    def couplings(self) -> tuple[str, ...]:
        """As they are called: ``0-1``."""
        return tuple(f"{control}-{target}" for control, target in self.pairs)


def _without(qids: Sequence[str]) -> dict[str, Any]:
    return {"exclude": {"qubits": [str(qid) for qid in qids]}} if qids else {}
