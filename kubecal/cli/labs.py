"""The labs there are: the one place that knows who implements the protocol."""

from __future__ import annotations

from collections.abc import Callable

from kubecal.cli.place import Place, Where
from kubecal.lab.lab import Lab


def open_lab(place: Place, notice: Callable[[str], None]) -> Lab:
    """The lab of a place, to be used as an asynchronous context manager.

    Parameters
    ----------
    notice
        Told in a sentence what happens besides.

    Raises
    ------
    LabError
        If it cannot be opened.
    """
    # Each where it is needed: a verb waits for nothing that the other lab is made of.
    if place.where is Where.LOCAL:
        from kubecal.local.lab import LocalLab

        return LocalLab(mongo_uri=place.mongo_uri, notice=notice)
    from kubecal.cluster.lab import ClusterLab

    return ClusterLab(
        namespace=place.namespace,
        chosen=place.context,
        operator_namespace=place.operator_namespace,
        release=place.release,
    )
