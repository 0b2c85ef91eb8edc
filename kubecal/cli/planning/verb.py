"""``kubecal plan``: read manifests, plan them as the engine does, and show how they would go. Nothing is run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from kubecal.api.chip import Chip
from kubecal.api.manifests import ManifestError, Manifests, load_manifests
from kubecal.api.session import CalibrationSession
from kubecal.cli.answering import NoSuchThingError, NotDoneError, answer, carry_out, failed
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form
from kubecal.cli.place import Place
from kubecal.cli.planning.answer import PlanAnswer, plan_answer
from kubecal.cli.planning.timeline import timeline
from kubecal.cli.screen import Screen
from kubecal.engine.admission import needs_facts
from kubecal.engine.catalogues import Catalogues
from kubecal.engine.forecast import forecast
from kubecal.engine.model import PlanFacts
from kubecal.engine.plan import plan_session
from kubecal.lab.lab import Lab, NotFoundInLabError
from kubecal.local.catalogue import installed_catalogue
from kubecal.reading.facts import facts_for

_NOTHING = PlanFacts()


@dataclass(frozen=True)
class _Planned:
    """One session of the files, on its chip."""

    session: CalibrationSession
    chip: Chip
    facts: PlanFacts = _NOTHING


def plan_files(files: Sequence[Path], place: Place, form: Form, *, everything: bool) -> int:
    """Plan the sessions of the files; the exit code. A lab is asked only for what the files do not say."""
    try:
        manifests = load_manifests(files)
    except ManifestError as error:
        return failed(Screen(sys.stdout, sys.stderr, form), error)
    chips = {chip.metadata.name: chip for chip in manifests.chips}
    if all(one.spec.chip in chips and not needs_facts(one.spec) for one in manifests.sessions):
        wanted = [_Planned(one, chips[one.spec.chip]) for one in manifests.sessions]
        return answer(form, lambda screen: _show(wanted, screen, everything))

    async def ask(lab: Lab, screen: Screen) -> int:
        return _show(await _looked_up(lab, manifests, chips), screen, everything)

    return carry_out(place, form, ask)


async def _looked_up(lab: Lab, manifests: Manifests, chips: Mapping[str, Chip]) -> list[_Planned]:
    """Every session with what the files do not say: a chip of the lab, and what only the records tell."""
    found = []
    for session in manifests.sessions:
        name = session.spec.chip
        chip = chips.get(name) or await _chip_of(lab, name)
        needed = needs_facts(session.spec)
        facts = await facts_for(lab.records, session.spec, name, chip.spec) if needed else _NOTHING
        found.append(_Planned(session, chip, facts))
    return found


async def _chip_of(lab: Lab, name: str) -> Chip:
    try:
        return (await lab.chip(name)).chip
    except NotFoundInLabError as error:
        raise NoSuchThingError(f"{error} (or add its manifest to the command)") from error


def _show(wanted: Sequence[_Planned], screen: Screen, everything: bool) -> int:
    if not wanted:
        raise NotDoneError("there is no CalibrationSession in these files: add the manifest of one")
    catalogue = installed_catalogue()
    answers, problems = [], []
    for one in wanted:
        spec, chip = one.session.spec, one.chip.spec
        # The catalogue of this computer stands for every image, as in kubecal run.
        catalogues = Catalogues(catalogue, {image.name: catalogue for image in chip.pods.images})
        plan = plan_session(spec, spec.chip, chip, catalogues, one.facts)
        name = one.session.metadata.name
        problems += [f"session {name!r}: {problem}" for problem in plan.problems]
        if not plan.problems:
            found = forecast(plan, most_at_once=chip.limits.max_parallel_tasks)
            answers.append((plan_answer(name, spec, spec.chip, chip, plan, found), one.chip))
    if problems:
        raise NotDoneError("\n".join(problems))

    def tables() -> RenderableType:
        parts: list[RenderableType] = []
        for number, (one, chip) in enumerate(answers):
            parts += [Text("\n")] if number else []
            parts.append(timeline(one, chip.spec.topology.resolve(), everything=everything))
        parts += _together([one for one, _ in answers])
        return Group(*parts)

    shown: Sequence[PlanAnswer] = [one for one, _ in answers]
    screen.show(shown[0] if len(shown) == 1 else shown, tables)
    return ExitCode.DONE


def _together(answers: Sequence[PlanAnswer]) -> list[RenderableType]:
    """That sessions of one chip wait for each other, where there are any."""
    by_chip: dict[str, list[str]] = {}
    for one in answers:
        by_chip.setdefault(one.chip, []).append(one.session)
    return [
        Text(f"{' and '.join(names)} are about chip {chip}: one waits for the other, unless lock.scope is Targets")
        for chip, names in by_chip.items()
        if len(names) > 1
    ]
