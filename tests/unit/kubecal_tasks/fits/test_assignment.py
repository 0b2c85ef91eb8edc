from __future__ import annotations

import numpy as np
import pytest

from kubecal_tasks.fits.assignment import Classifier, joint_confusion, joint_counts, shots_check

ANGLE = 0.7
ALONG = np.asarray([np.cos(ANGLE), np.sin(ANGLE)])
CLASSIFIER = Classifier((0.0, 0.0), (float(4 * ALONG[0]), float(4 * ALONG[1])), 1.0, ANGLE, 2.0)


def test_centres_four_sigmas_apart_are_mistaken_in_2_3_per_cent() -> None:
    confusion = CLASSIFIER.confusion()
    assert confusion[1, 0] == pytest.approx(0.02275, abs=1e-5)
    assert confusion[0, 1] == pytest.approx(0.02275, abs=1e-5)
    assert confusion.sum(axis=0) == pytest.approx([1.0, 1.0])


def test_relaxing_while_being_read_counts_as_drawn_shots_say() -> None:
    rng, relaxed, shots = np.random.default_rng(1), 0.1, 200_000
    when = rng.exponential(1 / relaxed, shots)
    place = 4 * np.minimum(when, 1.0)
    iq = place[:, None] * ALONG + rng.normal(size=(shots, 2))
    assert CLASSIFIER.confusion(relaxed)[1, 1] == pytest.approx(CLASSIFIER.assigned(iq).mean(), abs=3e-3)


def test_shots_of_two_qubits_are_counted_the_first_qubit_first() -> None:
    first = np.asarray([[False, False, True, True, True]])
    second = np.asarray([[False, True, False, True, True]])
    assert joint_counts(first, second).tolist() == [[1, 1, 1, 2]]


def test_joint_confusion_is_that_of_independent_readouts() -> None:
    one, other = np.asarray([[0.9, 0.2], [0.1, 0.8]]), np.asarray([[0.95, 0.1], [0.05, 0.9]])
    assert joint_confusion(one, other)[1, 2] == pytest.approx(0.2 * 0.05)


def test_shots_of_both_states_and_of_what_decays_between_are_where_they_belong() -> None:
    rng = np.random.default_rng(2)
    iq = rng.uniform(0, 4, 20_000)[:, None] * ALONG + rng.normal(size=(20_000, 2))
    assert CLASSIFIER.far(iq).mean() < 1e-3
    assert shots_check(CLASSIFIER.far(iq), "control").ok


@pytest.mark.parametrize(("share", "ok"), [(0.04, True), (0.25, False)])
def test_garbage_among_the_shots_is_counted(share: float, ok: bool) -> None:
    rng = np.random.default_rng(3)
    iq = rng.normal(size=(4000, 2))
    hit = rng.random(4000) < share
    iq[hit] = rng.uniform(-20, 20, size=(int(hit.sum()), 2))
    finding = shots_check(CLASSIFIER.far(iq), "control")
    assert (finding.ok, finding.verdict) == (ok, "poor_fit")
    assert ("shots of the control" in finding.message) is not ok
