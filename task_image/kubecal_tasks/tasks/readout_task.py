"""What all tasks share that sweep a readout tone, with nothing or little driven before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.frequency_windows import moved, wider
from kubecal_tasks.fits.suggestions import Proposal
from kubecal_tasks.fits.values import Array
from kubecal_tasks.framework.declarations import DAY_S, InputParameter, OutputParameter, Precision
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.programs import (
    Acquisition,
    Amount,
    Average,
    Axis,
    Operation,
    Program,
    Readout,
    Swept,
    Tone,
    readout_line,
)
from kubecal_tasks.tasks.declared import MAX_SHOTS
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.qubit_task import QubitTask

READOUT_LENGTH = InputParameter("readout_length", "ns", fallback=384.0)
READOUT_INPUTS = (
    InputParameter("readout_frequency", "GHz", hint="CheckResonatorSpectroscopy"),
    InputParameter("readout_amplitude", "a.u.", hint="CheckResonatorSpectroscopy"),
    READOUT_LENGTH,
)
"""What a task reads that drives nothing."""
STATES = ("ground", "excited")
FREQUENCY_ERROR_GHZ = 200e-6
"""With which a readout frequency is still of use: a tenth of a narrow line."""


def readout_frequency(name: str, description: str, group: str = "") -> OutputParameter:
    """A frequency of a resonator: within its band, and expected to stay."""
    return OutputParameter(
        name,
        "GHz",
        group=group,
        description=description,
        precision=Precision(absolute=FREQUENCY_ERROR_GHZ),
        band="readout",
        drift=50e-6,
        max_age_s=DAY_S,
    )


def readout_amplitude(description: str, group: str = "") -> OutputParameter:
    """An amplitude of the readout tone: a tenth more or less changes the separation by less than a tenth."""
    return OutputParameter(
        "readout_amplitude",
        "a.u.",
        group=group,
        description=description,
        minimum=0.0,
        maximum=1.0,
        precision=Precision(relative=0.1),
        drift=0.01,
        drift_relative=True,
        max_age_s=DAY_S,
    )


class ReadoutTask(QubitTask):
    """A task that sweeps a qubit's readout tone."""

    def reading(self, axes: Sequence[Axis], frequency: Amount, amplitude: Amount) -> Program:
        """Nothing but a readout, with a tone that may follow the axes."""
        tone = Tone(readout_line(self.target), frequency, amplitude)
        return Program(
            frames=(),
            body=(),
            readout=Readout((tone,), self.value("readout_length")),
            acquisition=Average(self.integer("shots")),
            interval_s=self.interval_s(),
            axes=tuple(axes),
        )

    def in_both_states(
        self,
        backend: Backend,
        axis: Axis,
        frequency: Amount,
        amplitude: Amount,
        excite: Callable[[Pulses], Sequence[Operation]],
    ) -> dict[str, Program]:
        """The readout with the qubit left alone and with it excited, under the names of ``STATES``.

        Parameters
        ----------
        axis, frequency, amplitude
            What is swept, and the tone that may follow it.
        excite
            The pulses that make |1> of |0>.
        """
        pulses = replace(self.pulses(backend), readout_hz=frequency, readout_amplitude=amplitude)
        bodies = ((), tuple(excite(pulses)))
        return {
            state: pulses.swept(axis.name, axis.unit, np.asarray(axis.values), partial(_same, body))
            for state, body in zip(STATES, bodies, strict=True)
        }

    def both(self, result: Sequence[Acquisition]) -> tuple[Array, Array]:
        """(2, N, 2) means of |0> and of |1>, and (2, N, 2, 2) their covariances."""
        parts = [next(each for each in result if each.label == state) for state in STATES]
        return np.stack([part.iq for part in parts]), np.stack([part.covariance for part in parts])

    def shot_sigma(self, covariance: Array) -> float:
        """Scatter of one shot in each quadrature, from covariances (..., 2, 2) of means: the typical one."""
        return float(np.sqrt(np.median(np.einsum("...ii->...", covariance) / 2) * self.integer("shots")))

    def suggest_frequencies(
        self,
        checks: Sequence[Check],
        estimates: Sequence[Estimate],
        x: Array,
        window: Callable[[tuple[float, float]], Proposal | None],
    ) -> Suggestion | None:
        """What to change for a next attempt: nothing seen asks for a wider sweep and more shots.

        Parameters
        ----------
        x
            (N,) the sweep as the run parameter has it, Hz.
        window
            Proposes another sweep within limits.
        """
        if Verdict.NO_SIGNAL in {check.verdict for check in checks if not check.ok}:
            proposal = wider(x, self.integer("shots"), self.limits(), MAX_SHOTS)
            return None if proposal is None else self._as_written(proposal)
        return self.suggest(checks, estimates, x, lambda low, high: window((low, high)))

    def limits(self) -> tuple[float, float]:
        """What the sweep's declaration allows, SI."""
        return self._limits()


def _same(body: Sequence[Operation], _: Swept) -> Sequence[Operation]:
    """The pulses before a readout do not follow its sweep."""
    return body


def about(x: Array, middle: float, to: float, least_span: float, limits: tuple[float, float]) -> Proposal | None:
    """A sweep of distances from a middle, moved to where a line is.

    Parameters
    ----------
    x, to
        Absolute, Hz; the proposal counts from the middle.
    """
    reason = f"sweep about {to / 1e9:.6g} GHz, where the line seems to be"
    return moved(x - middle, to - middle, least_span, limits, reason)


def with_spread(estimate: Estimate, spread: float) -> Estimate:
    """An estimate part of whose error no number of shots makes smaller."""
    return replace(estimate, spread=spread)
