"""The simulated chip serves every qubit of a request: its lines, its readout, what is planted on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kubecal.api.catalogue import TargetKind
from kubecal_tasks.backends.base import InstrumentError, ProgramRefused
from kubecal_tasks.backends.fake.backend import FakeBackend
from kubecal_tasks.backends.fake.chip import Chip
from kubecal_tasks.backends.fake.groups import read_states
from kubecal_tasks.physics.sampling import States
from kubecal_tasks.programs import (
    Acquired,
    Acquisition,
    Average,
    Axis,
    Barrier,
    Delay,
    Frame,
    Gaussian,
    Operation,
    Play,
    Program,
    Readout,
    Shots,
    Swept,
    Tone,
    Trace,
    drive_line,
    readout_line,
)
from kubecal_tasks.programs.wanted import Wanted
from tests.unit.kubecal_tasks.backends.fake.builders import backend, request

MUX = {"target": "mux-0", "kind": TargetKind.MUX, "members": ("0", "1", "2", "3"), "task": "CheckResonatorSpectroscopy"}


def read(chip: FakeBackend, qubits: tuple[str, ...], scale: float = 1.0, **changes: Any) -> Program:
    """Read qubits at once as designed, having driven none; changes: fields of Program."""
    designs = {qubit: chip.design(qubit) for qubit in qubits}
    tones = tuple(
        Tone(readout_line(q), d["readout_frequency"].value * 1e9, scale * d["readout_amplitude"].value)
        for q, d in designs.items()
    )
    given: dict[str, Any] = {
        "frames": (),
        "body": (),
        "readout": Readout(tones, 384e-9),
        "acquisition": Average(1000),
        "interval_s": 153.6e-6,
    }
    return Program(**(given | changes))


def flipped(chip: FakeBackend, driven: str, qubits: tuple[str, ...], **changes: Any) -> Program:
    """A pi pulse on one qubit, then all are read."""
    design = chip.design(driven)
    frame = Frame("drive", drive_line(driven), design["qubit_frequency"].value * 1e9, f"qubit/{driven}")
    # A Gaussian pulse of sigma t/4 turns as far as a rectangle of 0.454 of its length, lifted to start at 0.
    amplitude = design["control_amplitude"].value * 0.5 / (12.5e6 * Gaussian().area_s(32e-9))
    return read(chip, qubits, frames=(frame,), body=(Play("drive", Gaussian(), amplitude, 32e-9),), **changes)


def exact(**changes: Any) -> dict[str, Any]:
    """A config whose design values are the truth."""
    return {"priors": {"frequencyMHz": 0.0, "amplitude": 0.0, "readoutMHz": 0.0}} | changes


def test_every_qubit_of_the_request_has_its_lines_and_no_other_has() -> None:
    lines = backend(**MUX).capabilities().bands
    assert set(lines) == {f"{line}/{qubit}" for line in ("drive", "readout") for qubit in "0123"}
    pair = backend("0-1", TargetKind.COUPLING)
    assert set(pair.capabilities().bands) == {"drive/0", "drive/1", "readout/0", "readout/1"}
    with pytest.raises(ProgramRefused, match="'readout/2', this backend has drive/0"):
        pair.run(read(pair, ("0", "2")))


def test_a_qubit_that_was_not_configured_is_refused() -> None:
    chip = FakeBackend(request(**MUX), backend(**MUX)._config)
    chip.connect()
    chip.configure(["0"])
    with pytest.raises(InstrumentError, match="readout/2 is not configured"):
        chip.run(read(chip, ("0", "2")))


@pytest.mark.parametrize(
    ("acquisition", "shape"),
    [(Average(100), (3, 5, 4, 2)), (Shots(7), (3, 5, 7, 4, 2)), (Trace(7, 8e-9), (3, 5, 48, 4, 2))],
    ids=["average", "shots", "trace"],
)
def test_data_have_the_shape_of_the_sweep_and_a_tone_each(acquisition: Wanted, shape: tuple[int, ...]) -> None:
    chip = backend(**MUX)
    axes = (Axis("power", (0.01, 0.02, 0.05)), Axis("frequency", tuple(6.9e9 + 2e6 * k for k in range(5))))
    program = read(chip, ("0", "1", "2", "3"), axes=axes, acquisition=acquisition)
    first = Tone("readout/0", Swept("frequency"), Swept("power"))
    data = chip.run(Program(**vars_of(program) | {"readout": Readout((first, *program.readout.tones[1:]), 384e-9)}))
    assert data.iq.shape == shape
    assert data.clipped.shape == (4,)
    assert (data.covariance is None) is isinstance(acquisition, Shots)
    assert data.covariance is None or data.covariance.shape == (*shape, 2)
    assert (None if data.times_s is None else data.times_s.shape) == ((48,) if isinstance(acquisition, Trace) else None)


def vars_of(program: Program) -> dict[str, Any]:
    names = ("frames", "body", "readout", "acquisition", "interval_s", "axes")
    return {name: getattr(program, name) for name in names}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Trace(7, 0.05e-9), "a sample of the trace lasts 0.05 ns"),
        (Trace(7, 8e-9, 3.333e-9), "the margin of the trace lasts 3.333 ns"),
    ],
)
def test_a_trace_finer_than_the_digitiser_is_refused(wanted: Trace, words: str) -> None:
    chip = backend("0")
    with pytest.raises(ProgramRefused, match=words):
        chip.run(read(chip, ("0",), acquisition=wanted))


def test_a_qubit_reads_the_same_alone_and_with_the_others_but_for_what_leaks() -> None:
    chip = backend(**MUX, config=exact())
    together = Acquisition("all", read(chip, ("0", "1", "2", "3")), chip.run(read(chip, ("0", "1", "2", "3"))))
    for qubit in "0123":
        alone = Acquisition("one", read(chip, (qubit,)), chip.run(read(chip, (qubit,))))
        picked = together.tone(readout_line(qubit))
        away = np.linalg.norm(picked.iq - alone.iq)
        assert 1e-5 < away < 0.2 * 3 * 0.013, "0.2 of the full scale from each of three others"
        assert picked.program.readout.tones == alone.program.readout.tones


def test_only_the_driven_qubit_is_excited() -> None:
    chip = backend(**MUX, config=exact())
    qubits = ("0", "1", "2", "3")
    rest, driven = chip.run(read(chip, qubits)).iq, chip.run(flipped(chip, "2", qubits)).iq
    moved = np.linalg.norm(driven - rest, axis=-1)
    assert moved[2] > 20 * np.delete(moved, 2).max()


def test_two_driven_qubits_of_a_mux_are_each_simulated_with_the_times_of_the_whole() -> None:
    """One waits for the other: what it decays meanwhile is what a wait alone makes it decay."""
    chip = backend("mux-0", TargetKind.MUX, members=("0", "3"), task="CheckResonatorSpectroscopy", config=exact())
    alone = flipped(chip, "0", ("0",), acquisition=Average(100_000))
    other = Frame("other", drive_line("3"), 5.0e9, "qubit/3")
    body: tuple[Operation, ...] = (*alone.body, Barrier(), Delay("other", 20e-6), Play("other", Gaussian(), 0.1, 32e-9))
    both = Program(**vars_of(alone) | {"frames": (*alone.frames, other), "body": (*body, Barrier())})
    waited = Program(**vars_of(alone) | {"body": (*alone.body, Delay("drive", 20.032e-6))})
    found, expected = chip.run(both), chip.run(waited)
    assert found.covariance is not None
    sigma = np.sqrt(np.diagonal(found.covariance[0]).max())
    assert np.abs(found.iq - expected.iq).max() < 5 * sigma * np.sqrt(2)
    assert np.abs(found.iq - chip.run(alone).iq).max() > 20 * sigma


def test_tones_that_are_too_strong_together_are_reported_as_clipped() -> None:
    chip = backend(**MUX)
    assert chip.run(read(chip, ("0", "1", "2", "3"))).clipped.tolist() == [0.0] * 4
    assert chip.run(read(chip, ("0", "1"), scale=2.0)).clipped.tolist() == [0.0] * 2
    assert chip.run(read(chip, ("0", "1", "2", "3"), scale=2.0)).clipped.tolist() == [1.0] * 4


def test_tones_on_different_cables_fit_where_they_would_not_on_one() -> None:
    chip = backend("chip", TargetKind.CHIP)
    apart = chip.run(read(chip, ("0", "1", "4", "5"), scale=2.0))
    assert apart.clipped.tolist() == [0.0] * 4


# ------------------------------------------------------------------ faults of one among several


def data(faults: list[dict[str, Any]], target: dict[str, Any] | None = None, driven: str = "2") -> Acquired:
    chip = backend(**(target or MUX), config=exact(faults=faults))
    axis = Axis("delay", tuple(1e-6 * k for k in range(1, 21)))
    program = flipped(chip, driven, request(**(target or MUX)).qubits)
    return chip.run(
        Program(**vars_of(program) | {"axes": (axis,), "body": (*program.body, Delay("drive", Swept("delay")))})
    )


def moved(faults: list[dict[str, Any]], **options: Any) -> list[bool]:
    """Which tones have data far from those without faults."""
    healthy, faulty = data([], **options), data(faults, **options)
    assert healthy.covariance is not None
    sigma = np.sqrt(healthy.covariance.max(axis=(0, 2, 3)))
    return [bool(each) for each in np.abs(faulty.iq - healthy.iq).max(axis=(0, 2)) > 15 * sigma]


def test_a_fault_befalls_the_tone_of_its_qubit() -> None:
    assert moved([{"kind": "Glitches", "target": "1", "value": 0.2}]) == [False, True, False, False]
    assert moved([{"kind": "NoLine", "target": "2"}]) == [False, False, True, False]
    assert moved([{"kind": "DeadQubit", "target": "3"}]) == [False, False, False, True]


def test_single_shots_are_points_like_any_other() -> None:
    """Were they hit program by program, a quarter of a few programs would be none of them, or all shots of one."""
    chip = backend(**MUX, config=exact(faults=[{"kind": "Glitches", "target": "1", "value": 0.25}]))
    iq = chip.run(read(chip, ("1",), acquisition=Shots(2000))).iq.reshape(2000, 2)
    far = np.linalg.norm(iq - np.median(iq, axis=0), axis=-1) > 0.5
    assert 0.12 < far.mean() < 0.25


def test_a_fault_of_the_target_befalls_all_its_qubits() -> None:
    assert moved([{"kind": "Glitches", "target": "mux-0", "value": 0.2}]) == [True] * 4
    pair = {"target": "0-1", "kind": TargetKind.COUPLING, "task": "CheckBellState"}
    assert moved([{"kind": "Glitches", "target": "0-1", "value": 0.2}], target=pair, driven="0") == [True, True]
    assert moved([{"kind": "Glitches", "target": "0-2", "value": 0.2}], target=pair, driven="0") == [False, False]


def test_an_instrument_error_on_any_qubit_of_the_task_ends_it_and_its_module_says_so() -> None:
    chip = backend(**MUX, config={"faults": [{"kind": "InstrumentError", "target": "3"}]})
    with pytest.raises(InstrumentError, match="planted fault InstrumentError"):
        chip.run(read(chip, ("0",)))
    assert [each.module for each in chip.status() if not each.ok] == ["control-3"]
    assert {each.module for each in chip.status()} == {*(f"control-{qubit}" for qubit in "0123"), "readout-mux-0"}


def test_the_noise_of_every_readout_line_is_known() -> None:
    levels = backend(**MUX).noise()
    assert set(levels) == {readout_line(qubit) for qubit in "0123"}
    assert all(-60 < level < 0 for level in levels.values())


# ------------------------------------------------------------------ the same again


def test_the_same_request_gives_the_same_data_and_a_charged_retry_other_data() -> None:
    runs = [backend(**MUX, charged_retries=retries) for retries in (0, 0, 1)]
    first, again, retried = (chip.run(read(chip, ("0", "2"))).iq for chip in runs)
    assert np.array_equal(first, again)
    assert not np.any(first == retried)


def test_a_program_that_comes_again_is_not_simulated_again_but_has_new_shots(monkeypatch: pytest.MonkeyPatch) -> None:
    simulated: list[Program] = []

    def counted(chip: Chip, program: Program, rng: np.random.Generator) -> tuple[States, ...]:
        simulated.append(program)
        return read_states(chip, program, rng)

    monkeypatch.setattr("kubecal_tasks.backends.fake.backend.read_states", counted)
    chip = backend("0", config=exact())
    first, again, other = (
        chip.run(flipped(chip, "0", ("0",), acquisition=Average(shots))) for shots in (1000, 1000, 2000)
    )
    assert len(simulated) == 2
    assert np.all(first.iq != again.iq)
    np.testing.assert_allclose(first.iq, again.iq, atol=0.02)
    np.testing.assert_allclose(first.iq, other.iq, atol=0.02)


def test_only_the_last_few_programs_are_remembered() -> None:
    chip = backend("0", config=exact())
    for shots in range(1000, 1020):
        chip.run(read(chip, ("0",), acquisition=Average(shots)))
    assert [program.acquisition.shots for program in chip._simulated] == list(range(1012, 1020))
