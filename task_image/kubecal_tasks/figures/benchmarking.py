"""Randomized benchmarking: every sequence, the means of each length, the decay and what coherence would allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Panel, grid, house_style, new_sheet
from kubecal_tasks.figures.series import fit_label
from kubecal_tasks.fits.rb import RBFit

CLIFFORDS = Axis("Number of Cliffords")
SURVIVAL = Axis("Survival probability")
_RESIDUALS = Axis("Residual", "σ")
_COLOURS = ((style.DATA, style.FIT), (style.AMBER, style.INK))


@dataclass(frozen=True)
class Means:
    """What the sequences of each length have in common."""

    lengths: NDArray[np.float64]
    """(L,)."""
    mean: NDArray[np.float64]
    sem: NDArray[np.float64]
    """Of the scatter between sequences, as the fit smoothed it."""
    residual: NDArray[np.float64]
    """Mean minus curve."""


def means(fit: RBFit) -> Means:
    """Means over the sequences that were not clipped."""
    seen = fit.evidence
    lengths, places = np.unique(seen.x, return_inverse=True)
    weights = np.where(seen.kept, 1.0 / np.maximum(seen.sigma, 1e-12) ** 2, 0.0)
    total = np.bincount(places, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(places, np.where(seen.kept, weights * seen.y, 0.0)) / total
        sem = 1.0 / np.sqrt(total)
    return Means(lengths, mean, sem, mean - seen.curve(lengths))


def benchmarking_figure(
    fits: Sequence[tuple[str, RBFit]],
    context: Context,
    limit: float | None = None,
    y: Axis = SURVIVAL,
    name: str = "benchmarking",
) -> Figure:
    """Signal against sequence length, of the reference and, where there is one, of the interleaved sequences.

    Parameters
    ----------
    fits
        Names and fits, the reference first.
    limit
        Decay of the first that coherence alone would leave, where the coherence times are known.
    """
    with house_style():
        sheet = new_sheet(context)
        places = grid(sheet, 2, 1, height_ratios=[3.3, 1], hspace=0.1)
        main = sheet.panel(places[0], "data", CLIFFORDS, y)
        below = sheet.panel(places[1], "residuals", CLIFFORDS, _RESIDUALS, sharex=main.axes)
        main.axes.set_xlabel("")
        main.axes.tick_params(labelbottom=False)
        below.axes.axhspan(-1, 1, color=style.FAINT, alpha=0.55, lw=0, zorder=0)
        below.axes.axhline(0, color=style.FIT, lw=1.2, zorder=1)
        for (label, fit), (colour, line) in zip(fits, _COLOURS, strict=False):
            _decay(main, below, label if len(fits) > 1 else "", fit, (colour, line), context)
        first = fits[0][1]
        if limit is not None and context.verdict != NO_SIGNAL:
            fine = _fine(first)
            curve = first.offset.value + first.amplitude.value * limit**fine
            main.line(fine, curve, "coherence limit", color=style.GREY, ls=(0, (4, 3)), lw=1.5, zorder=3.5)
        main.log_x()
        reach = max(3.0, float(np.nanmax(np.abs(below.axes.get_ylim()))))
        below.axes.set_ylim(-min(reach, 7.0), min(reach, 7.0))
        main.legend()
        sheet.canvas.align_ylabels()
        return sheet.finished(name)


def _decay(main: Panel, below: Panel, label: str, fit: RBFit, colours: tuple[str, str], context: Context) -> None:
    seen, found = fit.evidence, means(fit)
    colour, line = colours
    prefix = f"{label} " if label else ""
    good = np.isfinite(found.mean)
    main.dots(seen.x[seen.kept], seen.y[seen.kept], f"{prefix}sequences", colour)
    main.points(found.lengths[good], found.mean[good], found.sem[good], label=label or "mean ± SEM", colour=colour)
    fine = _fine(fit)
    ls = "--" if context.verdict == NO_SIGNAL else "-"
    main.line(fine, fit.curve(fine), f"{prefix}{fit_label(seen, context)}", color=line, ls=ls)
    sigmas = np.clip(found.residual[good] / found.sem[good], -6, 6)
    below.points(found.lengths[good], sigmas, np.ones(int(good.sum())), label=label or "means", colour=colour)


def _fine(fit: RBFit) -> NDArray[np.float64]:
    return np.geomspace(max(1.0, float(fit.x.min())), float(fit.x.max()), style.FINE_POINTS)
