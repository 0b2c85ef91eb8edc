"""From checks to a verdict.

Every output is judged by named checks. The attempt's verdict is the worst of its required outputs; an
optional output that fails is stored and not published, and fails nothing. Where no output is required, what
the checks say that concern no output in particular is the verdict. A group is accepted whole or not at all.
What its own data do not speak against is compared with what was known before (``past.py``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from kubecal.api.request import Verdict
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.outcome import Check, Estimate, Judgement, Shift
from kubecal_tasks.framework.past import NO_PAST, Comparison, Past, compare, shift_of

_SIGMAS = 3.0
WORST_FIRST = tuple(Verdict)
"""The order of the enumeration is the order of badness (physics.md, section 5)."""
_COMPARED = frozenset({Verdict.OK, Verdict.IMPRECISE})
"""What an output may be by its own data to be compared with its past: of worse data nothing is to be concluded."""


def judge(
    declared: Sequence[OutputParameter],
    estimates: Mapping[str, Estimate],
    checks: Sequence[Check],
    r2: float | None,
    r2_threshold: float | None,
    past: Past = NO_PAST,
) -> Judgement:
    """Judge one attempt.

    Parameters
    ----------
    declared
        The task's outputs.
    estimates
        What was measured, in the declared units; an output that was not measured is absent.
    checks
        The task's own checks of its data and model.
    r2, r2_threshold
        Coefficient of determination and the gate it must exceed; None: no gate.
    past
        What was known of the outputs before, in the declared units.
    """
    found = [*checks]
    if r2_threshold is not None:
        found.append(_r2_check(r2, r2_threshold))
    for output in declared:
        estimate = estimates.get(output.name)
        if estimate is not None:
            found += value_checks(output, estimate)
    compared = _compared(declared, estimates, found, past)
    found += [comparison.check for comparison in compared.values()]
    verdict_by_output = {o.name: _verdict_of(o, estimates, found) for o in declared}
    worst = min((verdict_by_output[o.name] for o in declared if o.required), key=WORST_FIRST.index, default=Verdict.OK)
    if not any(output.required for output in declared):
        worst = _worst([check for check in found if not check.output])
    good_groups = {
        o.group
        for o in declared
        if all(verdict_by_output[p.name] is Verdict.OK for p in declared if p.group == o.group)
    }
    accepted = frozenset(
        o.name
        for o in declared
        if o.name in estimates and verdict_by_output[o.name] is Verdict.OK and (not o.group or o.group in good_groups)
    )
    return Judgement(
        verdict=worst,
        message=_message(worst, found, declared, estimates),
        checks=tuple(found),
        accepted=accepted,
        moved={name: one.moved for name, one in compared.items() if one.moved and name in accepted},
        shift=_shifts(declared, estimates, accepted, past),
        disputed=tuple(name for name, one in compared.items() if not one.check.ok),
    )


def _compared(
    declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate], checks: Sequence[Check], past: Past
) -> dict[str, Comparison]:
    """What comes of comparing each output that its own data do not speak against with its past."""
    found = {}
    for output in declared:
        if output.name in estimates and _verdict_of(output, estimates, checks) in _COMPARED:
            comparison = compare(output, declared, estimates, past)
            if comparison is not None:
                found[output.name] = comparison
    return found


def _shifts(
    declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate], accepted: frozenset[str], past: Past
) -> dict[str, Shift]:
    """How far each value that may be published is from the one that it replaces."""
    found = {output.name: shift_of(output, declared, estimates, past) for output in declared if output.name in accepted}
    return {name: shift for name, shift in found.items() if shift is not None}


def value_checks(output: OutputParameter, estimate: Estimate) -> list[Check]:
    """The checks every measured value has to pass: finite, within bounds, precise enough."""
    value, error = estimate.value, estimate.error
    if not (math.isfinite(value) and math.isfinite(error) and error >= 0):
        broken = value if not math.isfinite(value) else error
        text = f"{output.name} came out as {value} with error {error}, which is no number: measure again"
        return [Check("finite", broken, 0.0, False, Verdict.UNPHYSICAL, output.name, text)]
    found = [Check("finite", value, 0.0, True, Verdict.UNPHYSICAL, output.name)]
    for name, bound, sign in (("minimum", output.minimum, 1.0), ("maximum", output.maximum, -1.0)):
        if bound is None:
            continue
        within = sign * (value - bound) + _SIGMAS * error >= 0
        text = f"{output.name} = {_told(value, 6, output)} lies beyond its {name} {bound:g}, even with 3 sigma"
        found.append(Check(name, value, bound, within, Verdict.UNPHYSICAL, output.name, text))
    if output.precision is not None:
        # More shots do not bring two lines together, so what is asked of them is asked of the rest of the error.
        found.append(_precision_check(output, value, estimate.random_error))
    return found


def _precision_check(output: OutputParameter, value: float, error: float) -> Check:
    assert output.precision is not None
    limits = [output.precision.absolute or 0.0, (output.precision.relative or 0.0) * abs(value)]
    limit = max(limits)
    text = f"the error of {output.name}, {_told(error, 3, output)}, is above {limit:.3g}: take more shots"
    return Check("imprecise", error, limit, error <= limit, Verdict.IMPRECISE, output.name, text)


def _told(value: float, digits: int, output: OutputParameter) -> str:
    return f"{value:.{digits}g} {output.unit}".rstrip()


def _r2_check(r2: float | None, threshold: float) -> Check:
    value = math.nan if r2 is None else r2
    # NaN compares false, so a missing R2 never passes; equality fails, as it always did in QDash.
    text = f"R2 is {value:.3f} and must be above {threshold:g}: take more shots, or look at the figure"
    return Check("r2", value, threshold, value > threshold, Verdict.POOR_FIT, "", text)


def _verdict_of(output: OutputParameter, estimates: Mapping[str, Estimate], checks: Sequence[Check]) -> Verdict:
    concerned = [check for check in checks if check.output in ("", output.name)]
    verdict = _worst(concerned)
    if verdict is Verdict.OK and output.name not in estimates:
        return Verdict.POOR_FIT
    return verdict


def _worst(checks: Sequence[Check]) -> Verdict:
    return min((c.verdict for c in checks if not c.ok), key=WORST_FIRST.index, default=Verdict.OK)


def _message(
    verdict: Verdict, checks: Sequence[Check], declared: Sequence[OutputParameter], estimates: Mapping[str, Estimate]
) -> str:
    if verdict is Verdict.OK:
        return ""
    required = {o.name for o in declared if o.required} | {""}
    for check in checks:
        if not check.ok and check.verdict is verdict and (check.output in required or not declared):
            return check.message or f"{check.name} is {check.value:.4g}, the limit is {check.limit:.4g}"
    missing = ", ".join(sorted(o.name for o in declared if o.required and o.name not in estimates))
    return f"{missing} could not be determined from the data: look at the figure"
