"""Figure of a captured readout."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, grid, house_style, new_sheet
from kubecal_tasks.fits.waveform import Waveform

_TIME = Axis("Time after the start of the readout", "ns", 1e-9)


def waveform_figure(seen: Waveform, length_s: float, context: Context, name: str = "waveform") -> Figure:
    """Both quadratures over time, their levels, and when the readout begins and ends.

    Parameters
    ----------
    length_s
        Of the readout.
    """
    with house_style():
        sheet = new_sheet(context)
        places = grid(sheet, 2, 1, hspace=0.12)
        above: Panel | None = None
        for number, quadrature in enumerate("IQ"):
            beside = None if above is None else above.axes
            panel = sheet.panel(places[number], quadrature, _TIME, Axis(quadrature, "a.u."), sharex=beside)
            panel.points(seen.times_s, seen.iq[:, number], seen.sigma[:, number], seen.kept)
            if context.verdict != NO_SIGNAL:
                inside = seen.times_s[seen.inside]
                panel.line(inside, np.full(inside.shape, seen.level[number]), "level")
            panel.marker(0.0, "start", style.NEW)
            panel.marker(length_s, "end of the readout", style.PREVIOUS, dashed=True)
            above = above or panel
        assert above is not None
        above.axes.set_xlabel("")
        above.axes.tick_params(labelbottom=False)
        above.legend()
        sheet.canvas.align_ylabels()
        return sheet.finished(name)
