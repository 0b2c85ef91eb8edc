"""Figures of two-qubit measurements: how the target turns, repeated gates, and the state that a gate makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from kubecal_tasks.figures import style
from kubecal_tasks.figures.figure import NO_SIGNAL, Axis, Context, Figure, Sheet, grid, house_style, new_sheet
from kubecal_tasks.figures.series import DURATION_NS, POPULATION
from kubecal_tasks.fits.gate_angle import GateAngleFit
from kubecal_tasks.fits.hamiltonian import AXES, TERMS, HamiltonianFit, RotationFit
from kubecal_tasks.fits.parity import ParityFit
from kubecal_tasks.fits.repetition import RepetitionFit
from kubecal_tasks.fits.tomography import TomographyFit

_HEIGHT_IN = 5.8
_STATES = ("00", "01", "10", "11")
_CONTROLS = ((style.DATA, "control |0⟩"), (style.ORANGE, "control |1⟩"))
_SERIES = (style.DATA, style.ORANGE, style.GREEN)
_KILOHERTZ = 1e3


def hamiltonian_figure(
    fit: HamiltonianFit, times: NDArray[np.float64], context: Context, name: str = "hamiltonian"
) -> Figure:
    """<X>, <Y>, <Z> of the target against duration for both states of the control; a bar for each term, in kHz.

    Parameters
    ----------
    times
        (N,) durations as played, ramps included, s.
    """
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 3, 1, _HEIGHT_IN, hspace=0.12, right=0.60)
        first = None
        for number, axis in enumerate(AXES):
            shared: dict[str, Any] = {"sharex": first} if first is not None else {}
            panel = sheet.panel(places[number], axis, DURATION_NS, Axis(f"⟨{axis}⟩"), **shared)
            for (colour, label), rotation in zip(_CONTROLS, fit.rotations, strict=True):
                y, sigma, kept = _component(rotation, number)
                panel.points(times, y, sigma, kept, label=label, colour=colour)
                fine, curve = _curve(rotation, times, number)
                dashed = "--" if context.verdict == NO_SIGNAL else "-"
                panel.line(fine, curve, f"fit, {label}", color=colour, lw=1.3, ls=dashed)
            panel.axes.set_ylim(-1.3, 1.3)
            if number < len(AXES) - 1:
                panel.axes.set_xlabel("")
                panel.axes.tick_params(labelbottom=False)
            if first is None:
                handles, labels = panel.axes.get_legend_handles_labels()
                own = [k for k, label in enumerate(labels) if label.startswith("control")]
                panel.legend(handles=[handles[k] for k in own], labels=[labels[k] for k in own], ncols=2)
                first = panel.axes
        sheet.canvas.align_ylabels()
        _terms(sheet, fit)
        return sheet.finished(name)


def _component(fit: RotationFit, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Expectation values and errors along one axis: 1 where the reference of |0> lies, -1 for |1>."""
    seen, swept = fit.evidence, np.isfinite(fit.x)
    middle, half = _middle(fit), fit.contrast.value / 2
    values = (middle - seen.y[number][swept]) / half
    return values, seen.sigma[number][swept] / abs(half), seen.kept[number][swept]


def _middle(fit: RotationFit) -> float:
    """Signal half-way between the references."""
    references = fit.evidence.curve(np.asarray([np.nan, np.nan]))
    return float(references.mean())


def _curve(
    fit: RotationFit, times: NDArray[np.float64], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    fine = np.linspace(float(times.min()), float(times.max()), style.FINE_POINTS)
    order = np.argsort(times)
    effective = np.interp(fine, times[order], fit.times[order])
    return fine, (_middle(fit) - fit.curve(effective)[number]) / (fit.contrast.value / 2)


def _terms(sheet: Sheet, fit: HamiltonianFit) -> None:
    place = grid(sheet, 1, 1, _HEIGHT_IN, left=0.71)[0]
    panel = sheet.panel(place, "terms", Axis("Rate", "kHz", _KILOHERTZ), Axis(""))
    rates = [fit.term(term) for term in TERMS]
    shown = np.asarray([rate.value / _KILOHERTZ for rate in rates])
    errors = np.asarray([rate.error / _KILOHERTZ for rate in rates])
    at = np.arange(len(TERMS), dtype=float)[::-1]
    colours = [style.GREEN if term == "ZX" else style.SKY for term in TERMS]
    panel.axes.barh(at, shown, 0.62, xerr=errors, color=colours, error_kw={"elinewidth": 1.2, "ecolor": style.INK})
    panel.axes.axvline(0, color=style.GREY, lw=0.9)
    panel.axes.set_yticks(at, TERMS)
    panel.axes.grid(visible=False, axis="y")
    for y, value, error in zip(at, shown, errors, strict=True):
        text = f"{value:.0f} ± {error:.0f}" if error >= 1 else f"{value:.1f} ± {error:.1f}"
        panel.axes.text(0.99, y + 0.36, text, size=9, ha="right", color=style.INK,
                        transform=panel.axes.get_yaxis_transform())  # fmt: skip
    panel.axes.set_ylim(-0.6, len(TERMS) - 0.3)
    reach = 1.15 * max(float(np.abs(shown).max()), 1.0)
    panel.axes.set_xlim(min(1.3 * float(shown.min()), -0.1 * reach), max(1.3 * float(shown.max()), 0.1 * reach))
    panel.axes.xaxis.set_major_locator(MaxNLocator(4))
    panel.entry["series"].append(
        {"name": "terms", "labels": list(TERMS), "x": [float(f"{v:.6g}") for v in shown], "y": at.tolist(),
         "sigma": [float(f"{e:.6g}") for e in errors]}
    )  # fmt: skip


def gate_angle_figure(fit: GateAngleFit, context: Context, y: Axis = POPULATION, name: str = "gate_angle") -> Figure:
    """Signal against relative amplitude for each number of gates; the marker is where a gate turns by pi/2."""
    with house_style():
        sheet = new_sheet(context)
        panel = sheet.panel(grid(sheet, 1, 1)[0], "data", Axis("CR amplitude / amplitude before"), y)
        seen = fit.evidence
        swept = np.isfinite(fit.repetitions)
        fine = np.linspace(float(fit.scales[swept].min()), float(fit.scales[swept].max()), style.FINE_POINTS)
        for colour, count in zip(_SERIES, np.unique(fit.repetitions[swept]), strict=False):
            own = fit.repetitions == count
            panel.points(
                fit.scales[own], seen.y[own], seen.sigma[own], seen.kept[own], label=f"n = {count:.0f}", colour=colour
            )
            dashed = "--" if context.verdict == NO_SIGNAL else "-"
            panel.line(fine, fit.signal(round(count), fine), f"_fit {count:.0f}", color=colour, lw=1.3, ls=dashed)
        right = fit.right_scale.value
        if context.verdict != NO_SIGNAL and fine[0] <= right <= fine[-1]:
            panel.marker(right, "π/2", style.INK)
        panel.marker(1.0, "before", style.PREVIOUS, dashed=True)
        panel.legend()
        return sheet.finished(name)


def both_controls_figure(
    fits: Sequence[RepetitionFit], context: Context, y: Axis = POPULATION, name: str = "repetitions"
) -> Figure:
    """Signal of the target against the number of gates, the control in |0> above and in |1> below."""
    with house_style():
        sheet = new_sheet(context, _HEIGHT_IN)
        places = grid(sheet, 2, 1, _HEIGHT_IN, hspace=0.26)
        first = None
        for number, ((colour, label), fit) in enumerate(zip(_CONTROLS, fits, strict=True)):
            shared: dict[str, Any] = {"sharex": first} if first is not None else {}
            panel = sheet.panel(places[number], label, Axis("Number of gates"), y, **shared)
            swept, seen = np.isfinite(fit.x), fit.evidence
            n = fit.x[swept]
            panel.points(n, seen.y[swept], seen.sigma[swept], seen.kept[swept], label=label, colour=colour)
            fine = np.linspace(float(n.min()), float(n.max()), style.FINE_POINTS)
            dashed = "--" if context.verdict == NO_SIGNAL else "-"
            panel.line(fine, fit.curve(fine), "fit", color=style.INK, lw=1.2, ls=dashed)
            panel.marker(fit.ground.value, "|0⟩", style.GREY, dashed=True, horizontal=True)
            panel.marker(fit.excited.value, "|1⟩", style.SKY, dashed=True, horizontal=True)
            panel.axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if first is None:
                first = panel.axes
                panel.axes.set_xlabel("")
                panel.axes.tick_params(labelbottom=False)
            panel.legend()
        sheet.canvas.align_ylabels()
        return sheet.finished(name)


def outcomes_figure(
    fit: ParityFit, settings: Sequence[tuple[str, str]], context: Context, name: str = "outcomes"
) -> Figure:
    """Corrected probabilities of the four outcomes in every setting, and what was counted."""
    with house_style():
        sheet = new_sheet(context)
        places = grid(sheet, 1, len(settings), wspace=0.12)
        first = None
        at = np.arange(4.0)
        for number, (one, other) in enumerate(settings):
            shared: dict[str, Any] = {"sharey": first} if first is not None else {}
            panel = sheet.panel(places[number], one + other, Axis(f"Outcome along {one}{other}"), Axis("Probability"),
                                **shared)  # fmt: skip
            sigma = np.sqrt(np.diagonal(fit.covariance[number]))
            counted = fit.counts[number] / fit.counts[number].sum()
            panel.axes.bar(at, counted, 0.7, color=style.FAINT, label="as counted")
            panel.points(at, fit.probabilities[number], sigma, label="corrected")
            panel.axes.set_xticks(at, _STATES)
            panel.axes.axhline(0, color=style.GREY, lw=0.9)
            panel.entry["series"].append({"name": "as counted", "x": at.tolist(), "y": counted.tolist()})
            if first is None:
                first = panel.axes
                panel.legend()
            else:
                panel.axes.set_ylabel("")
                panel.axes.tick_params(labelleft=False)
        return sheet.finished(name)


def density_figure(fit: TomographyFit, context: Context, name: str = "density_matrix") -> Figure:
    """Real and imaginary part of the density matrix as heat maps with their numbers."""
    with house_style():
        sheet = new_sheet(context)
        places = grid(sheet, 1, 2, wspace=0.3, left=0.09, right=0.86)
        image = None
        for number, (part, label) in enumerate(((fit.density.real, "Re ρ"), (fit.density.imag, "Im ρ"))):
            panel = sheet.panel(places[number], label, Axis(label), Axis(""))
            image = panel.axes.imshow(part, cmap="RdBu_r", vmin=-0.5, vmax=0.5)
            panel.axes.grid(visible=False)
            kets = [f"|{state}⟩" for state in _STATES]
            panel.axes.set_xticks(range(4), [f"⟨{state}|" for state in _STATES])
            panel.axes.set_yticks(range(4), kets)
            for (row, column), value in np.ndenumerate(part):
                colour = "white" if abs(value) > 0.3 else style.INK
                panel.axes.text(
                    column, row, f"{round(value, 2) + 0.0:.2f}", ha="center", va="center", size=10, color=colour
                )
            panel.entry["series"].append(
                {"name": label, "x": list(_STATES), "y": list(_STATES),
                 "z": [[float(f"{v:.6g}") for v in row] for row in part]}
            )  # fmt: skip
        bar = sheet.canvas.add_axes((0.89, 0.2, 0.02, 0.45))
        assert image is not None
        sheet.canvas.colorbar(image, cax=bar)
        return sheet.finished(name)
