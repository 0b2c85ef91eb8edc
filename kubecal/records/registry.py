"""What exists, for dashboards: chips, tags, tasks of each image, backends. Written when a session is admitted."""

from __future__ import annotations

from datetime import datetime

from pymongo import UpdateOne

from kubecal.api.catalogue import Catalogue
from kubecal.engine.intents import Admission
from kubecal.records.documents import Document, chip_document


def registry_writes(
    database: str, admission: Admission, project_id: str, catalogue: Catalogue, image: str, now: datetime
) -> list[UpdateOne]:
    """Upserts of everything that a session mentions."""
    username = admission.spec.username
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

    planned = {planned.key.task for planned in admission.plan.tasks}
    tasks = [task for task in catalogue.tasks if task.name in planned]
    return [
        known("chip", chip, chip_document(admission.chip), {"installed_at": now, "note": {}}),
        *(known("tag", {"project_id": project_id, "name": tag}, {}) for tag in admission.spec.tags),
        *(
            known("backend", {"project_id": project_id, "name": backend.name}, {"description": backend.description})
            for backend in catalogue.backends
        ),
        *(
            known(
                "task",
                {"project_id": project_id, "name": task.name, "catalogue_hash": catalogue.hash, "image": image},
                {
                    "backend": None,
                    "description": task.description,
                    "task_type": task.kind.value.lower(),
                    "input_parameters": {each.name: {"unit": each.unit} for each in task.inputs},
                    "output_parameters": {
                        each.name: {"unit": each.unit, "description": each.description} for each in task.outputs
                    },
                    "run_parameters": {
                        each.name: each.model_dump(mode="json", by_alias=False, exclude_defaults=True)
                        for each in task.run_parameters
                    },
                },
            )
            for task in tasks
        ),
    ]
