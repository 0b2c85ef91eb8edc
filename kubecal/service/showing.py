"""How a result shows itself: as lines in a terminal, as a figure with its table in a notebook."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from kubecal.reading.answers import OutputValue
from kubecal.reading.quantities import quantity, sigmas
from kubecal.service.results import FigureFiles, TaskResult
from kubecal.service.values import Value

_OK, _NOT_OK = "✓", "✗"
_GREEN, _RED = "#00855f", "#c8500a"
"""Told apart by colour-blind eyes, never without the sign, and readable on a light and on a dark page."""
_CELL = "text-align: left; padding: 1px 12px 1px 0; vertical-align: baseline"
_WHOLE, _FAINT = "; white-space: nowrap", "; opacity: 0.7"


def as_text(result: TaskResult) -> str:
    """A heading, a line for every value, and why it failed."""
    record = result.record
    lines = [" ".join(_heading(result))]
    names = max((len(output.name) for output in record.outputs), default=0)
    values = [repr(Value.of(output)) for output in record.outputs]
    width = max(map(len, values), default=0)
    for output, value in zip(record.outputs, values, strict=True):
        lines.append(f"  {output.name:<{names}}  {value:<{width}}  {_remark(output)}".rstrip())
    if not result.ok and result.message:
        lines.append(f"  {result.message}")
    if record.suggestion is not None:
        lines.append(f"  suggested: {_suggested(record.suggestion.parameters)} ({record.suggestion.reason})")
    return "\n".join(lines)


def as_html(result: TaskResult) -> str:
    """The same with the figures; every text in it is escaped, since records are written by tasks."""
    record = result.record
    sign, *words = _heading(result)
    colour = _GREEN if result.ok else _RED
    parts = [
        f'<div style="margin: 2px 0"><span style="color: {colour}; font-weight: bold">{sign}</span> '
        f"<b>{escape(words[0])}</b> {escape(' '.join(words[1:]))}</div>"
    ]
    if not result.ok and result.message:
        parts.append(f'<div style="color: {colour}; margin: 2px 0">{escape(result.message)}</div>')
    if record.suggestion is not None:
        text = f"suggested: {_suggested(record.suggestion.parameters)} ({record.suggestion.reason})"
        parts.append(f'<div style="margin: 2px 0">{escape(text)}</div>')
    if record.outputs:
        parts.append(_table(record.outputs))
    parts += [_image(figure, result.title) for figure in result.figures]
    return "".join(parts)


def _heading(result: TaskResult) -> tuple[str, ...]:
    record = result.record
    attempts = f"(attempt {record.attempt})" if record.attempt > 1 else ""
    verdict = result.verdict or record.status
    r2 = f"R² {record.metrics['r2']:.4f}" if "r2" in record.metrics else ""
    place = f"· {record.execution_id}"
    return tuple(part for part in (_OK if result.ok else _NOT_OK, result.title, verdict, attempts, r2, place) if part)


def _remark(output: OutputValue) -> str:
    """What else is to be said of a value: whether it was accepted, and how far it has moved."""
    if not output.accepted:
        return "not accepted"
    if output.sigmas is None or output.previous is None:
        return ""
    return f"{sigmas(output.sigmas)} from {quantity(output.previous, output.previous_error)[0]}"


def _suggested(parameters: dict[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in parameters.items())


def _table(outputs: Sequence[OutputValue]) -> str:
    rows = []
    for output in outputs:
        number, error = quantity(output.value, output.error)
        value = f"{number}{f' ± {error}' if error else ''} {output.unit}".rstrip()
        cells = (
            (output.name, _WHOLE),
            (value, _WHOLE),
            (_remark(output), _WHOLE + (_FAINT if output.accepted else f"; color: {_RED}")),
            (output.description, _FAINT),
        )
        shown = (f'<td style="{_CELL}{style}">{escape(cell)}</td>' for cell, style in cells)
        rows.append(f"<tr>{''.join(shown)}</tr>")
    return f'<table style="border-collapse: collapse; margin: 2px 0; font-size: inherit">{"".join(rows)}</table>'


def _image(figure: FigureFiles, title: str) -> str:
    """As a picture and not inline: ids within several SVGs of one page would be mistaken for each other."""
    data = b64encode(figure.svg).decode()
    # Figures are drawn on white paper, and stay readable on a dark page.
    style = "background: white; max-width: 100%; max-height: 480px; display: block"
    return f'<img style="{style}" alt="{escape(title)}" src="data:image/svg+xml;base64,{data}">'
