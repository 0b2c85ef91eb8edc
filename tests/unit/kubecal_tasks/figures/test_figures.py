from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from kubecal_tasks.figures import (
    Axis,
    Figure,
    IQPlane,
    amplitude_figure,
    decay_figure,
    oscillation_figure,
    points_figure,
    ramsey_figure,
    repetition_figure,
)
from kubecal_tasks.figures.classification import classification_figure
from kubecal_tasks.figures.drag import drag_figure
from kubecal_tasks.figures.figure import with_micro
from kubecal_tasks.figures.runs import runs_figure
from kubecal_tasks.figures.train import train_figure
from kubecal_tasks.fits import fit_amplitude, fit_decay, fit_oscillation, fit_ramsey, fit_repetition
from kubecal_tasks.fits.drag import fit_drag
from kubecal_tasks.fits.mixture import fit_mixture
from kubecal_tasks.fits.train import Series, fit_train
from kubecal_tasks.fits.values import Measured

VARIANCE = 1e-4


@dataclass(frozen=True)
class Context:
    task: str = "CheckT1"
    target: str = "3"
    verdict: str = "ok"
    measured_at: str = "2025-11-23T16:53:04+00:00"
    lines: tuple[str, ...] = ("T1 = 31.2 ± 0.5 us", "R² = 0.998, χ²/dof = 1.02")


def noisy(y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return y + 0.01 * np.random.default_rng(1).normal(size=y.shape)


def decay(context: Context) -> Figure:
    t = np.geomspace(0.1e-6, 500e-6, 31)
    y = noisy(np.exp(-t / 31e-6))
    y[7] = 9.0
    return decay_figure(fit_decay(t, y, np.full(31, VARIANCE)), context, previous=27e-6)


def oscillation(context: Context) -> Figure:
    t = np.arange(0, 401e-9, 8e-9)
    y = noisy((1 - np.cos(2 * np.pi * 12.5e6 * t)) / 2)
    plane = IQPlane(np.stack([y, 2 * y], axis=-1), (0.0, 0.0), (1.0, 2.0))
    return oscillation_figure(fit_oscillation(t, y, np.full(51, VARIANCE)), context, previous=14e6, iq=plane)


def amplitude(context: Context) -> Figure:
    a = np.linspace(0, 0.6, 31)
    fit = fit_amplitude(a, noisy(np.sin(np.pi * a / 2 / 0.33) ** 2), np.full(31, VARIANCE))
    return amplitude_figure(fit, context, chosen=0.165, previous=0.18)


def repetition(context: Context) -> Figure:
    n = np.arange(21.0)
    y = noisy(np.sin(n * np.pi / 4) ** 2)
    return repetition_figure(fit_repetition(n, y, np.full(21, VARIANCE), ground=(0, 1e-4), excited=(1, 1e-4)), context)


def ramsey(context: Context) -> Figure:
    t = np.linspace(0, 10e-6, 51)
    z = noisy(np.stack([np.cos(5e6 * t), np.sin(5e6 * t)]) * np.exp(-t / 6e-6))
    v = np.full(51, VARIANCE)
    return ramsey_figure(fit_ramsey(t, z[0], z[1], v, v), context, y=Axis("Signal", "a.u."), previous=5e-6)


def train(context: Context) -> Figure:
    n = np.arange(21.0)
    series = (Series("in a row", np.pi), Series("after half a pulse", np.pi, led=True))
    y = noisy(np.stack([(1 - np.cos(np.pi * n)) / 2, np.full(21, 0.5)]))
    return train_figure(fit_train(n, y, np.full((2, 21), VARIANCE), series), context)


def drag(context: Context) -> Figure:
    beta, counts = np.linspace(0.1e-9, 0.4e-9, 21), (4, 8)
    y = noisy(np.stack([(1 - np.sin(n * 0.8e9 * (beta - 0.25e-9))) / 2 for n in counts]))
    return drag_figure(fit_drag(beta, y, np.full((2, 21), VARIANCE), counts, 0.8e9), context)


def classification(context: Context) -> Figure:
    rng = np.random.default_rng(1)
    ground, excited = (rng.normal((state / 2, 0.2), 0.1, (500, 2)) for state in (0, 1))
    return classification_figure(fit_mixture(ground, excited), ground, excited, context)


def runs(context: Context) -> Figure:
    values, used = noisy(np.linspace(29.0, 31.0, 10)) * 1e-6, np.arange(10) != 4
    mean, std = Measured(30e-6, 0.2e-6), Measured(0.6e-6, 0.1e-6)
    return runs_figure(values, np.full(10, 1e-6), used, mean, std, context, Axis("T1", "us", 1e-6))


def points(context: Context) -> Figure:
    x = np.linspace(0, 1, 5)
    return points_figure(x, np.full(5, np.nan), None, context, Axis("Delay", "us", 1e-6), Axis("P(1)"))


ALL = [decay, oscillation, amplitude, repetition, ramsey, train, drag, classification, runs, points]
Draw = Callable[[Context], Figure]


@pytest.mark.parametrize("draw", ALL)
def test_every_figure_comes_as_svg_png_and_json(draw: Draw) -> None:
    figure = draw(Context())
    assert ElementTree.fromstring(figure.svg).tag.endswith("svg")
    assert figure.png.startswith(b"\x89PNG")
    document = json.loads(figure.arrays)
    assert document["task"] == "CheckT1"
    assert document["verdict"] == "ok"
    assert all(series["x"] for panel in document["panels"] for series in panel["series"])


def test_the_same_data_make_the_same_bytes() -> None:
    first, second = decay(Context()), decay(Context())
    assert (first.svg, first.png, first.arrays) == (second.svg, second.png, second.arrays)
    assert b"<dc:date>" not in first.svg


def test_the_json_holds_what_is_drawn_in_the_units_shown() -> None:
    main, below = json.loads(decay(Context()).arrays)["panels"]
    data, curve = main["series"]
    assert main["x"] == {"quantity": "Delay", "unit": "us"}
    assert data["x"][0] == pytest.approx(0.1)
    assert data["kept"][7] is False
    assert data["y"][7] == 9.0
    assert len(data["sigma"]) == 31
    assert len(curve["x"]) > 200
    assert [marker["label"] for marker in main["markers"]] == ["1/e time", "previous"]
    assert main["markers"][1]["at"] == pytest.approx(27.0)
    assert below["y"]["unit"] == "σ"


def test_a_value_that_is_not_in_sight_gets_no_marker() -> None:
    t = np.geomspace(0.1e-6, 500e-6, 31)
    fit = fit_decay(t, noisy(np.exp(-t / 31e-6)), np.full(31, VARIANCE))
    figure = decay_figure(fit, Context(), previous=1.0)
    assert [each["label"] for each in json.loads(figure.arrays)["panels"][0]["markers"]] == ["1/e time"]


def test_the_verdict_changes_the_picture() -> None:
    assert decay(Context()).svg != decay(Context(verdict="poor_fit")).svg


def test_units_are_written_as_people_write_them() -> None:
    assert Axis("Delay", "us", 1e-6).label == "Delay (µs)"
    assert Axis("P(1)").label == "P(1)"
    assert with_micro("T1 = 31 us, status") == "T1 = 31 µs, status"
