"""Where a task's inputs come from."""

import pytest

from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.framework.inputs import Candidate, MissingInputError, Origin, resolve

FREQUENCY = InputParameter("qubit_frequency", "GHz", hint="CheckChevron")
LENGTH = InputParameter("readout_length", "ns", fallback=384.0)
T1 = InputParameter("t1", "us", required=False)
ORDER = (Origin.SESSION, Origin.PUBLISHED, Origin.DESIGN, Origin.BACKEND)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_first_source_that_has_a_value_provides_it(count: int) -> None:
    sources = ORDER[-count:]
    offers = [(origin, {"qubit_frequency": Candidate(5.0 + k, 0.001, "GHz")}) for k, origin in enumerate(sources)]
    value = resolve([FREQUENCY], "3", offers)["qubit_frequency"]
    assert (value.value, value.origin) == (5.0, sources[0])


def test_the_fallback_comes_last_and_is_said_to_be_one() -> None:
    assert resolve([LENGTH], "3", [])["readout_length"].origin is Origin.FALLBACK
    offers = [(Origin.BACKEND, {"readout_length": Candidate(512.0, 0.0, "ns")})]
    assert resolve([LENGTH], "3", offers)["readout_length"].value == 512.0


def test_a_missing_input_says_what_to_do() -> None:
    with pytest.raises(
        MissingInputError, match=r"^missing input qubit_frequency of qubit 3: run CheckChevron or set it$"
    ):
        resolve([FREQUENCY], "3", [])


def test_an_optional_input_may_be_absent() -> None:
    assert resolve([T1], "3", []) == {}


def test_a_value_in_another_unit_is_converted() -> None:
    offers = [(Origin.DESIGN, {"qubit_frequency": Candidate(4910.0, 2.0, "MHz")})]
    value = resolve([FREQUENCY], "3", offers)["qubit_frequency"]
    assert value.value == pytest.approx(4.91)
    assert value.error == pytest.approx(0.002)
    assert value.si_value == pytest.approx(4.91e9)


def test_the_version_that_was_read_is_kept_for_provenance() -> None:
    offers = [(Origin.PUBLISHED, {"t1": Candidate(30.0, 1.0, "us", "t1:chip:3:20261123-000:abc")})]
    assert resolve([T1], "3", offers)["t1"].entity == "t1:chip:3:20261123-000:abc"
