"""The labs there are: the one place that knows who implements the protocol."""

from __future__ import annotations

from kubecal.cli.place import Place, Where
from kubecal.lab.lab import Lab


def open_lab(place: Place) -> Lab:
    """The lab of a place, to be used as an asynchronous context manager.

    Raises
    ------
    LabError
        If it cannot be opened.
    """
    if place.where is Where.LOCAL:
        # Here, because a verb that asks a cluster needs nothing of it.
        from kubecal.local.lab import LocalLab

        return LocalLab(mongo_uri=place.mongo_uri)
    from kubecal.cluster.lab import ClusterLab

    return ClusterLab(
        namespace=place.namespace,
        chosen=place.context,
        operator_namespace=place.operator_namespace,
        release=place.release,
    )
