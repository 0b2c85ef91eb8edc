"""Targets as people call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kubecal.engine.lanes import CHIP

_SHOWN = 8
_MUX = "mux-"
_WORDS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("qubit", str.isdecimal),
    ("MUX", lambda target: target.startswith(_MUX)),
    ("coupling", lambda target: "-" in target and not target.startswith(_MUX)),
)


def spoken(targets: Sequence[str]) -> str:
    """All of them: ``qubit 0, 3 and coupling 0-1``, ``MUX 2``, ``the chip``."""
    said = []
    for word, fits in _WORDS:
        ids = [target.removeprefix(_MUX) for target in targets if fits(target)]
        if ids:
            said.append(f"{word} {', '.join(ids[:_SHOWN])}")
    return " and ".join([*said, *(["the chip"] if CHIP in targets else [])])
