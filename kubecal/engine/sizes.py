"""Whether what a session asks for fits into the requests of its pods, found out before any pod is made."""

from __future__ import annotations

from datetime import datetime

from kubecal.api.session import SessionSpec
from kubecal.engine.intents import CreatePod
from kubecal.engine.model import ChipView, Plan, PlannedTask, SessionRef
from kubecal.engine.request import request_size_problem


def size_problem(ref: SessionRef, spec: SessionSpec, chip: ChipView, plan: Plan, now: datetime) -> str:
    """Why a task of the plan cannot be asked for in one request; empty: all can.

    Tasks of one entry differ in their target only, so the one with the most members speaks for all of them.
    """
    largest: dict[tuple[str, str, int], PlannedTask] = {}
    for task in plan.by_key.values():
        if task.action is None:
            entry = (task.key.step, task.key.task, task.key.ordinal)
            known = largest.get(entry)
            if known is None or len(task.members) > len(known.members):
                largest[entry] = task
    found = (request_size_problem(_create(ref, spec, chip, task, now)) for task in largest.values())
    return next((problem for problem in found if problem), "")


def _create(ref: SessionRef, spec: SessionSpec, chip: ChipView, task: PlannedTask, now: datetime) -> CreatePod:
    """The task's first attempt, with everything that is not known yet as long as it may become."""
    assert chip.spec is not None
    return CreatePod(
        ref=ref,
        planned=task,
        attempt=99,
        charged_retries=99,
        measure_at=now,
        execution_id="0" * 16,
        spec=spec,
        chip=chip,
        chip_spec=chip.spec,
        catalogue_hash="0" * 64,
        image="",
        pod_name="",
        members=task.members,
    )
