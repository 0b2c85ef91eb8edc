"""Numbers in the units in which people read them."""

from __future__ import annotations

import pytest

from kubecal.api.units import UnitError, readable


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (1.23e-5, "GHz", (12.3, "kHz")),
        (-1.23e-5, "GHz", (-12.3, "kHz")),
        (4.9, "GHz", (4.9, "GHz")),
        (0.0, "GHz", (0.0, "Hz")),
        (3.0, "us", (3.0, "us")),
        (0.25, "us", (250.0, "ns")),
        (2500.0, "us", (2.5, "ms")),
        (4e-4, "rad", (0.4, "mrad")),
        # No decimal multiple of a degree has a name.
        (0.5, "deg", (0.5, "deg")),
        (0.002, "a.u.", (0.002, "a.u.")),
        (0.002, "", (0.002, "")),
    ],
)
def test_a_number_is_told_in_the_unit_in_which_it_is_short(value: float, unit: str, told: tuple[float, str]) -> None:
    number, name = readable(value, unit)
    assert (number, name) == (pytest.approx(told[0]), told[1])


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(UnitError, match="there is no unit 'furlong': known are Hz, "):
        readable(1.0, "furlong")
