"""The phase of a readout line against frequency, and what is left of it without the delay."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, grid, house_style, new_sheet
from kubecal_tasks.figures.resonator import FREQUENCY_GHZ, plain_frequencies
from kubecal_tasks.figures.series import fit_label
from kubecal_tasks.fits.electrical_delay import DelayFit

_TURNS = Axis("Phase", "turns", 2 * np.pi)
_LEFT = Axis("Without delay", "turns", 2 * np.pi)
_HEIGHT_IN = 5.3


def delay_figure(fit: DelayFit, context: Context, name: str = "delay") -> Figure:
    """Phase with its slope above, and below with the slope of the delay taken out."""
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 2, 1, _HEIGHT_IN, hspace=0.12)
        above = sheet.panel(places[0], "phase", FREQUENCY_GHZ, _TURNS)
        below = sheet.panel(places[1], "without delay", FREQUENCY_GHZ, _LEFT, sharex=above.axes)
        seen = fit.evidence
        fine = np.linspace(float(fit.x.min()), float(fit.x.max()), 2 * style.FINE_POINTS)
        curve = fit.phase(fine)
        near = np.interp(fit.x, fine, curve)
        phase = near + (np.arctan2(seen.y[1], seen.y[0]) - near + np.pi) % (2 * np.pi) - np.pi
        sigma = np.sqrt(np.mean(seen.sigma**2, axis=0)) / np.maximum(np.hypot(*fit.curve(fit.x)), 1e-300)
        kept = np.asarray(seen.kept.all(axis=0))
        slope = 2 * np.pi * fit.delay.value
        dashes = "--" if context.verdict == NO_SIGNAL else "-"
        for panel, back in ((above, 0.0), (below, slope)):
            panel.points(fit.x, phase + back * (fit.x - fine[0]), sigma, kept)
            panel.line(fine, curve + back * (fine - fine[0]), fit_label(seen, context), ls=dashes)
        if context.verdict != NO_SIGNAL and fine[0] <= fit.resonance.value <= fine[-1]:
            for panel in (above, below):
                panel.marker(fit.resonance.value, "resonator", style.GREY, dashed=True)
        above.axes.set_xlabel("")
        above.axes.tick_params(labelbottom=False)
        plain_frequencies(below.axes)
        above.legend()
        sheet.canvas.align_ylabels()
        return sheet.finished(name)
