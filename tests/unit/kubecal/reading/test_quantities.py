import pytest

from kubecal.reading.quantities import duration, quantity, spoken


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (31.234, 0.8123, ("31.23", "0.81")),
        (5.049984, 4.2e-7, ("5.04998400", "0.00000042")),
        (1234.5, 20.0, ("1234", "20")),
        (32.0, 0.0, ("32", "")),
        (32.0, None, ("32", "")),
        (1.0, float("nan"), ("1", "")),
    ],
)
def test_a_value_is_written_to_the_place_of_its_error(
    value: float, error: float | None, shown: tuple[str, str]
) -> None:
    assert quantity(value, error) == shown


@pytest.mark.parametrize(("seconds", "said"), [(33.4, "33 s"), (250, "4 min 10 s"), (7500, "2 h 5 min")])
def test_durations_are_said_in_two_units(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_phase_is_said_in_words() -> None:
    assert spoken("PartiallyFailed") == "partially failed"
