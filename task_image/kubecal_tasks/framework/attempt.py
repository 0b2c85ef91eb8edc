"""One attempt, from its request to the reports of what came out: the same in a pod, on a laptop and in tests.

The order is fixed: inputs, measurement, raw data, verdict, figures. Each is reported as soon as it is there,
so that nothing that comes later can lose it. Exceptions are classified here and nowhere else: what an
instrument throws is the verdict hardware_error, what a task throws is a crash that keeps its data.
"""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kubecal.api.request import TaskRequest, Verdict
from kubecal.api.run_parameters import RunParameterError
from kubecal.records.results import CheckRecord, Figure, FileContent, InputOffers
from kubecal_tasks.backends.base import Backend, BackendUnusable, InstrumentError, ProgramRefused
from kubecal_tasks.backends.registry import open_backend
from kubecal_tasks.fits.values import FitError
from kubecal_tasks.framework import conversion
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.framework.inputs import MissingInputError, Origin, resolve
from kubecal_tasks.framework.judge import judge
from kubecal_tasks.framework.outcome import Check, Judgement, Refusal
from kubecal_tasks.framework.registry import UnknownTaskError, find_task
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Prepared, Report
from kubecal_tasks.framework.task import BaseTask, Binding, FigureContext, PostProcessResult
from kubecal_tasks.programs import Acquisition, ProgramError

MOST_CLIPPED = 0.01
"""Fraction of shots beyond the ADC's full scale at which means are no longer means."""

Say = Callable[[Report], None]


class AttemptError(Exception):
    """The attempt cannot be made; carries what is reported of it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def prepare_attempt(request: TaskRequest, say: Say, figures: bool = True) -> Attempt:
    """Import everything the attempt needs; nothing is read and nothing driven yet.

    Parameters
    ----------
    request, say
        What is asked for, and who hears what comes out.
    figures
        False: nothing is drawn, for thousands of attempts in a row.
    """
    try:
        return Attempt(request, say, find_task(request.task), installed_catalogue().hash, figures=figures)
    except UnknownTaskError as error:
        return Attempt(request, say, None, "", str(error))


@dataclass(frozen=True)
class Attempt:
    """One attempt, ready to run once it is claimed."""

    request: TaskRequest
    say: Say
    task_class: type[BaseTask] | None
    catalogue_hash: str
    problem: str = ""
    figures: bool = True

    def run(self, offers: InputOffers) -> None:
        """Measure, judge and draw, reporting each."""
        try:
            backend, task = self._bind(offers)
            self._measure_and_judge(backend, task)
        except AttemptError as error:
            self.say(Failed(error.reason, str(error)))
        except MissingInputError as error:
            self.say(Failed("MissingInput", str(error)))
        except (ProgramError, ProgramRefused) as error:
            self.say(Failed("ProgramRefused", _in_words(error)))
        except BackendUnusable as error:
            self.say(Failed("BackendUnusable", _in_words(error)))
        except Exception as error:
            self.say(Failed("TaskError", _in_words(error), traceback.format_exc()))

    def _bind(self, offers: InputOffers) -> tuple[Backend, BaseTask]:
        request = self.request
        if self.task_class is None:
            raise AttemptError("UnknownTask", self.problem)
        if self.catalogue_hash != request.catalogue_hash:
            raise AttemptError(
                "CatalogueMismatch",
                f"this image's catalogue is {self.catalogue_hash[:12]}, the session was planned with "
                f"{request.catalogue_hash[:12]}: give the operator the catalogue that `kubecal tasks export` "
                "prints in this image",
            )
        try:
            parameters = conversion.read_parameters(self.task_class, request)
        except RunParameterError as error:
            raise AttemptError("BadParameters", str(error)) from error
        backend = open_backend(request)
        inputs = resolve(
            self.task_class.inputs,
            request.target,
            (
                (Origin.SESSION, conversion.candidates(offers.session)),
                (Origin.PUBLISHED, conversion.candidates(offers.published)),
                (Origin.DESIGN, conversion.chip_design(request)),
                (Origin.BACKEND, conversion.backend_design(backend, request.target)),
            ),
        )
        task = self.task_class(Binding(request.target, inputs, parameters.si, request.r2_threshold))
        self.say(Prepared(conversion.input_records(inputs), parameters.as_written))
        return backend, task

    def _measure_and_judge(self, backend: Backend, task: BaseTask) -> None:
        try:
            acquisitions = self._measure(backend, task)
        except Refusal as refusal:
            self._say_judged(
                task, PostProcessResult(checks=(refusal.check,), suggestion=refusal.suggestion, measured=False)
            )
            self.say(Drawn(()))
            return
        except InstrumentError as error:
            check = CheckRecord("instrument", 1.0, 0.0, False, _in_words(error))
            trace = traceback.format_exc()
            self.say(Judged(Verdict.HARDWARE_ERROR, _in_words(error), checks=(check,), stack_trace=trace))
            self.say(Drawn(()))
            return
        try:
            result = task.postprocess(backend, acquisitions)
        except FitError as error:
            # Data of which no curve can be made (too few points that are numbers) are judged, not crashed over.
            unfit = Check("fit", math.nan, 0.0, False, Verdict.POOR_FIT, message=_in_words(error))
            result = PostProcessResult(checks=(unfit,), measured=False)
        result = replace(result, checks=(*result.checks, *clipping_checks(acquisitions)))
        judgement = self._say_judged(task, result)
        self.say(Drawn(self._draw(result, judgement) if self.figures else ()))

    def _measure(self, backend: Backend, task: BaseTask) -> Sequence[Acquisition]:
        """Preprocess and run, and leave the instrument safe however that ends."""
        started = datetime.now(UTC)
        task.preprocess(backend)
        backend.connect()
        try:
            backend.configure((self.request.target,))
            acquisitions = tuple(task.run(backend))
        except BaseException:
            backend.park()
            raise
        finally:
            backend.disconnect()
        self.say(Measured(conversion.raw_files(acquisitions), started, datetime.now(UTC)))
        return acquisitions

    def _say_judged(self, task: BaseTask, result: PostProcessResult) -> Judgement:
        assert self.task_class is not None
        declared = conversion.with_bands(self.task_class.outputs, self.request)
        estimates = conversion.in_declared_units(declared, result.estimates)
        # A refusal measured nothing, so there is no R2 that could pass or fail.
        threshold = task.binding.r2_threshold if result.measured else None
        judgement = judge(declared, estimates, result.checks, result.r2, threshold)
        metrics = dict(result.metrics) if result.r2 is None else {"r2": result.r2, **result.metrics}
        self.say(
            Judged(
                verdict=judgement.verdict,
                message=judgement.message,
                outputs=conversion.output_records(declared, estimates, judgement.accepted),
                metrics=metrics,
                checks=conversion.check_records(judgement.checks),
                suggestion=conversion.suggestion_record(result.suggestion),
            )
        )
        return judgement

    def _draw(self, result: PostProcessResult, judgement: Judgement) -> tuple[Figure, ...]:
        """Draw what can be drawn: a figure that fails must not cost a result that stands."""
        request = self.request
        context = FigureContext(
            task=request.task,
            target=request.target,
            verdict=judgement.verdict.value,
            measured_at=request.measure_at.isoformat(timespec="seconds"),
            lines=result.lines,
        )
        figures = []
        for draw in result.figures:
            try:
                drawn = draw(context)
            except Exception:
                traceback.print_exc()
                print(f"a figure of {request.task} could not be drawn: its data is stored", file=sys.stderr)
                continue
            figures.append(
                Figure(
                    svg=FileContent(f"{drawn.name}.svg", "image/svg+xml", drawn.svg),
                    png=FileContent(f"{drawn.name}.png", "image/png", drawn.png),
                    json=FileContent(f"{drawn.name}.json", "application/json", drawn.arrays),
                )
            )
        return tuple(figures)


def clipping_checks(acquisitions: Sequence[Acquisition]) -> tuple[Check, ...]:
    """What the ADC cut off looks like data and is none."""
    if not acquisitions:
        return ()
    worst = max(each.clipped for each in acquisitions)
    text = f"{worst:.1%} of the shots exceed the ADC's full scale: lower readout_amplitude"
    return (Check("clipped", worst, MOST_CLIPPED, worst <= MOST_CLIPPED, Verdict.UNPHYSICAL, message=text),)


def _in_words(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
