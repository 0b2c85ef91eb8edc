from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from kubecal_tasks.figures import Figure
from kubecal_tasks.figures.coupling import (
    both_controls_figure,
    density_figure,
    gate_angle_figure,
    hamiltonian_figure,
    outcomes_figure,
)
from kubecal_tasks.fits import fit_repetition
from kubecal_tasks.fits.gate_angle import fit_gate_angle
from kubecal_tasks.fits.parity import fit_parity
from kubecal_tasks.fits.tomography import BELL, fit_tomography, measurement_operators
from tests.unit.kubecal_tasks.figures.test_figures import Context, noisy
from tests.unit.kubecal_tasks.fits.test_hamiltonian import TIMES, TRUTH, draw

VARIANCE = 1e-4


def hamiltonian(context: Context) -> Figure:
    return hamiltonian_figure(draw(TRUTH, 2048, np.random.default_rng(1)).fit(), TIMES, context)


def gate_angle(context: Context) -> Figure:
    n, s = (each.ravel() for each in np.meshgrid([1.0, 3.0, 5.0], np.linspace(0.9, 1.1, 9), indexing="ij"))
    y = noisy((1 - np.cos(n * np.pi / 2 * s)) / 2)
    fit = fit_gate_angle(n, s, y, np.full(n.size, VARIANCE), ground=(0, VARIANCE), excited=(1, VARIANCE))
    return gate_angle_figure(fit, context)


def both_controls(context: Context) -> Figure:
    n = np.arange(21.0)
    y = noisy(np.sin(n * np.pi / 4) ** 2)
    fit = fit_repetition(n, y, np.full(21, VARIANCE), ground=(0, VARIANCE), excited=(1, VARIANCE))
    return both_controls_figure((fit, fit), context)


def outcomes(context: Context) -> Figure:
    counts = np.asarray([[500.0, 12.0, 10.0, 490.0], [480.0, 20.0, 24.0, 488.0]])
    return outcomes_figure(fit_parity(counts, 0.96 * np.eye(4) + 0.01), (("Z", "Z"), ("X", "X")), context)


def density(context: Context) -> Figure:
    p = np.einsum("skab,ba->sk", measurement_operators(np.eye(4)), np.outer(BELL, BELL)).real
    return density_figure(fit_tomography(1000 * p, np.eye(4)), context)


ALL = [hamiltonian, gate_angle, both_controls, outcomes, density]
Draw = Callable[[Context], Figure]


@pytest.mark.parametrize("draw_it", ALL)
def test_every_figure_comes_as_svg_png_and_json(draw_it: Draw) -> None:
    figure = draw_it(Context(target="0-1"))
    assert ElementTree.fromstring(figure.svg).tag.endswith("svg")
    assert figure.png.startswith(b"\x89PNG")
    document = json.loads(figure.arrays)
    assert document["target"] == "0-1"
    assert all(series["x"] for panel in document["panels"] for series in panel["series"])


def test_the_hamiltonian_figure_shows_expectation_values_and_rates_in_kilohertz() -> None:
    x, _, z, terms = json.loads(hamiltonian(Context()).arrays)["panels"]
    assert [series["name"] for series in x["series"]][::2] == ["control |0⟩", "control |1⟩"]
    assert z["series"][0]["y"][0] == pytest.approx(1.0, abs=0.1), "the target starts in |0>"
    rates = dict(zip(terms["series"][0]["labels"], terms["series"][0]["x"], strict=True))
    assert rates["ZX"] == pytest.approx(900, abs=15)


def test_the_amplitude_that_makes_the_angle_right_is_marked_unless_there_is_no_signal() -> None:
    def labels(verdict: str) -> list[str]:
        document = json.loads(gate_angle(Context(verdict=verdict)).arrays)
        return [marker["label"] for marker in document["panels"][0]["markers"]]

    assert labels("ok") == ["π/2", "before"]
    assert labels("no_signal") == ["before"]


def test_the_density_matrix_is_kept_with_its_numbers() -> None:
    real, imaginary = (panel["series"][0]["z"] for panel in json.loads(density(Context()).arrays)["panels"])
    assert real[0][3] == pytest.approx(0.5, abs=0.02)
    assert imaginary[0][3] == pytest.approx(0.0, abs=0.02)


def test_the_same_data_make_the_same_bytes() -> None:
    first, second = density(Context()), density(Context())
    assert (first.svg, first.png, first.arrays) == (second.svg, second.png, second.arrays)
