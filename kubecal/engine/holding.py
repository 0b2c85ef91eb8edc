"""Giving the free hardware to the head of the line, and writing down on the chips who holds and who waits."""

from __future__ import annotations

from kubecal.api.chip import Holder
from kubecal.engine.conditions import merged
from kubecal.engine.model import ChipView, HoldersUpdate, SessionView
from kubecal.engine.queue import in_line, shown_queue
from kubecal.engine.scene import Scene
from kubecal.engine.status import valid


def hand_out(scene: Scene) -> None:
    """Update the status of every chip; to be called when all sessions have been looked at."""
    line = in_line(scene.waiting, scene.now)
    keep = [held for held in scene.holders if held.holder.uid not in scene.released]
    chosen = _next(scene, line) if not keep else None
    if chosen is not None:
        line = [pair for pair in line if pair is not chosen]
    holder_name = keep[0].holder.session if keep else chosen[0].ref.name if chosen else ""
    for chip in scene.observed.chips:
        holders = tuple(held.holder for held in keep if held.chip.uid == chip.uid)
        if chosen is not None and chosen[1].uid == chip.uid:
            holders = (*holders, Holder(uid=chosen[0].ref.uid, session=chosen[0].ref.name, since=scene.now))
        _show_chip(scene, chip, holders, shown_queue(chip, line, holder_name))


def _next(scene: Scene, line: list[tuple[SessionView, ChipView]]) -> tuple[SessionView, ChipView] | None:
    """Who gets hardware that nobody holds.

    Not in the pass in which it is let go: the end of the one before must be written first.
    """
    if scene.released or scene.observed.local_holder or not scene.observed.records.available:
        return None
    return next((pair for pair in line if pair[1].spec is not None and not pair[1].spec.maintenance), None)


def _show_chip(scene: Scene, chip: ChipView, holders: tuple[Holder, ...], queue: tuple[object, ...]) -> None:
    claims = (valid(scene.chip_problems[chip.uid]),)
    status = chip.status.model_copy(
        update={
            "observed_generation": chip.generation,
            "conditions": merged(chip.status.conditions, claims, scene.now, chip.generation),
            "holders": holders,
            "queue": queue,
        }
    )
    if status != chip.status and not chip.deleted:
        scene.draft.add("holders", HoldersUpdate(chip, status))
