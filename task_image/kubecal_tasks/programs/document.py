"""Programs as plain data, for JSON: every value says its type, and nothing unknown is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from kubecal_tasks.programs.axes import Axis, BlockAxis, SequenceAxis
from kubecal_tasks.programs.envelopes import Flat, FlatTop, Gaussian
from kubecal_tasks.programs.errors import ProgramError
from kubecal_tasks.programs.operations import Barrier, Choose, Delay, Frame, Play, Readout, Repeat, ShiftPhase, Tone
from kubecal_tasks.programs.program import Program
from kubecal_tasks.programs.swept import Swept
from kubecal_tasks.programs.wanted import Average, Shots, Trace

VERSION = 1
_TYPES: Mapping[str, type] = {
    each.__name__: each
    for each in (
        Frame, Play, ShiftPhase, Delay, Barrier, Repeat, Choose, Tone, Readout, Axis, SequenceAxis, BlockAxis, Average,
        Shots, Gaussian, Flat, FlatTop, Swept, Trace,
    )
}  # fmt: skip


def program_to_dict(program: Program) -> dict[str, Any]:
    """Plain data; Any: JSON."""
    return {"version": VERSION, **{f.name: _encode(getattr(program, f.name)) for f in fields(program)}}


def program_from_dict(document: Mapping[str, Any]) -> Program:
    """Read what ``program_to_dict`` wrote; Any: JSON.

    Raises
    ------
    ProgramError
        If it is no program of this version.
    """
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        raise ProgramError(f"this is no program of version {VERSION}: read it with the release that wrote it")
    given = {name: _decode(value) for name, value in document.items() if name != "version"}
    program: Program = _build(Program, given)
    return program


def _encode(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__, **{f.name: _encode(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, tuple):
        return [_encode(each) for each in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(each) for each in value)
    if not isinstance(value, dict):
        return value
    name = str(value.get("type"))
    if name not in _TYPES:
        raise ProgramError(f"a program has nothing of type {name!r}: known are {', '.join(sorted(_TYPES))}")
    return _build(_TYPES[name], {key: _decode(each) for key, each in value.items() if key != "type"})


def _build(kind: type, given: dict[str, Any]) -> Any:
    known = {f.name for f in fields(kind)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ProgramError(f"{kind.__name__} has no {', '.join(unknown)}: it has {', '.join(sorted(known))}")
    try:
        return kind(**given)
    except (TypeError, AttributeError) as error:
        raise ProgramError(f"{kind.__name__} cannot be made of {given}: {error}") from error
