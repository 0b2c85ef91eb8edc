"""Why a session cannot be planned: sentences for its author, gathered so that all are said at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PlanProblem(Exception):  # noqa: N818 - not an error of ours: what the author should change
    """One thing to correct in a manifest."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean CheckT1?``, or what there is."""
    names = sorted(known)
    # T1 is closer to t1 than letters tell.
    by_lower_case = {one.lower(): one for one in names}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    if near:
        return f"did you mean {by_lower_case[near[0]]}?"
    return f"known are {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}" if names else "there is none"
