"""One file that is imported: where it is, what is wrong in it, and what is left out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubecal.api.manifests import ManifestError, read_documents

_SHOWN = 10
"""Problems that are said at once."""


class ImportProblem(Exception):  # noqa: N818 - not an error of ours: what to correct in the lab's files
    """Files that cannot be imported; a line for every reason."""


@dataclass
class Sheet:
    """A file with its content; problems and notes are gathered while it is read."""

    path: Path
    content: Any
    """Any: whatever YAML holds."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was left out, and what to look at."""

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """Read a file of one document.

        Raises
        ------
        ImportProblem
            If it cannot be read, or is not one mapping.
        """
        try:
            documents = [content for _, content in read_documents(path)]
        except ManifestError as error:
            raise ImportProblem(str(error)) from error
        if len(documents) != 1 or not isinstance(documents[0], dict):
            raise ImportProblem(f"{path}: is not one mapping of keys to values: is it the right file?")
        return cls(path, documents[0])

    def wrong(self, sentence: str) -> None:
        """Something to correct."""
        self.problems.append(f"{self.path}: {sentence}")

    def note(self, sentence: str) -> None:
        """Something to know."""
        self.notes.append(f"{self.path}: {sentence}")

    def leave_out(self, given: Mapping[Any, Any], known: Iterable[str], place: str = "") -> None:
        """Name the keys that nobody reads."""
        unknown = [str(key) for key in given if key not in set(known)]
        if unknown:
            keys = "key" if len(unknown) == 1 else "keys"
            self.note(f"{place}{keys} {', '.join(unknown)} left out: not known")

    def mapping(self, value: Any, place: str) -> Mapping[Any, Any]:
        """A mapping, or an empty one and a problem."""
        if isinstance(value, dict):
            return value
        self.wrong(f"{place} is {'missing' if value is None else 'no mapping'}: correct it")
        return {}

    def integer(self, value: Any, place: str, least: int = 0) -> int | None:
        """A whole number, or None and a problem."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        said = "missing" if value is None else repr(value)
        self.wrong(f"{place} is {said}, not a whole number from {least} on: correct it")
        return None


def refuse(*sheets: Sheet | None) -> None:
    """End here if anything is wrong in one of these.

    Raises
    ------
    ImportProblem
        With all problems, the first ten if there are more.
    """
    problems = [problem for sheet in sheets if sheet is not None for problem in sheet.problems]
    if len(problems) > _SHOWN:
        problems[_SHOWN:] = [f"and {len(problems) - _SHOWN} more"]
    if problems:
        raise ImportProblem("\n".join(problems))
