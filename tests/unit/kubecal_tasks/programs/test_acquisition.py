"""Acquisitions: one axis and one tone are read without ceremony, and files give back what went in."""

from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.programs import Acquired, Acquisition, Axis, Readout, Swept, Tone, Trace
from tests.unit.kubecal_tasks.programs.builders import program, wait


def acquisition(tones: int = 1, axes: int = 1, averaged: bool = True) -> Acquisition:
    names = [f"x{k}" for k in range(axes)]
    swept = [Axis(name, (0.0, 1e-6, 2e-6)) for name in names]
    shape = (3,) * axes
    rng = np.random.default_rng(1)
    data = Acquired(
        axes=tuple(np.asarray(axis.values) for axis in swept),
        iq=rng.normal(size=(*shape, tones, 2)),
        covariance=rng.normal(size=(*shape, tones, 2, 2)) if averaged else None,
        clipped=np.linspace(0.0, 0.5, tones),
        duration_s=1.5,
    )
    read = Readout(tuple(Tone(f"readout/{number}", 6.9e9, 0.1) for number in range(tones)), 384e-9)
    return Acquisition("decay", program(*(wait(Swept(name)) for name in names), axes=swept, readout=read), data)


def test_one_axis_and_one_tone_are_plain_arrays() -> None:
    one = acquisition()
    assert one.x.tolist() == [0.0, 1e-6, 2e-6]
    assert one.iq.shape == (3, 2)
    assert one.covariance.shape == (3, 2, 2)


def test_several_axes_tones_or_shots_must_be_picked_from() -> None:
    with pytest.raises(ValueError, match="has 2 axes"):
        _ = acquisition(axes=2).x
    with pytest.raises(ValueError, match="reads 2 tones"):
        _ = acquisition(tones=2).iq
    with pytest.raises(ValueError, match="no covariance of a mean"):
        _ = acquisition(averaged=False).covariance


@pytest.mark.parametrize("averaged", [True, False])
def test_one_of_several_tones_is_as_if_it_alone_had_been_read(averaged: bool) -> None:
    all_tones = acquisition(tones=3, averaged=averaged)
    second = all_tones.tone("readout/1")
    assert second.iq.tolist() == all_tones.data.iq[..., 1, :].tolist()
    assert second.clipped == 0.25
    assert [tone.line for tone in second.program.readout.tones] == ["readout/1"]
    if averaged:
        assert all_tones.data.covariance is not None
        assert second.covariance.tolist() == all_tones.data.covariance[..., 1, :, :].tolist()


def test_a_line_that_was_not_read_is_named() -> None:
    with pytest.raises(ValueError, match="reads readout/0, readout/1, not 'readout/7'"):
        acquisition(tones=2).tone("readout/7")


def test_the_worst_tone_says_how_much_was_clipped() -> None:
    assert acquisition(tones=2).clipped == 0.5


@pytest.mark.parametrize("averaged", [True, False])
def test_a_file_gives_back_what_went_in(averaged: bool) -> None:
    before = acquisition(tones=2, axes=2, averaged=averaged)
    after = Acquisition.from_npz(before.to_npz())
    assert (after.label, after.program, after.data.duration_s) == (before.label, before.program, 1.5)
    assert np.array_equal(after.data.iq, before.data.iq)
    assert np.array_equal(after.data.clipped, before.data.clipped)
    assert [a.tolist() for a in after.data.axes] == [a.tolist() for a in before.data.axes]
    assert (after.data.covariance is None) is not averaged


def test_equal_data_give_equal_bytes() -> None:
    assert acquisition().to_npz() == acquisition().to_npz()


def traced() -> Acquisition:
    wanted = Trace(100, 8e-9, margin_s=16e-9)
    times = np.asarray(wanted.times_s(384e-9))
    data = Acquired((), np.zeros((len(times), 1, 2)), np.ones((len(times), 1, 2, 2)), np.zeros(1), 1.0, times)
    return Acquisition("trace", program(acquisition=wanted), data)


def test_a_trace_knows_the_time_of_its_samples() -> None:
    trace = traced()
    assert trace.times_s[:3] == pytest.approx([-12e-9, -4e-9, 4e-9])
    assert trace.times_s[-1] == pytest.approx(384e-9 + 12e-9)
    assert trace.iq.shape == (52, 2)
    assert trace.covariance.shape == (52, 2, 2)
    after = Acquisition.from_npz(trace.to_npz())
    assert after.times_s.tolist() == trace.times_s.tolist()
    assert after.program == trace.program
    with pytest.raises(ValueError, match="'decay' has no trace"):
        _ = acquisition().times_s
