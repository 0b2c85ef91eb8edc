"""What tasks that average share: a measurement made several times, its mean, and how far single ones scatter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from kubecal.api.catalogue import ParameterKind, RunParameter
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.fits.values import Array, FitError, Mask, Measured
from kubecal_tasks.framework.declarations import DAY_S, OutputParameter
from kubecal_tasks.framework.judge import WORST_FIRST
from kubecal_tasks.framework.outcome import Check, Estimate, Suggestion
from kubecal_tasks.framework.task import BaseTask, Binding, PostProcessResult, unfit
from kubecal_tasks.programs import Acquisition
from kubecal_tasks.tasks.declared import decay_time
from kubecal_tasks.tasks.findings import value_line
from kubecal_tasks.tasks.pictures import runs_picture
from kubecal_tasks.tasks.qubit_task import MICROSECOND

FEWEST_GOOD = 0.7
"""Part of the runs that must be good; the others are left out of the mean."""
RUNS = RunParameter(
    name="n_runs",
    kind=ParameterKind.INTEGER,
    default=10,
    minimum=2,
    maximum=100,
    description="how often the measurement is made",
)
RUNS_BY_DEFAULT = 10


def average_outputs(quantity: str, words: str) -> tuple[OutputParameter, ...]:
    """The mean of a coherence time, and the scatter of single runs."""
    return (
        decay_time(f"{quantity}_average", f"mean of several runs: {words}"),
        OutputParameter(
            f"{quantity}_std",
            "us",
            description="standard deviation of the single runs, their own errors included",
            minimum=0.0,
            max_age_s=DAY_S,
        ),
    )


class AverageTask(BaseTask):
    """Several runs of one measurement, their mean and their scatter."""

    single: ClassVar[type[BaseTask]]
    """What is measured several times."""
    quantity: ClassVar[str]
    """Its output."""
    words: ClassVar[str]
    timeout_s = 14_400.0

    @cached_property
    def one(self) -> BaseTask:
        """The single measurement, with this task's inputs and run parameters."""
        own = self.binding
        parameters = {name: value for name, value in own.parameters.items() if name != RUNS.name}
        return self.single(Binding(own.target, own.inputs, parameters, own.r2_threshold))

    def preprocess(self, backend: Backend) -> None:
        """As the single measurement does."""
        self.one.preprocess(backend)

    def run(self, backend: Backend) -> Sequence[Acquisition]:
        """Whole runs, one after the other: what fluctuates from one to the next shows in their scatter."""
        return tuple(
            replace(each, label=f"{_prefix(number)}{each.label}")
            for number in range(self.integer(RUNS.name))
            for each in self.one.run(backend) or ()
            if isinstance(each, Acquisition)
        )

    def postprocess(self, backend: Backend, result: Sequence[Acquisition]) -> PostProcessResult:
        """Each run as if it were alone, then the mean of the good ones."""
        runs = [self._single(backend, result, number) for number in range(self.integer(RUNS.name))]
        good = np.asarray([self._is_good(each) for each in runs])
        values, errors = np.asarray([self._found(each) for each in runs]).T
        used = good if good.sum() >= 2 else np.isfinite(values)
        estimates: tuple[Estimate, ...] = ()
        lines: tuple[str, ...] = (f"{int(good.sum())} of {len(runs)} runs good",)
        mean = std = Measured(math.nan, math.nan)
        if used.sum() >= 2:
            mean, std = mean_of(values[used], errors[used]), scatter_of(values[used])
            estimates = (
                Estimate(f"{self.quantity}_average", mean.value, mean.error),
                Estimate(f"{self.quantity}_std", std.value, std.error),
            )
            average = value_line(f"mean {self.words}", mean, "us", MICROSECOND)
            scatter = value_line("standard deviation", std, "us", MICROSECOND)
            lines = (f"{average}   {scatter}", *lines)
        r2 = [each.r2 for each, kept in zip(runs, used, strict=True) if kept and each.r2 is not None]
        return PostProcessResult(
            estimates=estimates,
            checks=(self._runs_check(runs, good),),
            r2=float(np.mean(r2)) if r2 else None,
            metrics={"good_runs": float(good.sum()), **_chi2(runs)},
            suggestion=_suggestion(runs, good),
            lines=lines,
            figures=(runs_picture(values, errors, used, mean, std, self.words),),
        )

    @classmethod
    def estimated_duration_s(cls) -> float:
        """At default sweeps."""
        return RUNS_BY_DEFAULT * cls.single.estimated_duration_s()

    def _single(self, backend: Backend, result: Sequence[Acquisition], number: int) -> PostProcessResult:
        prefix = _prefix(number)
        own = [replace(a, label=a.label.removeprefix(prefix)) for a in result if a.label.startswith(prefix)]
        try:
            found = self.one.postprocess(backend, own)
        except FitError as error:
            return unfit(error)
        assert isinstance(found, PostProcessResult), "a run judges one qubit"
        return found

    def _is_good(self, run: PostProcessResult) -> bool:
        value, error = self._found(run)
        return math.isfinite(value) and math.isfinite(error) and error > 0 and all(check.ok for check in run.checks)

    def _found(self, run: PostProcessResult) -> tuple[float, float]:
        for each in run.estimates:
            if each.name == self.quantity:
                return each.value, each.error
        return math.nan, math.nan

    def _runs_check(self, runs: Sequence[PostProcessResult], good: Mask) -> Check:
        """Whether enough runs are good; else the verdict that most of the others have, the worst of equals."""
        needed, number = math.ceil(FEWEST_GOOD * len(runs)), int(good.sum())
        if number >= needed:
            return Check("runs", number, needed, True, Verdict.POOR_FIT)
        failed = [check for run, ok in zip(runs, good, strict=True) if not ok for check in _worst(run)]
        counts = Counter(check.verdict for check in failed)
        verdict = min(counts, key=lambda each: (-counts[each], WORST_FIRST.index(each)), default=Verdict.POOR_FIT)
        why = next((check.message for check in failed if check.verdict is verdict), "look at the figure")
        text = f"{number} of {len(runs)} runs are good, {needed} are needed: {why}"
        return Check("runs", number, needed, False, verdict, message=text)


def mean_of(values: Array, errors: Array) -> Measured:
    """The mean, each counted alike: errors grow with the value, so that weights would pull it down.

    Its error follows from the errors of the single ones, or from their scatter where that is larger: then what is
    measured fluctuates, or the errors are too small.
    """
    variance = max(float(np.mean(errors**2)), float(np.var(values, ddof=1)))
    return Measured(float(np.mean(values)), math.sqrt(variance / len(values)))


def scatter_of(values: Array) -> Measured:
    """Standard deviation of a sample, and its own error."""
    found = float(np.std(values, ddof=1))
    return Measured(found, found / math.sqrt(2.0 * (len(values) - 1)))


def _prefix(number: int) -> str:
    return f"run {number + 1} "


def _worst(run: PostProcessResult) -> list[Check]:
    failed = [check for check in run.checks if not check.ok]
    return sorted(failed, key=lambda check: WORST_FIRST.index(check.verdict))[:1]


def _chi2(runs: Sequence[PostProcessResult]) -> dict[str, float]:
    found = [run.metrics["reduced_chi2"] for run in runs if "reduced_chi2" in run.metrics]
    return {"reduced_chi2": float(np.mean(found))} if found else {}


def _suggestion(runs: Sequence[PostProcessResult], good: Mask) -> Suggestion | None:
    """Where most runs fail, what the first of them would change."""
    if good.sum() >= math.ceil(FEWEST_GOOD * len(runs)):
        return None
    bad = (run for run, ok in zip(runs, good, strict=True) if not ok)
    return next((run.suggestion for run in bad if run.suggestion is not None), None)
