"""Fits: pure functions of arrays, batched over qubits, that know nothing of tasks or plotting.

Variable projection on a grid, a robust first pass, a local polish: see ``batch.py`` for the order of things.
"""

from kubecal_tasks.fits.amplitude import AmplitudeFit, fit_amplitude, fit_amplitudes
from kubecal_tasks.fits.decay import DecayFit, fit_decay, fit_decays
from kubecal_tasks.fits.oscillation import OscillationFit, fit_oscillation, fit_oscillations
from kubecal_tasks.fits.projection import Projection, Reference, project, project_between
from kubecal_tasks.fits.ramsey import RamseyFit, fit_ramsey, fit_ramseys
from kubecal_tasks.fits.repetition import RepetitionFit, fit_repetition, fit_repetitions
from kubecal_tasks.fits.separable import SeparableFit, fit_separable, fit_separables
from kubecal_tasks.fits.values import Evidence, Fit, FitError, Measured, Statistics

__all__ = [
    "AmplitudeFit",
    "DecayFit",
    "Evidence",
    "Fit",
    "FitError",
    "Measured",
    "OscillationFit",
    "Projection",
    "RamseyFit",
    "Reference",
    "RepetitionFit",
    "SeparableFit",
    "Statistics",
    "fit_amplitude",
    "fit_amplitudes",
    "fit_decay",
    "fit_decays",
    "fit_oscillation",
    "fit_oscillations",
    "fit_ramsey",
    "fit_ramseys",
    "fit_repetition",
    "fit_repetitions",
    "fit_separable",
    "fit_separables",
    "project",
    "project_between",
]
