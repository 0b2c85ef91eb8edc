"""What a request asks, out of its path and query; what is not understood is refused, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import get_args

from aiohttp import web

from kubecal.reading.records import DEFAULT_PROJECT, FigureForm
from kubecal_api.refusals import BadQuestionError

_FORMS: Mapping[str, FigureForm] = {form: form for form in get_args(FigureForm)}


class Question:
    """The query of a request.

    Parameters
    ----------
    names
        What this question may say, besides its project.

    Raises
    ------
    BadQuestionError
        If it says something else, or something twice.
    """

    def __init__(self, request: web.Request, *names: str) -> None:
        known = (*names, "project")
        for name in request.query:
            if name not in known:
                raise BadQuestionError(f"{request.path} knows no {name!r}: it may be asked with {', '.join(known)}")
            if len(request.query.getall(name)) > 1:
                raise BadQuestionError(f"{name!r} is given twice: keep one")
        self._query = request.query

    @property
    def project(self) -> str:
        """Whose records."""
        return self.text("project") or DEFAULT_PROJECT

    def text(self, name: str) -> str:
        """A text; empty: not given."""
        return self._query.get(name, "")

    def number(self, name: str, default: int, most: int) -> int:
        """A number from 1 to ``most``."""
        given = self.text(name)
        if not given:
            return default
        if not given.isdecimal() or not 0 < int(given[:9]) <= most:
            raise BadQuestionError(f"{name} is {given!r}: give a number from 1 to {most}")
        return int(given)

    def moment(self, name: str) -> datetime | None:
        """A moment, UTC where it names no zone; None: not given."""
        given = self.text(name)
        if not given:
            return None
        try:
            moment = datetime.fromisoformat(given)
        except ValueError:
            raise BadQuestionError(f"{name} is {given!r}: give a time like 2026-11-23T12:00:00Z") from None
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    def form(self) -> FigureForm:
        """In which form figures are wanted."""
        given = self.text("form") or "svg"
        if given not in _FORMS:
            raise BadQuestionError(f"form is {given!r}: give one of {', '.join(_FORMS)}")
        return _FORMS[given]
