"""Many targets in few signs."""

from __future__ import annotations

from collections.abc import Sequence

from kubecal.cli.screen import printable


def spans(targets: Sequence[str]) -> str:
    """``0...3, 5``: numbers that follow each other as a span, whatever else as it is."""
    numbers = sorted(int(one) for one in targets if one.isdigit())
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    texts = [_span(first, last) for first, last in found]
    return ", ".join(texts + [printable(one) for one in targets if not one.isdigit()])


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}, {last}" if last == first + 1 else f"{first}...{last}"
