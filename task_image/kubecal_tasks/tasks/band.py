"""Sweeps of a whole readout band: where it is, and which lines belong to whom."""

from __future__ import annotations

import numpy as np

from kubecal.api.catalogue import RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.resonator_lines import even_spacing, glitched_share
from kubecal_tasks.fits.values import Array, FitError
from kubecal_tasks.fits.weights import MAX_CLIPPED
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import BaseTask
from kubecal_tasks.programs import ProgramError, readout_line
from kubecal_tasks.tasks.declared import MAX_POINTS, sweep

STEP_HZ = 2e6
FREQUENCY_RANGE: RunParameter = sweep(
    "frequency_range",
    "GHz",
    None,
    0.1,
    20.0,
    "frequencies of the tone, evenly spaced; the readout band of the chip's design, else the backend's, in 2 MHz",
)
_GHZ = 1e9


def band_frequencies(task: BaseTask, backend: Backend, qubit: str) -> Array:
    """(N,) frequencies of a sweep through the readout band, Hz.

    As the run parameter has them; else the band of the chip's design, else what the backend's channel can play, in
    steps of 2 MHz, or as fine as 1001 points allow.

    Raises
    ------
    ProgramError
        If they are not evenly spaced, or the backend reads no such qubit.
    """
    if "frequency_range" in task.binding.parameters:
        chosen = np.sort(task.sweep("frequency_range"))
        try:
            even_spacing(chosen)
        except FitError as error:
            raise ProgramError(str(error)) from error
        return chosen
    low, high = task.binding.bands.get("readout") or _playable(backend, qubit)
    points = min(round((high - low) / STEP_HZ) + 1, MAX_POINTS)
    return np.linspace(low, high, points)


def _playable(backend: Backend, qubit: str) -> tuple[float, float]:
    band = backend.capabilities().bands.get(readout_line(qubit))
    if band is None:
        raise ProgramError(f"the backend has no readout channel of qubit {qubit}: correct its wiring")
    return band.minimum_hz, band.maximum_hz


def glitch_check(iq: Array) -> Check:
    """Whether few enough of the points (R, N, 2) are garbage to look for lines among."""
    share = glitched_share(iq)
    text = f"{share:.0%} of the points are larger than a passive line can make them: look for instrument glitches"
    ok = share <= MAX_CLIPPED
    return Check("glitches", share, MAX_CLIPPED, ok, Verdict.POOR_FIT, message="" if ok else text)


def line_check(name: str, lines: Array, wanted: str, mine: bool, swept: Array, expected_hz: float | None) -> Check:
    """Whether one of the lines found is this qubit's.

    Parameters
    ----------
    swept
        (N,) frequencies at which it was looked for, Hz.
    expected_hz
        Where the design has it; None: nobody knows. That it is not seen elsewhere says nothing of it.
    """
    if not mine and expected_hz is not None and not swept.min() <= expected_hz <= swept.max():
        text = (
            f"{wanted} has its resonator near {expected_hz / _GHZ:.6g} GHz, and the sweep goes from "
            f"{swept.min() / _GHZ:.6g} to {swept.max() / _GHZ:.6g} GHz: widen frequency_range"
        )
        return Check(name, float(lines.size), 1.0, mine, Verdict.WINDOW, message=text)
    seen = ", ".join(f"{each / _GHZ:.6g}" for each in lines) or "none"
    text = f"no resonator line is left for {wanted}: lines at {seen} GHz; widen frequency_range or take more shots"
    return Check(name, float(lines.size), 1.0, mine, Verdict.NO_SIGNAL, message="" if mine else text)
