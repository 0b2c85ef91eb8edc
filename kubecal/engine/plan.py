"""The plan of a session: every task on every target, resolved and checked, before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kubecal.api.actions import ReanalyseResults
from kubecal.api.catalogue import Catalogue, TargetKind
from kubecal.api.chip import ChipSpec
from kubecal.api.session import MAX_PLANNED, SessionSpec, SourceOnly
from kubecal.api.steps import Filter, Step
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.changes import change_problems, given_problems
from kubecal.engine.chips import chip_problems
from kubecal.engine.claims import Wirings
from kubecal.engine.entries import Entry, misfits, read_entries
from kubecal.engine.model import Plan, PlanFacts, PlannedTask, TaskKey
from kubecal.engine.parameters import check_parameter_names
from kubecal.engine.planned import PARKING, PlannedStep, parking_tasks, step_tasks
from kubecal.engine.problems import PlanProblem, did_you_mean
from kubecal.engine.reanalysing import couplings_of, reanalysed
from kubecal.engine.targets import Chosen, Grounds, Sort, session_targets, step_targets

R2 = "r2"
"""The quality of a fit that every task with an R2 gate gives."""
_SHOWN = 10
"""Problems that are said at once; more would not fit into a condition."""
_NOTHING = PlanFacts()


def plan_session(
    spec: SessionSpec,
    chip_name: str,
    chip: ChipSpec,
    catalogues: Catalogues | Catalogue,
    facts: PlanFacts = _NOTHING,
) -> Plan:
    """All tasks of a session, or the problems that a person must correct.

    Where only some steps are wrong the others are planned: an open session goes on without those.
    """
    if isinstance(catalogues, Catalogue):
        catalogues = Catalogues(catalogues)
    return _Planner(spec, Grounds(chip_name, chip, facts.frequencies_ghz), catalogues, facts).plan()


@dataclass
class _Planner:
    spec: SessionSpec
    grounds: Grounds
    catalogues: Catalogues
    facts: PlanFacts
    problems: list[str] = field(default_factory=list)
    invalid: dict[str, list[str]] = field(default_factory=dict)
    """Problems of single steps, by their names."""

    def plan(self) -> Plan:
        spec, chip = self.spec, self.grounds.spec
        self.problems += chip_problems(chip, self.catalogues.built_in)
        self.problems += _limit_problems(spec, self.grounds)
        self.problems += check_parameter_names(spec, self.catalogues)
        self.problems += given_problems(spec.source.overrides, self.grounds, self.catalogues, "spec.source.overrides")
        if self.facts.problem:
            self.problems.append(self.facts.problem)
        try:
            session = session_targets(spec.targets, self.grounds)
        except PlanProblem as problem:
            self.problems.append(str(problem))
            # The entries are looked at all the same, so that their author hears of everything at once.
            session = None
        steps = [self._step(number, step, session) for number, step in enumerate(spec.steps)]
        parking = self._parking(session)
        if self.problems or session is None:
            return _refused([*self.problems, *self._of_steps])
        return self._assembled([step for step in steps if step is not None], session, parking)

    # ---------------------------------------------------------------- steps

    def _step(self, number: int, step: Step, session: Chosen | None) -> PlannedStep | None:
        """The step as it is planned; None, and a note of why, where it cannot be."""
        place = f"spec.steps[{number}]"
        if step.filter is not None:
            problems = _filter_problems(self.spec, number, step.filter, self.catalogues)
            planned = PlannedStep(number, step, Chosen(Sort.CHIP), ())
        elif step.action is not None:
            problems = change_problems(step.action, self.grounds, self.catalogues, place)
            planned = PlannedStep(number, step, Chosen(Sort.CHIP), ())
        elif step.reanalyse is not None:
            planned, problems = self._reanalysis(number, step, step.reanalyse, session)
        else:
            entries, problems = read_entries(self.spec, step.tasks, place, self.catalogues)
            try:
                chosen = step_targets(step, session, self.grounds, place) if session is not None else None
            except PlanProblem as problem:
                problems.append(str(problem))
                chosen = None
            if chosen is not None:
                problems += misfits(entries, chosen.sort, step.batch, place)
                problems += _pairs_problems(step, chosen, place)
            planned = PlannedStep(number, step, chosen or Chosen(Sort.CHIP), tuple(entries))
        if self.spec.parking is not None and step.name == PARKING:
            problems.append(f"{place}.name: {PARKING!r} is what spec.parking is called: give the step another name")
        if problems:
            self.invalid[step.name] = problems
            return None
        return planned

    def _reanalysis(
        self, number: int, step: Step, wanted: ReanalyseResults, session: Chosen | None
    ) -> tuple[PlannedStep, list[str]]:
        stored = self.facts.stored.get(wanted.execution_id)
        tasks, problems = reanalysed(
            step.name, number, wanted, stored, session or Chosen(Sort.CHIP), self.grounds, self.catalogues.built_in
        )
        tasks = [replace(task, timeout_s=float(self.spec.deadlines.task_seconds or task.timeout_s)) for task in tasks]
        return PlannedStep(number, step, couplings_of(tasks), (), tuple(tasks)), problems

    def _parking(self, session: Chosen | None) -> tuple[Entry, ...]:
        if self.spec.parking is None:
            return ()
        place = "spec.parking"
        entries, problems = read_entries(self.spec, self.spec.parking.tasks, place, self.catalogues)
        for number, entry in enumerate(entries):
            kind = entry.task.kind
            if kind is TargetKind.COUPLING or (
                kind is not TargetKind.CHIP and session is not None and session.sort is Sort.CHIP
            ):
                acts_on = "couplings" if kind is TargetKind.COUPLING else "qubits, and the session is about the chip"
                problems.append(
                    f"{place}.tasks[{number}]: {entry.task.name} acts on {acts_on}: park by tasks on "
                    "the session's qubits or on the chip"
                )
        self.problems += problems
        return tuple(entries)

    # ---------------------------------------------------------------- the plan

    def _assembled(self, steps: Sequence[PlannedStep], session: Chosen, parking: tuple[Entry, ...]) -> Plan:
        wirings = self._wirings()
        tasks = [task for step in steps for task in step_tasks(step, wirings, self.grounds.topology)]
        everything = tasks
        if self.spec.source.only is SourceOnly.FAILED:
            unfinished = self.facts.unfinished
            if not any(task.key in unfinished for task in tasks):
                before = self.spec.source.execution_id
                return _refused([f"all tasks of execution {before} have succeeded: nothing is left to repeat"])
            tasks = [task for task in tasks if task.key in unfinished or task.action or task.stored]
        last = parking_tasks(parking, session, wirings, self.grounds.topology, len(self.spec.steps))
        size = len(tasks) + len(last)
        if size > MAX_PLANNED:
            return _refused(
                [f"the session has {size} tasks, more than {MAX_PLANNED}: split its steps over several sessions"]
            )
        chains = _chains(tasks)
        filters = {one.step.name: one.step.filter for one in steps if one.step.filter is not None}
        judges = {name: self._judges(name, wanted, tasks) for name, wanted in filters.items()}
        unjudged: dict[str, frozenset[str]] = {}
        if tasks is not everything:
            unjudged = {name: self._judges(name, wanted, everything) - judges[name] for name, wanted in filters.items()}
        return Plan(
            tasks=tuple(tasks),
            chains=chains,
            own=session.ids,
            steps=tuple(one.step.name for one in steps),
            barriers=frozenset(one.step.name for one in steps if one.step.barrier),
            filters=filters,
            judges=judges,
            unjudged=unjudged,
            ends=_ends(steps),
            auto=frozenset(one.step.name for one in steps if one.auto(self.spec.targets)),
            parking=tuple(last),
            parking_s=float(self.spec.parking.seconds) if self.spec.parking is not None else 0.0,
            problems=_shown(self._of_steps),
            invalid={name: "; ".join(_shown(problems)) for name, problems in self.invalid.items()},
        )

    @property
    def _of_steps(self) -> list[str]:
        return [problem for problems in self.invalid.values() for problem in problems]

    def _wirings(self) -> Wirings:
        chip = self.grounds.spec
        backend = self.catalogues.built_in.backend_by_name.get(chip.backend.name)
        simulated = backend is not None and backend.simulated
        return Wirings(self.grounds.topology, chip.wiring, exclusive=not simulated)

    def _judges(self, name: str, wanted: Filter, tasks: Sequence[PlannedTask]) -> frozenset[str]:
        """Targets a filter chooses from: those with tasks before it, of which one can give what it looks at."""
        order = {step.name: number for number, step in enumerate(self.spec.steps)}
        found: set[str] = set()
        for task in tasks:
            before = order[task.key.step] < order[name]
            if before and task.kind is not TargetKind.CHIP and (not wanted.metric or self._gives(task, wanted.metric)):
                found.update(task.judged)
        return frozenset(found)

    def _gives(self, task: PlannedTask, metric: str) -> bool:
        entry = self.catalogues.of(task.image, "").task_by_name[task.key.task]
        return any(output.name == metric for output in entry.outputs) or (
            metric == R2 and entry.r2_threshold is not None
        )


def _refused(problems: Sequence[str]) -> Plan:
    return Plan(tasks=(), chains={}, problems=_shown(problems))


def _shown(problems: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problems))[:_SHOWN]


def _chains(tasks: Sequence[PlannedTask]) -> Mapping[str, tuple[TaskKey, ...]]:
    chains: dict[str, list[TaskKey]] = {}
    for task in tasks:
        for judged in task.judged:
            chains.setdefault(judged, []).append(task.key)
    return {target: tuple(keys) for target, keys in chains.items()}


def _ends(steps: Sequence[PlannedStep]) -> Mapping[str, tuple[str, str]]:
    return {one.id: (one.control, one.target) for step in steps for one in step.targets.couplings}


# ---------------------------------------------------------------- problems


def _limit_problems(spec: SessionSpec, grounds: Grounds) -> list[str]:
    limits = grounds.spec.limits
    asked = [
        ("spec.priority", spec.priority, limits.max_priority),
        ("spec.deadlines.sessionSeconds", spec.deadlines.session_seconds, limits.max_session_seconds),
    ]
    if spec.open:
        asked.append(("spec.idleSeconds", spec.idle_seconds, limits.max_idle_seconds))
    return [
        f"{field} is {wanted}, chip {grounds.name!r} allows at most {most}: lower it"
        for field, wanted, most in asked
        if wanted > most
    ]


def _filter_problems(spec: SessionSpec, number: int, wanted: Filter, catalogues: Catalogues) -> list[str]:
    """A filter needs tasks before and after it, and a metric that one before gives."""
    place = f"spec.steps[{number}]"
    before = [entry.task for step in spec.steps[:number] for entry in step.tasks]
    after = [entry.task for step in spec.steps[number + 1 :] for entry in step.tasks]
    found = [one.task_by_name[name] for one in catalogues.known for name in before if name in one.task_by_name]
    # What acts on the chip as a whole says nothing about single targets.
    tasks = [task for task in found if task.kind is not TargetKind.CHIP]
    if not before or (found and not tasks):
        return [f"{place}: no task comes before this filter: move it behind the steps it judges"]
    if not after and not spec.open:
        return [f"{place}: no task comes after this filter: remove it, or add a step"]
    known = {output.name for task in tasks for output in task.outputs}
    known |= {R2 for task in tasks if task.r2_threshold is not None}
    if wanted.metric and wanted.metric not in known:
        return [f"{place}.filter.metric: no task before gives {wanted.metric!r}: {did_you_mean(wanted.metric, known)}"]
    return []


def _pairs_problems(step: Step, chosen: Chosen, place: str) -> list[str]:
    """An explicit schedule has every coupling of its step once, and no other."""
    if not step.pairs:
        return []
    if chosen.sort is not Sort.COUPLINGS:
        return [f"{place}.pairs: only steps about couplings are scheduled by pairs: remove it"]
    wanted, listed = set(chosen.ids), [identity for group in step.pairs for identity in group]
    twice = sorted({identity for identity in listed if listed.count(identity) > 1})
    unknown = [identity for identity in listed if identity not in wanted]
    left_out = [identity for identity in chosen.ids if identity not in set(listed)]
    if twice:
        return [f"{place}.pairs: coupling {twice[0]} stands in it twice: remove one"]
    if unknown:
        return [f"{place}.pairs: coupling {unknown[0]} is not one of the step's: {did_you_mean(unknown[0], wanted)}"]
    if left_out:
        return [f"{place}.pairs: coupling {', '.join(left_out[:8])} of the step is in no group: add it"]
    return []
