"""Fenced blocks of the documents: what is quoted, typed and printed there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r'^```(\S*)(?: title="(\S+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    path: str
    """The file of which it is a quotation; empty: it is none."""
    text: str

    @property
    def place(self) -> str:
        """Where it stands: ``start.md:12``."""
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> tuple[str, ...]:
        """Of a block that is typed into a shell its commands, each on one line and without its comment."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"\s#\s.*", "", line).strip() for line in joined.splitlines())
        return tuple(line for line in lines if line and not line.startswith("#"))


def blocks(*languages: str) -> Iterator[Block]:
    """The blocks of all pages in these languages, or in any."""
    for page in PAGES:
        text = page.read_text()
        for match in _BLOCK.finditer(text):
            language, path, inner = match.groups()
            if not languages or language in languages:
                yield Block(page.name, text.count("\n", 0, match.start()) + 1, language, path or "", inner)
