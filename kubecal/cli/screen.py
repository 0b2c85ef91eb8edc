"""Where a verb writes: answers on standard output in the form that was asked for, sentences on standard error."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TextIO

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.text import Text

from kubecal.api.yaml_text import yaml_text
from kubecal.cli.form import Form
from kubecal.cli.output import Output, console_on

_WIDE = 10_000
Answered = BaseModel | Mapping[str, Any]
"""One answer; Any: what JSON and YAML can write."""


class Screen:
    """A terminal, or whatever stands in its place.

    Parameters
    ----------
    out, errors
        Standard output and standard error.
    form
        In which answers are written.
    on_lost
        Told once when ``out`` cannot be written to any more; may be called by any thread.
    """

    def __init__(
        self, out: TextIO, errors: TextIO, form: Form, *, on_lost: Callable[[OSError], None] = lambda _: None
    ) -> None:
        self.form = form
        self.out: Console = console_on(Output(out, on_lost))
        if form is Form.WIDE:
            # As wide as it is: the terminal itself wraps its lines, or is made wider.
            self.out.width = _WIDE
        self.errors: Console = console_on(Output(errors))

    @property
    def machine(self) -> bool:
        """Whether a program reads: answers are JSON or YAML, and nothing else is on standard output."""
        return self.form in (Form.JSON, Form.YAML)

    def show(self, answer: Answered | Sequence[Answered], table: Callable[[], RenderableType | None]) -> None:
        """Write an answer, or a list of them.

        Parameters
        ----------
        table
            Makes what people read; asked only where people do. None: there is nothing to show.
        """
        if not self.machine:
            shown = table()
            if shown is not None:
                self.out.print(shown)
            return
        body = _plain({"items": list(answer)} if isinstance(answer, Sequence) else answer)
        text = json.dumps(body, indent=2, ensure_ascii=False) + "\n" if self.form is Form.JSON else yaml_text(body)
        self.out.file.write(text)
        self.out.file.flush()

    def say(self, sentence: str, style: str = "") -> None:
        """A sentence for people: with the answer where people read it, beside it where a program does."""
        (self.errors if self.machine else self.out).print(Text(_lines(sentence), style=style), soft_wrap=True)

    def remark(self, sentence: str) -> None:
        """What is worth knowing besides the answer, on standard error."""
        self.errors.print(Text(_lines(sentence)), soft_wrap=True)

    def complain(self, sentence: str) -> None:
        """What is wrong, on standard error."""
        self.errors.print(Text(_lines(sentence), style="red"), soft_wrap=True)


def printable(text: str) -> str:
    """What tasks and servers say is anybody's text: nothing in it may steer the terminal, or look like ours."""
    return "".join(one if one.isprintable() else " " for one in text)


def _lines(text: str) -> str:
    """Of a sentence of ours, which may have several lines."""
    return "\n".join(map(printable, text.split("\n")))


def _plain(value: Any) -> Any:  # Any: what JSON and YAML can write
    """Models as camelCase mappings; numbers that JSON has no word for as null."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json", by_alias=True))
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, StrEnum):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
