"""One attempt, from its request to the reports of what came out: the same in a pod, on a laptop and in tests.

An attempt that analyses stored data anew goes the same way, but for the measurement: its backend is opened and never
connected, its inputs and run parameters are those of then, and nothing that was measured since contradicts it.

The order is fixed: inputs, measurement, raw data, verdict, figures. Each is reported as soon as it is there,
so that nothing that comes later can lose it. Exceptions are classified here and nowhere else: what an
instrument throws is the verdict hardware_error, what a task throws is a crash that keeps its data.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

from kubecal.api.request import TASK_FILES_VARIABLE, TaskRequest, Verdict
from kubecal.api.run_parameters import RunParameterError
from kubecal.records.results import CheckRecord, Figure, FileContent, InputOffers, StoredData
from kubecal_tasks.backends.base import Backend, BackendUnusable, InstrumentError, ProgramRefused
from kubecal_tasks.backends.reading import Reading
from kubecal_tasks.backends.registry import open_backend
from kubecal_tasks.fits.values import FitError
from kubecal_tasks.framework import conversion
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.framework.inputs import InputValue, MissingInputError, resolve
from kubecal_tasks.framework.judge import judge
from kubecal_tasks.framework.outcome import Check, Judgement, Refusal, in_words
from kubecal_tasks.framework.past import NO_PAST
from kubecal_tasks.framework.registry import UnknownTaskError, find_task
from kubecal_tasks.framework.reports import Drawn, Failed, Judged, Measured, Prepared, Report
from kubecal_tasks.framework.task import (
    BaseTask,
    Binding,
    FigureContext,
    PostProcessed,
    PostProcessResult,
    unfit,
)
from kubecal_tasks.programs import Acquisition, ProgramError
from kubecal_tasks.programs.operations import readout_line

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
    stored: StoredData | None = None
    """What is analysed anew; None: it measures."""

    def run(self, offers: Mapping[str, InputOffers], stored: StoredData | None = None) -> None:
        """Measure, judge and draw, reporting each.

        Parameters
        ----------
        offers
            What the records have, by qubit and coupling.
        stored
            What was measured earlier and is to be analysed anew; None: it measures.
        """
        if stored is not None:
            replace(self, request=stored.of_then(self.request), stored=stored)._run(offers)
        else:
            self._run(offers)

    def _run(self, offers: Mapping[str, InputOffers]) -> None:
        try:
            backend, task = self._bind(offers)
            self._measure_and_judge(backend, task, offers)
        except AttemptError as error:
            self.say(Failed(error.reason, str(error)))
        except MissingInputError as error:
            self.say(Failed("MissingInput", str(error)))
        except (ProgramError, ProgramRefused) as error:
            self.say(Failed("ProgramRefused", in_words(error)))
        except BackendUnusable as error:
            self.say(Failed("BackendUnusable", in_words(error)))
        except Exception as error:
            self.say(Failed("TaskError", in_words(error), traceback.format_exc()))

    @property
    def _mismatch(self) -> str:
        """Why the catalogue is not the session's."""
        if TASK_FILES_VARIABLE in os.environ:
            return "a file of --tasks was changed while the session ran: run it again"
        return (
            f"this image's catalogue is {self.catalogue_hash[:12]}, the session was planned with "
            f"{self.request.catalogue_hash[:12]}: give the operator the catalogue that `kubecal tasks export` "
            "prints in this image"
        )

    def _bind(self, offers: Mapping[str, InputOffers]) -> tuple[Backend, BaseTask]:
        request = self.request
        if self.task_class is None:
            raise AttemptError("UnknownTask", self.problem)
        if self.catalogue_hash != request.catalogue_hash:
            raise AttemptError("CatalogueMismatch", self._mismatch)
        try:
            parameters = conversion.read_parameters(self.task_class, request)
        except RunParameterError as error:
            raise AttemptError("BadParameters", str(error)) from error
        backend = open_backend(request)
        inputs: dict[str, dict[str, InputValue]] = {
            judged: resolve(
                self.task_class.inputs,
                conversion.owners(request, judged),
                conversion.sources(request, backend, offers)
                if self.stored is None
                else conversion.sources_then(request, judged, backend, self.stored),
            )
            for judged in request.judged
        }
        own, members = ({}, inputs) if request.members else (inputs[request.target], {})
        bands = conversion.bands(request)
        task = self.task_class(Binding(request.target, own, parameters.si, request.r2_threshold, members, bands))
        records = {judged: conversion.input_records(values) for judged, values in inputs.items()}
        self.say(Prepared(records, parameters.as_written))
        return backend, task

    def _measure_and_judge(self, backend: Backend, task: BaseTask, offers: Mapping[str, InputOffers]) -> None:
        try:
            raw = self._measure(backend, task)
        except Refusal as refusal:
            refused = PostProcessResult(checks=(refusal.check,), suggestion=refusal.suggestion, measured=False)
            for member in task.members:
                self._say_judged(task, member, refused, offers)
            self.say(Drawn({}))
            return
        except InstrumentError as error:
            check = CheckRecord("instrument", 1.0, 0.0, False, in_words(error))
            trace = traceback.format_exc()
            verdict, message = Verdict.HARDWARE_ERROR, in_words(error)
            for member in task.members:
                self.say(Judged(member, verdict, message, checks=(check,), stack_trace=trace))
            self.say(Drawn({}))
            return
        try:
            # A task is handed what its own run gave back, so each finds the kind that it made.
            results = by_member(task, task.postprocess(backend, cast("Sequence[Acquisition]", raw)))
        except FitError as error:
            results = dict.fromkeys(task.members, unfit(error))
        acquisitions = [each for each in raw if isinstance(each, Acquisition)]
        judgements = {}
        for member, result in results.items():
            clipping = () if task.judges_clipping else clipping_checks(acquisitions, member)
            checked = replace(result, checks=(*result.checks, *clipping))
            judgements[member] = self._say_judged(task, member, checked, offers)
        figures = self.figures
        self.say(Drawn({m: self._draw(m, results[m], judgements[m]) if figures else () for m in results}))

    def _measure(self, backend: Backend, task: BaseTask) -> Sequence[Acquisition | Reading]:
        """Preprocess and run, and leave the instrument safe however that ends."""
        started = datetime.now(UTC)
        task.preprocess(backend)
        if self.stored is not None:
            self.say(Measured(self.stored.raw_data, started, datetime.now(UTC)))
            return conversion.raw_data_of(self.stored)
        if not task.drives:  # it holds no claim, so the instruments are somebody else's
            self.say(Measured((), started, datetime.now(UTC)))
            return ()
        backend.connect()
        try:
            if task.plays:
                backend.configure(self.request.qubits)
            returned = task.run(backend)
            raw = () if returned is None else tuple(returned)
        except BaseException:
            backend.park()
            raise
        finally:
            backend.disconnect()
        self.say(Measured(conversion.raw_files(raw), started, datetime.now(UTC)))
        return raw

    def _say_judged(
        self, task: BaseTask, member: str, result: PostProcessResult, offers: Mapping[str, InputOffers]
    ) -> Judgement:
        assert self.task_class is not None
        declared = conversion.with_bands(self.task_class.outputs, self.request)
        estimates = conversion.in_declared_units(declared, result.estimates)
        # A refusal measured nothing, so there is no R2 that could pass or fail.
        threshold = task.binding.r2_threshold if result.measured else None
        # What is known now may have been measured later than stored data were, or be made of the same.
        past = NO_PAST if self.stored else conversion.past_of(declared, self.request, member, offers)
        judgement = judge(declared, estimates, result.checks, result.r2, threshold, past)
        metrics = dict(result.metrics) if result.r2 is None else {"r2": result.r2, **result.metrics}
        self.say(
            Judged(
                judged=member,
                verdict=judgement.verdict,
                message=judgement.message,
                outputs=conversion.output_records(declared, estimates, judgement.accepted),
                metrics=metrics,
                checks=conversion.check_records(judgement.checks),
                suggestion=conversion.suggestion_record(result.suggestion),
                moved=judgement.moved,
                shift=conversion.shift_records(judgement.shift),
                disputed=judgement.disputed,
            )
        )
        return judgement

    def _draw(self, member: str, result: PostProcessResult, judgement: Judgement) -> tuple[Figure, ...]:
        """Draw what can be drawn: a figure that fails must not cost a result that stands."""
        request = self.request
        context = FigureContext(
            task=request.task,
            target=member,
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


def by_member(task: BaseTask, result: PostProcessed | None) -> Mapping[str, PostProcessResult]:
    """A result for each that is judged.

    Raises
    ------
    AttemptError
        If the task returned nothing although it declares outputs.
    ValueError
        If the task returned results of others.
    """
    if result is None and task.outputs:
        names = ", ".join(output.name for output in task.outputs)
        text = f"postprocess returned None, but {task.name} declares {names}: return a PostProcessResult"
        raise AttemptError("NothingReturned", text)
    if result is None:
        return dict.fromkeys(task.members, PostProcessResult(measured=False))
    found = {task.target: result} if isinstance(result, PostProcessResult) else result
    if set(found) != set(task.members):
        raise ValueError(
            f"postprocess returned results of {', '.join(found) or 'nobody'}, but the attempt judges "
            f"{', '.join(task.members)}: return one for each"
        )
    return found


def clipping_checks(acquisitions: Sequence[Acquisition], member: str) -> tuple[Check, ...]:
    """What the ADC cut off looks like data and is none; of several qubits read together each has its own line."""
    if not acquisitions:
        return ()
    worst = max(_clipped(each, readout_line(member)) for each in acquisitions)
    text = f"{worst:.1%} of the shots exceed the ADC's full scale: lower readout_amplitude"
    return (Check("clipped", worst, MOST_CLIPPED, worst <= MOST_CLIPPED, Verdict.UNPHYSICAL, message=text),)


def _clipped(acquisition: Acquisition, line: str) -> float:
    """Fraction of shots cut off on a line; on all of them where the line is not read."""
    tones = acquisition.program.readout.tones
    shares = zip(tones, acquisition.data.clipped, strict=True)
    own = [float(share) for tone, share in shares if tone.line == line]
    return max(own, default=acquisition.clipped)
