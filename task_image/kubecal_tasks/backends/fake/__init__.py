"""The simulated chip: programs run on hidden truth, and raw IQ data come back.

This module stays light: the catalogue is read in every pod before anything heavy is needed.
"""

from __future__ import annotations

from kubecal.api.catalogue import CatalogueBackend
from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.base import Backend, BackendFactory
from kubecal_tasks.backends.fake.config import FakeConfig, read_config

NAME = "fake"


def _entry() -> CatalogueBackend:
    return CatalogueBackend(
        name=NAME,
        description="A simulated chip with hidden truth, shot noise, drift and faults on demand",
        config_schema=FakeConfig.model_json_schema(by_alias=True),
        takes_clock=True,
        simulated=True,
    )


def _open(request: TaskRequest) -> Backend:
    config = read_config(request)
    from kubecal_tasks.backends.fake.backend import FakeBackend  # numpy comes with it

    return FakeBackend(request, config)


create = BackendFactory(entry=_entry, open=_open)
