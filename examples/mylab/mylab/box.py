"""A controller box in the lab's network that plays pulse programs: a line of JSON to it, a line of JSON back.

This module stays light: every pod imports it before anything heavy is needed, for the box's line in the catalogue.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kubecal.api.catalogue import CatalogueBackend
from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.base import Backend, BackendFactory, BackendUnusable


class BoxConfig(BaseModel):
    """``Chip.spec.backend.config``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="Name or address of the box.")
    port: int = Field(default=5025, ge=1, le=65535)
    seconds: float = Field(default=10.0, gt=0, le=3600, description="How long the box may be silent.")


def _entry() -> CatalogueBackend:
    return CatalogueBackend(
        name="box", description="A controller box over TCP", config_schema=BoxConfig.model_json_schema()
    )


def _open(request: TaskRequest) -> Backend:
    try:
        config = BoxConfig.model_validate(request.chip.backend_config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in ("backend.config", *first["loc"]))
        raise BackendUnusable(f"{field}: {first['msg'].lower()}") from error
    from mylab.box_backend import BoxBackend  # numpy comes with it

    return BoxBackend(request, config)


create = BackendFactory(entry=_entry, open=_open)
