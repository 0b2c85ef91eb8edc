"""Numbers with their errors and units, which are numbers all the same."""

from __future__ import annotations

from kubecal.reading.answers import InputValue, OutputValue, ParameterValue
from kubecal.reading.quantities import quantity


class Value(float):
    """A measured value: a float with ``error`` (one sigma), ``unit`` and ``description``.

    >>> t1 = Value(31.24, error=0.41, unit="us")
    >>> t1
    31.24 ± 0.41 us
    >>> t1 > 20, 2 * t1
    (True, 62.48)
    """

    error: float
    unit: str
    description: str

    def __new__(cls, value: float, *, error: float = 0.0, unit: str = "", description: str = "") -> Value:
        self = super().__new__(cls, value)
        self.error, self.unit, self.description = error, unit, description
        return self

    @classmethod
    def of(cls, answer: OutputValue | ParameterValue | InputValue) -> Value:
        """What the records say of a value."""
        description = "" if isinstance(answer, InputValue) else answer.description
        return cls(answer.value, error=answer.error, unit=answer.unit, description=description)

    @property
    def value(self) -> float:
        """The number alone."""
        return float(self)

    def __repr__(self) -> str:
        number, error = quantity(float(self), self.error)
        return " ".join(part for part in (number, f"± {error}" if error else "", self.unit) if part)

    def __str__(self) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[object, ...]:
        return (_again, (float(self), self.error, self.unit, self.description))


def _again(value: float, error: float, unit: str, description: str) -> Value:
    return Value(value, error=error, unit=unit, description=description)
