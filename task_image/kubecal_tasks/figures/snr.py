"""Figure of the signal-to-noise ratio of a readout."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, grid, house_style, new_sheet
from kubecal_tasks.figures.series import fit_label
from kubecal_tasks.fits.snr import SnrFit

_AMPLITUDE = Axis("Readout amplitude", "a.u.")
_RATIO = Axis("Signal-to-noise ratio of one shot")


def snr_figure(fit: SnrFit, context: Context, name: str = "snr") -> Figure:
    """Ratio against amplitude, the line through its beginning, the threshold and where it is crossed."""
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "data", _AMPLITUDE, _RATIO)
        seen = fit.evidence
        panel.points(seen.x, seen.y, seen.sigma, seen.kept)
        ends = np.asarray([0.0, fit.reach])
        panel.line(ends, seen.curve(ends), fit_label(seen, context), ls="--" if context.verdict == NO_SIGNAL else "-")
        panel.marker(fit.threshold, "threshold", style.PREVIOUS, dashed=True, horizontal=True)
        if context.verdict != NO_SIGNAL and fit.crossing.value <= float(np.max(seen.x)):
            panel.marker(fit.crossing.value, "chosen", style.NEW)
        panel.legend()
        return sheet.finished(name)
