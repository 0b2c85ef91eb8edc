"""Which lab a command speaks to: a cluster or this computer, said and never guessed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

LAB_VARIABLE = "KUBECAL_LAB"
MONGO_VARIABLE = "KUBECAL_MONGO_URI"
_PLUGIN = "kubectl-kubecal"
_RELEASE = "kubecal"


class Where(StrEnum):
    """The two kinds of labs."""

    LOCAL = "local"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class Place:
    """The lab a command speaks to."""

    where: Where
    namespace: str = ""
    """On the cluster; empty: the one of the context."""
    context: str = ""
    """Of the kubeconfig; empty: the current one."""
    operator_namespace: str = _RELEASE
    release: str = _RELEASE
    """The operator's Helm release."""
    mongo_uri: str = ""
    """Of this computer's records; empty: the embedded server."""

    def again(self, *words: str) -> str:
        """A command line that speaks to the same lab, for messages: ``kubecal watch morning -n lab``."""
        program = invoked_as(sys.argv)
        options = [f"-n {self.namespace}"] if self.namespace else []
        options += [f"--context {self.context}"] if self.context else []
        if self.where is Where.CLUSTER and not options and program == "kubecal":
            options = ["--cluster"]
        return " ".join([program, *words, *options])


class PlaceError(Exception):
    """What is said about the lab contradicts itself; the message says how."""


@dataclass(frozen=True)
class Said:
    """What the command line says about the lab; empty: nothing."""

    cluster: bool = False
    local: bool = False
    namespace: str = ""
    context: str = ""
    operator_namespace: str = ""
    release: str = ""
    mongo_uri: str = ""


def invoked_as(arguments: Sequence[str]) -> str:
    """``kubectl kubecal`` or ``kubecal``: what the user typed."""
    return "kubectl kubecal" if arguments and Path(arguments[0]).name == _PLUGIN else "kubecal"


def chosen_place(
    said: Said, environment: Mapping[str, str] = os.environ, arguments: Sequence[str] | None = None
) -> Place:
    """The lab, from the command line, how it was called, and the environment, in this order.

    Raises
    ------
    PlaceError
        If what is said contradicts itself.
    """
    cluster = _options(said, "cluster", "namespace", "context", "operator_namespace", "release")
    here = _options(said, "local", "mongo_uri")
    if cluster and here:
        raise PlaceError(f"{here[0]} is about this computer and {cluster[0]} about a cluster: give one of them")
    plugin = invoked_as(sys.argv if arguments is None else arguments) != "kubecal"
    if cluster or (not here and (plugin or _set(environment) is Where.CLUSTER)):
        return Place(
            Where.CLUSTER, said.namespace, said.context, said.operator_namespace or _RELEASE, said.release or _RELEASE
        )
    return Place(Where.LOCAL, mongo_uri=said.mongo_uri or environment.get(MONGO_VARIABLE, ""))


def _options(said: Said, *names: str) -> list[str]:
    return ["--" + name.replace("_", "-") for name in names if getattr(said, name)]


def _set(environment: Mapping[str, str]) -> Where:
    """What the environment says; nothing means this computer."""
    value = environment.get(LAB_VARIABLE, "") or Where.LOCAL
    try:
        return Where(value)
    except ValueError:
        raise PlaceError(f"the environment variable {LAB_VARIABLE} is {value!r}: set cluster or local") from None
