"""A result and what was known before it: whether the two agree, and how far a value has moved.

Only outputs that declare a drift are compared: without one nothing says what a change means. The rule (physics.md,
section 5) is that a new value is inconsistent with one that was measured in the same cool-down where

    |new - old| > 5 sqrt(sigma_new^2 + sigma_old^2 + drift(age)^2),   drift(age) = drift sqrt(age / max_age),

``drift`` being what the catalogue allows within ``max_age``, in the unit or as a fraction of the old value. The square
root is that of a random walk. Frequencies and coherence times of transmons wander by about as much in an hour as in
the next: an allowance that grew linearly would raise alarms between two measurements of one session, one that was
granted whole at once would hide the jumps that two-level systems make.

One contradiction does not say which of the two is wrong. So the task is measured again, and that attempt decides: where
it agrees with the one before, the quantity has moved; where it does not, the quantity jumps, and nothing is published.

Most of what moves within a day moves by less than that, and is worth knowing all the same. So besides the verdict every
output says how far it is from the value that it replaces: its shift, in the errors of the two alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubecal.api.request import Verdict
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.outcome import Check, Estimate, Shift

AGREEMENT_SIGMAS = 5.0
"""Further apart two measurements of the same thing do not agree."""
_SAME_SETTING = 1e-9
"""Relative difference up to which settings, which have no error, count as equal: what a change of units rounds."""
_HOUR_S = 3600.0


@dataclass(frozen=True)
class PastValue:
    """A value that was measured before, in the declared unit."""

    value: float
    error: float
    age_s: float
    """From its measurement to the present one."""


@dataclass(frozen=True)
class Past:
    """What was known of one that is judged, by the outputs' names."""

    published: Mapping[str, PastValue] = field(default_factory=dict)
    """The chip's current values, as far as they were measured in the present cool-down."""
    disputed: Mapping[str, PastValue] = field(default_factory=dict)
    """What the attempt before this one found to be inconsistent with them."""


NO_PAST = Past()


@dataclass(frozen=True)
class Comparison:
    """What comes of comparing an output with its past."""

    check: Check
    moved: float
    """By how many sigmas it differs from what is published, if that is more than agreement allows; else 0."""


def compare(
    output: OutputParameter, declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate], past: Past
) -> Comparison | None:
    """Compare an output that was measured with what was known of it.

    Parameters
    ----------
    output
        The one that is compared.
    declared
        All outputs of its task: settings in its group say what it holds for.
    estimates
        What was measured, in the declared units.
    past
        What was known, in the same units.

    Returns
    -------
    Comparison
        None where there is nothing that it could be compared with.
    """
    if output.drift is None:
        return None
    new = estimates[output.name]
    old = past.published.get(output.name) if _same_settings(output, declared, estimates, past) else None
    first = past.disputed.get(output.name)
    distance = _sigmas(output, new, old) if old is not None else 0.0
    moved = distance if distance > AGREEMENT_SIGMAS else 0.0
    if first is not None:
        return Comparison(_check(output, new, first, _unconfirmed(output, new, first)), moved)
    if old is not None:
        return Comparison(_check(output, new, old, _contradiction(output, new, old, distance)), moved)
    return None


def shift_of(
    output: OutputParameter, declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate], past: Past
) -> Shift | None:
    """How far an output is from the published value that it replaces, in both errors together.

    What drift may explain is not taken off, and outputs that declare none have a shift too: it judges nothing.

    Parameters
    ----------
    output, declared, estimates, past
        As of :func:`compare`.

    Returns
    -------
    Shift
        None where there is no value of the same thing, or neither has an error.
    """
    new, old = estimates[output.name], past.published.get(output.name)
    if old is None or not _same_settings(output, declared, estimates, past):
        return None
    sigma = math.hypot(new.error, old.error)
    return Shift(old.value, old.error, (new.value - old.value) / sigma) if sigma else None


def allowance(output: OutputParameter, old: PastValue) -> float:
    """How far a value may have drifted since it was measured, in the declared unit: one standard deviation."""
    if output.drift is None:
        return 0.0
    drift = output.drift * (abs(old.value) if output.drift_relative else 1.0)
    # Without an age at which it is due the allowance is granted at once.
    return drift * math.sqrt(old.age_s / output.max_age_s) if output.max_age_s else drift


def _sigma(output: OutputParameter, new: Estimate, old: PastValue) -> float:
    return math.hypot(new.error, old.error, allowance(output, old))


def _sigmas(output: OutputParameter, new: Estimate, old: PastValue) -> float:
    distance, sigma = abs(new.value - old.value), _sigma(output, new, old)
    if sigma == 0.0:
        return math.inf if distance else 0.0
    return distance / sigma


def _check(output: OutputParameter, new: Estimate, old: PastValue, message: str) -> Check:
    distance, limit = abs(new.value - old.value), AGREEMENT_SIGMAS * _sigma(output, new, old)
    return Check("inconsistent", distance, limit, distance <= limit, Verdict.INCONSISTENT, output.name, message)


def _contradiction(output: OutputParameter, new: Estimate, old: PastValue, sigmas: float) -> str:
    return (
        f"{output.name} = {_told(output, new.value)} lies {sigmas:.1f} sigma from {_told(output, old.value)}, measured "
        f"{old.age_s / _HOUR_S:.1f} h before in this cool-down: measure it again, and what agrees twice has moved"
    )


def _unconfirmed(output: OutputParameter, new: Estimate, first: PastValue) -> str:
    return (
        f"{output.name} = {_told(output, new.value)} does not confirm {_told(output, first.value)} of the attempt "
        "before, which was inconsistent with the published value: the quantity jumps, look for a two-level system "
        "or a loose connection"
    )


def _told(output: OutputParameter, value: float) -> str:
    return f"{value:.8g} {output.unit}".rstrip()


def _same_settings(
    output: OutputParameter, declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate], past: Past
) -> bool:
    """Whether the published value is one of the same thing.

    The amplitude of a pulse belongs to its length: what a group has without an error was set, not measured, and
    another setting makes another quantity of the others.
    """
    if not output.group:
        return True
    settings = [
        estimates[one.name]
        for one in declared
        if one.group == output.group and one.name in estimates and estimates[one.name].error == 0.0
    ]
    for setting in settings:
        before = past.published.get(setting.name)
        if before is None or not math.isclose(setting.value, before.value, rel_tol=_SAME_SETTING):
            return False
    return True
