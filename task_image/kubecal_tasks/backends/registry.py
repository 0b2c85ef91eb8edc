"""Which backends are installed: entry points of the group ``kubecal.backends``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from kubecal.api.catalogue import CatalogueBackend
from kubecal.api.request import TaskRequest
from kubecal_tasks.backends.base import Backend, BackendFactory, BackendUnusable

ENTRY_POINT_GROUP = "kubecal.backends"


def open_backend(request: TaskRequest) -> Backend:
    """The backend of a request's chip, bound to the request; nothing is connected yet.

    Raises
    ------
    BackendUnusable
        If it is not installed, or does not accept its configuration.
    """
    return load_backend(request.chip.backend).open(request)


def load_backend(name: str) -> BackendFactory:
    """An installed backend by name.

    Raises
    ------
    BackendUnusable
        If there is none of that name.
    """
    points = _points()
    if name not in points:
        known = ", ".join(sorted(points)) or "none"
        raise BackendUnusable(f"there is no backend {name!r} in this image, which has {known}: correct backend.name")
    factory = points[name].load()
    if not isinstance(factory, BackendFactory):
        raise BackendUnusable(f"backend {name!r} ({points[name].value}) is no BackendFactory: correct its entry point")
    return factory


def backend_entries() -> Iterator[CatalogueBackend]:
    """What the catalogue says of every installed backend, by name.

    Raises
    ------
    BackendUnusable
        If an entry point calls itself differently from its catalogue entry.
    """
    for name in sorted(_points()):
        entry = load_backend(name).entry()
        if entry.name != name:
            raise BackendUnusable(f"entry point {name!r} describes backend {entry.name!r}: give both the same name")
        yield entry


@cache
def _points() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
