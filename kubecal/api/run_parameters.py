"""Run parameters as manifests write them: checked against the catalogue, and read into SI numbers.

A number stands in the parameter's unit or is a string with its own (``"1 MHz"``). A sweep is a list, or
``{start, stop, num | step, scale: linear | log}``; the form ``{value: [...], value_type: np.linspace}`` that older
configuration files use is read too. Nothing here needs numpy: the operator checks with the same code as the task.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.units import UnitError, parse_quantity, to_si

RunValue = float | int | str | bool | tuple[float, ...]
"""A run parameter inside a task: sweeps are tuples, numbers with a unit are in SI."""

_DEFAULT_MAX_POINTS = 10_001
_SWEEP_KEYS = {"start", "stop", "num", "step", "scale"}
_GENERATORS = ("np.linspace", "np.arange", "np.logspace", "range")


class RunParameterError(ValueError):
    """A run parameter that its declaration does not allow; the message names it and says what to write."""


def parse_run_parameters(declared: Sequence[RunParameter], values: Mapping[str, Any]) -> dict[str, RunValue]:
    """Check and convert all values; a declared parameter without a value gets its default.

    Parameters
    ----------
    declared
        The task's declaration.
    values
        As written in manifests; Any: this is where they are checked.

    Returns
    -------
    dict
        SI values by name; parameters without value and default are absent.

    Raises
    ------
    RunParameterError
        If a name is unknown or a value not allowed.
    """
    by_name = {parameter.name: parameter for parameter in declared}
    for name in values:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(by_name)) or 'none'}"
            raise RunParameterError(f"there is no run parameter {name!r}: {hint}")
    given = {p.name: values.get(p.name, p.default) for p in declared}
    return {name: parse_run_parameter(by_name[name], value) for name, value in given.items() if value is not None}


def parse_run_parameter(declared: RunParameter, value: Any) -> RunValue:
    """Check and convert one value.

    Raises
    ------
    RunParameterError
        If the declaration does not allow it.
    """
    try:
        return _read(declared, value)
    except (UnitError, _RefusedError) as error:
        raise RunParameterError(f"{declared.name}: {error}") from error


class _RefusedError(ValueError):
    pass


def _read(declared: RunParameter, value: Any) -> RunValue:
    match declared.kind:
        case ParameterKind.BOOLEAN:
            if not isinstance(value, bool):
                raise _RefusedError(f"{value!r} is not true or false")
            return value
        case ParameterKind.STRING:
            if not isinstance(value, str):
                raise _RefusedError(f"{value!r} is not a text")
            if declared.choices and value not in declared.choices:
                raise _RefusedError(f"{value!r} is not one of {', '.join(declared.choices)}")
            return value
        case ParameterKind.INTEGER:
            return _integer(declared, value)
        case ParameterKind.NUMBER:
            return to_si(_number(declared, value), declared.unit)
        case ParameterKind.SWEEP:
            points = _sweep(declared, value)
            return tuple(to_si(point, declared.unit) for point in points)


def _integer(declared: RunParameter, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise _RefusedError(f"{value!r} is not a whole number")
    _bounded(declared, float(value))
    return int(value)


def _number(declared: RunParameter, value: Any) -> float:
    """The number in the parameter's unit."""
    number = _plain(value, declared.unit)
    _bounded(declared, number)
    return number


def _plain(value: Any, unit: str) -> float:
    if isinstance(value, str):
        number = parse_quantity(value, unit)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise _RefusedError(f"{value!r} is not a number{f' ({unit})' if unit else ''}")
    else:
        number = float(value)
    if not math.isfinite(number):
        raise _RefusedError(f"{value!r} is not a finite number")
    return number


def _bounded(declared: RunParameter, number: float) -> None:
    unit = f" {declared.unit}" if declared.unit else ""
    if declared.minimum is not None and number < declared.minimum:
        raise _RefusedError(f"{number:g}{unit} is below the minimum of {declared.minimum:g}{unit}")
    if declared.maximum is not None and number > declared.maximum:
        raise _RefusedError(f"{number:g}{unit} is above the maximum of {declared.maximum:g}{unit}")


def _sweep(declared: RunParameter, value: Any) -> list[float]:
    points = _points(declared, value)
    limit = declared.max_points or _DEFAULT_MAX_POINTS
    if not points:
        raise _RefusedError("the sweep has no point")
    if len(points) > limit:
        raise _RefusedError(f"{len(points)} points are more than the {limit} that are allowed")
    for point in (min(points), max(points)):
        _bounded(declared, point)
    return points


def _points(declared: RunParameter, value: Any) -> list[float]:
    if isinstance(value, Mapping):
        if "value_type" in value:
            return _generated(declared, value)
        return _spanned(declared, value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        # Checked before anything is built of them: a manifest may say whatever it likes.
        if len(value) > (declared.max_points or _DEFAULT_MAX_POINTS):
            raise _RefusedError(f"{len(value)} points are more than the {declared.max_points} that are allowed")
        return [_plain(point, declared.unit) for point in value]
    raise _RefusedError(f"{value!r} is not a sweep: write a list, or {{start, stop, num}}")


def _spanned(declared: RunParameter, value: Mapping[str, Any]) -> list[float]:
    unknown = sorted(set(value) - _SWEEP_KEYS)
    if unknown:
        raise _RefusedError(f"a sweep has start, stop, num or step, and scale, not {', '.join(unknown)}")
    if "start" not in value or "stop" not in value or ("num" in value) == ("step" in value):
        raise _RefusedError("a sweep needs start, stop, and one of num and step")
    start, stop = _plain(value["start"], declared.unit), _plain(value["stop"], declared.unit)
    scale = value.get("scale", "linear")
    if scale not in ("linear", "log"):
        raise _RefusedError(f"scale is linear or log, not {scale!r}")
    if "step" in value:
        if scale == "log":
            raise _RefusedError("a log sweep takes num, not step")
        return _stepped(declared, start, stop, _plain(value["step"], declared.unit))
    num = _count(declared, value["num"])
    return _logarithmic(start, stop, num) if scale == "log" else _linear(start, stop, num)


def _stepped(declared: RunParameter, start: float, stop: float, step: float) -> list[float]:
    """From start up to and including stop, which a rounding error does not lose."""
    if step == 0 or (stop - start) * step < 0:
        raise _RefusedError(f"a step of {step:g} does not lead from {start:g} to {stop:g}")
    intervals = (stop - start) / step
    count = _count(declared, math.floor(intervals + 1e-9) + 1)
    return [start + step * i for i in range(count)]


def _count(declared: RunParameter, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < 1:
        raise _RefusedError(f"num is {value!r}: write a whole number of at least 1")
    limit = declared.max_points or _DEFAULT_MAX_POINTS
    if value > limit:
        raise _RefusedError(f"{int(value)} points are more than the {limit} that are allowed")
    return int(value)


def _linear(start: float, stop: float, num: int) -> list[float]:
    if num == 1:
        return [start]
    return [start + (stop - start) * i / (num - 1) for i in range(num)]


def _logarithmic(start: float, stop: float, num: int) -> list[float]:
    if start <= 0 or stop <= 0:
        raise _RefusedError(f"a log sweep needs a start and a stop above 0, not {start:g} and {stop:g}")
    points = [math.exp(point) for point in _linear(math.log(start), math.log(stop), num)]
    # Ends are exact: a bound that equals one of them must not be violated by rounding.
    points[0] = start
    if num > 1:
        points[-1] = stop
    return points


def _generated(declared: RunParameter, value: Mapping[str, Any]) -> list[float]:
    """``{value: [0, 10, 101], value_type: np.linspace}``."""
    kind, arguments = value["value_type"], value.get("value")
    if kind not in _GENERATORS:
        raise _RefusedError(f"value_type is one of {', '.join(_GENERATORS)}, not {kind!r}")
    if not isinstance(arguments, Sequence) or isinstance(arguments, str) or not 1 <= len(arguments) <= 3:
        raise _RefusedError(f"value is the list of {kind}'s arguments, not {arguments!r}")
    numbers = [_plain(each, declared.unit) for each in arguments]
    if kind in ("np.linspace", "np.logspace"):
        if len(numbers) < 2:
            raise _RefusedError(f"{kind} needs a start and a stop")
        num = _count(declared, numbers[2] if len(numbers) == 3 else 50)
        points = _linear(numbers[0], numbers[1], num)
        return [10.0**point for point in points] if kind == "np.logspace" else points
    start, stop = (0.0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else 1.0
    if step == 0:
        raise _RefusedError(f"{kind} needs a step other than 0")
    count = math.ceil((stop - start) / step - 1e-9)
    return [start + step * i for i in range(_count(declared, count))] if count > 0 else []
