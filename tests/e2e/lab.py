"""A lab as its people see it: kubectl on one side, the database on the other.

Everything here goes through the real protocols: manifests are applied with kubectl, records are read with a
MongoDB client through a port-forward.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml
from pymongo import MongoClient

from tests.cluster.kind import KindCluster

FINAL_PHASES = ("Completed", "PartiallyFailed", "Failed", "Cancelled")
DATABASE = "kubecal"

T = TypeVar("T")


def wait_for(what: Callable[[], T], until: Callable[[T], object], described: str, timeout_s: float = 60) -> T:
    """Look until it is as wanted, and say what was seen last when it never was."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = what()
        if until(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{described} did not happen within {timeout_s:.0f} s; last seen: {seen}")
        time.sleep(0.2)


@dataclass(frozen=True)
class Lab:
    """One served namespace of a cluster with kubecal installed."""

    cluster: KindCluster
    namespace: str
    uri: str
    """Of the database, from here."""
    database: MongoClient[dict[str, Any]] = field(repr=False)

    # ------------------------------------------------------------------ manifests

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """`kubectl apply` of all documents as one file."""
        text = yaml.safe_dump_all(documents)
        self.cluster.kubectl("apply", "-n", self.namespace, "-f", "-", given=text)

    def delete_session(self, name: str, *, wait: bool = False) -> None:
        """`kubectl delete cals NAME`."""
        self.cluster.kubectl("delete", "cals", name, "-n", self.namespace, f"--wait={str(wait).lower()}")

    def clear(self) -> None:
        """Remove all sessions and chips, and wait until they are gone.

        Executions of earlier tests stay in the database; the newest one of a name is the one that is meant.
        """
        self.cluster.kubectl("delete", "cals", "--all", "-n", self.namespace, "--timeout=90s")
        self.cluster.kubectl("delete", "chips.kubecal.io", "--all", "-n", self.namespace, "--timeout=30s")
        self.cluster.kubectl("delete", "configmap", "mylab-catalogue", "-n", self.namespace, "--ignore-not-found")

    # ------------------------------------------------------------------ what the cluster says

    def get(self, kind: str, name: str = "", *arguments: str) -> dict[str, Any]:
        """An object, or a list, as JSON."""
        words = [name] if name else []
        text = self.cluster.kubectl("get", kind, *words, "-n", self.namespace, "-o", "json", *arguments)
        parsed: dict[str, Any] = json.loads(text)
        return parsed

    def status(self, session: str) -> dict[str, Any]:
        """The session's status; empty while nobody has written one."""
        status: dict[str, Any] = self.get("cals", session).get("status", {})
        return status

    def condition(self, session: str, kind: str) -> dict[str, Any]:
        """One condition of the session; empty when it has none of that type."""
        conditions = self.status(session).get("conditions", [])
        return next((one for one in conditions if one["type"] == kind), {})

    def pods(self, session: str) -> list[dict[str, Any]]:
        """The task pods of a session that exist now."""
        items: list[dict[str, Any]] = self.get("pods", "", "-l", f"kubecal.io/session={session}")["items"]
        return items

    def wait_phase(self, session: str, *phases: str, timeout_s: float = 120) -> dict[str, Any]:
        """Wait until the session is in one of the phases; fails at once when it ended in another one."""

        def reached(status: dict[str, Any]) -> bool:
            phase = status.get("phase")
            if phase in FINAL_PHASES and phase not in phases:
                raise AssertionError(f"{session} ended as {phase}, not {phases}: {json.dumps(status, indent=1)}")
            return phase in phases

        return wait_for(lambda: self.status(session), reached, f"{session} in phase {phases}", timeout_s)

    def wait_gone(self, session: str, timeout_s: float = 60) -> None:
        """Wait until the session's object is gone."""
        wait_for(
            lambda: [item["metadata"]["name"] for item in self.get("cals")["items"]],
            lambda names: session not in names,
            f"{session} gone",
            timeout_s,
        )

    # ------------------------------------------------------------------ what the database says

    def execution(self, session: str) -> dict[str, Any]:
        """The newest execution document of a session of that name."""
        found = self.database[DATABASE].execution_history.find_one(
            {"note.session.name": session, "note.session.namespace": self.namespace}, sort=[("execution_id", -1)]
        )
        assert found is not None, f"no execution of session {session} in MongoDB"
        return found

    def rows(self, session: str) -> list[dict[str, Any]]:
        """All attempts of the session's newest execution."""
        execution = self.execution(session)
        return list(
            self.database[DATABASE].task_result_history.find(
                {"project_id": execution["project_id"], "execution_id": execution["execution_id"]}
            )
        )


@contextlib.contextmanager
def port_forward(cluster: KindCluster, namespace: str, resource: str, port: int) -> Iterator[int]:
    """A local port that leads to a port of a Service or pod, for as long as the context lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        local = free.getsockname()[1]
    command = [str(cluster.tools / "kubectl"), "port-forward", "-n", namespace, resource, f"{local}:{port}"]
    process = subprocess.Popen(
        command, env={**cluster.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: _answers(local) or process.poll(), bool, f"a port-forward to {resource}", 30)
        if process.poll() is not None:
            raise AssertionError(f"kubectl port-forward to {resource} ended: {process.communicate()[1]}")
        yield local
    finally:
        process.terminate()
        process.communicate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
