"""What exists, for dashboards: chips, tags, tasks of each image, backends. Written when a session is admitted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pymongo import UpdateOne

from kubecal.api.catalogue import Catalogue, CatalogueTask
from kubecal.engine.intents import Admission
from kubecal.engine.model import PinnedImage, Plan
from kubecal.records.documents import Document, chip_document


def registry_writes(
    database: str, admission: Admission, project_id: str, catalogue: Catalogue, image: str, now: datetime
) -> list[UpdateOne]:
    """Upserts of everything that a session mentions; ``catalogue`` and ``image`` are the built-in ones."""
    username = admission.spec.username
    catalogues = {"": catalogue, **admission.catalogues}
    pinned = {"": PinnedImage(image, catalogue.hash), **admission.images}
    chip = {"project_id": project_id, "chip_id": admission.chip.name}

    def known(collection: str, key: Document, fields: Document, new: Document | None = None) -> UpdateOne:
        return UpdateOne(
            key,
            {
                "$set": {**fields, "username": username, "system_info.updated_at": now},
                "$setOnInsert": {**(new or {}), "system_info.created_at": now},
            },
            upsert=True,
            namespace=f"{database}.{collection}",
        )

    return [
        known("chip", chip, chip_document(admission.chip), {"installed_at": now, "note": {}}),
        *(known("tag", {"project_id": project_id, "name": tag}, {}) for tag in admission.spec.tags),
        *(
            known("backend", {"project_id": project_id, "name": backend.name}, {"description": backend.description})
            for backend in {one.name: one for each in catalogues.values() for one in each.backends}.values()
        ),
        *(
            known(
                "task",
                {
                    "project_id": project_id,
                    "name": task.name,
                    "catalogue_hash": pinned[name].catalogue_hash,
                    "image": pinned[name].image,
                },
                _task_fields(task),
            )
            for name, task in _planned_tasks(admission.plan, catalogues)
        ),
    ]


def _planned_tasks(plan: Plan, catalogues: Mapping[str, Catalogue]) -> list[tuple[str, CatalogueTask]]:
    """Each task of the plan once, with the short name of its image: tasks of two images may be called the same."""
    planned = sorted({(one.image, one.key.task) for one in plan.by_key.values() if one.action is None})
    return [(image, catalogues[image].task_by_name[name]) for image, name in planned]


def _task_fields(task: CatalogueTask) -> Document:
    return {
        "backend": None,
        "description": task.description,
        "source": task.source,
        "task_type": task.kind.value.lower(),
        "input_parameters": {each.name: {"unit": each.unit} for each in task.inputs},
        "output_parameters": {each.name: {"unit": each.unit, "description": each.description} for each in task.outputs},
        "run_parameters": {
            each.name: each.model_dump(mode="json", by_alias=False, exclude_defaults=True)
            for each in task.run_parameters
        },
    }
