"""A namespace with an operator of its own: what a person applies, what they see, and what the server wrote down."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kubecal.records.store import RecordStore
from kubecal_operator import names
from kubecal_operator.client import ApiClient
from kubecal_operator.errors import ApiError
from tests.cluster.audit import AuditEvent
from tests.cluster.control_plane import ControlPlane
from tests.cluster.process import spawn, tail
from tests.controller.podsim import NODE

Json = dict[str, Any]
FINAL = ("Completed", "PartiallyFailed", "Failed", "Cancelled")
ROOT = Path(__file__).parents[2]
_PROGRAM = Path(sys.executable).parent / "kubecal-operator"
SIX = ("CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CheckRamsey", "CheckT1", "CheckT2Echo")


class Process(Protocol):
    """What a lab asks of a process, however it was started."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


@dataclass
class OperatorProcess:
    """One replica, as its own process with its own rights."""

    process: Process
    log: Path
    port: int

    def kill(self) -> None:
        """SIGKILL: no time to say goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM, and wait for its end; the exit code."""
        self.process.terminate()
        return self.process.wait(20)

    def probe(self, path: str) -> int:
        """What a probe answers; 0: nobody does."""
        return self._get(path)[0]

    def ask(self, path: str) -> tuple[int, Json]:
        """What it answers in JSON; 0: nobody does."""
        code, text = self._get(path)
        return code, json.loads(text) if code else {}

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")


@dataclass
class Node:
    """A node that is nothing but its object."""

    api: ApiClient
    path: str

    async def lose(self) -> None:
        """Its kubelet does not report any more."""
        await self._ready("Unknown")

    async def out_of_service(self) -> None:
        """A person says that the machine is off."""
        taint = {"key": names.OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"}
        await self.api.merge(self.path, {"spec": {"taints": [taint]}})

    async def _ready(self, status: str) -> None:
        condition = {"type": "Ready", "status": status, "reason": "Simulated"}
        await self.api.merge(f"{self.path}/status", {"status": {"conditions": [condition]}})


@dataclass
class Lab:
    """One served namespace."""

    control_plane: ControlPlane
    api: ApiClient
    namespace: str
    mongodb_uri: str
    folder: Path
    kubeconfig: Path
    """The operator's own, with the rights of the chart."""
    audit_from: int
    operators: list[OperatorProcess] = field(default_factory=list)
    served_too: tuple[str, ...] = ()
    """Further namespaces that its operators serve."""

    # ------------------------------------------------------------------ operators

    def start_operator(self, identity: str = "operator-0", **environment: str) -> OperatorProcess:
        """Start a replica; two of one identity are one pod that was restarted."""
        port = free_port()
        given = {**self._environment(identity, port), **environment}
        log = self.folder / f"{identity}-{len(self.operators)}.log"
        process = spawn([_PROGRAM, "run"], log, environment=given, on_death=signal.SIGKILL)
        operator = OperatorProcess(process, log, port)
        self.operators.append(operator)
        return operator

    def release(self) -> int:
        """What the chart runs before an uninstallation; the exit code."""
        log = self.folder / "release.log"
        environment = self._environment("release", free_port())
        return spawn([_PROGRAM, "release"], log, environment=environment).wait(30)

    def write_uri(self, uri: str) -> None:
        """Change the mounted Secret under a running operator."""
        self.mongodb_uri = uri
        (self.folder / "uri").write_text(uri)

    def _environment(self, identity: str, port: int) -> dict[str, str]:
        self.write_uri(self.mongodb_uri)
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECAL_NAMESPACES": ",".join((self.namespace, *self.served_too)),
            "KUBECAL_OPERATOR_NAMESPACE": system_namespace(self.namespace),
            "KUBECAL_LEASE_NAME": "kubecal-operator",
            "KUBECAL_POD_NAME": identity,
            "KUBECAL_LOG_LEVEL": os.environ.get("KUBECAL_TEST_LOG_LEVEL", "info"),
            "KUBECAL_MONGODB_URI_FILE": str(self.folder / "uri"),
            "KUBECAL_CATALOGUE_FILE": str(ROOT / "kubecal" / "api" / "catalogue.json"),
            "KUBECAL_TASK_IMAGE": "kubecal/tasks:test",
            "KUBECAL_SCOPE": f"{self.namespace}/kubecal",
            "KUBECAL_PROBE_PORT": str(port),
        }

    def end(self) -> None:
        """End what still runs."""
        for operator in self.operators:
            if operator.process.poll() is None:
                operator.kill()

    # ------------------------------------------------------------------ manifests

    async def apply_chip(self, name: str = "fridge-a", **spec: Any) -> None:
        """Create a simulated chip of 2 x 2 qubits, unless told otherwise."""
        topology = {"squareLattice": {"rows": 2, "columns": 2, "muxSize": 4}}
        body = {"topology": topology, "backend": {"name": "fake", "config": {"seed": 7}}, **spec}
        await self._create(names.CHIPS, "Chip", name, body)

    async def apply_session(self, name: str = "morning", *, tasks: tuple[str, ...] = SIX, **spec: Any) -> None:
        """Create a session of all qubits, unless told otherwise."""
        steps = [{"name": "check", "tasks": [{"task": task} for task in tasks]}]
        body: Json = {"chip": "fridge-a", "targets": {"all": True}, "steps": steps, **spec}
        await self._create(names.SESSIONS, "CalibrationSession", name, body)

    async def _create(self, plural: str, kind: str, name: str, spec: Json) -> None:
        version = f"{names.GROUP}/{names.VERSION}"
        path = names.custom(self.namespace, plural, "").rstrip("/")
        await self.api.create(path, {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})

    async def patch_session(self, name: str, spec: Json) -> None:
        """`kubectl patch`."""
        await self.api.merge(names.custom(self.namespace, names.SESSIONS, name), {"spec": spec})

    async def delete_session(self, name: str = "morning") -> None:
        """`kubectl delete cals NAME --wait=false`."""
        path = names.custom(self.namespace, names.SESSIONS, name)
        await self.api.delete(path, {"propagationPolicy": "Background"})

    # ------------------------------------------------------------------ the cluster around it

    @contextlib.asynccontextmanager
    async def node(self) -> AsyncIterator[Node]:
        """The simulator's node as an object, for tests in which it gets lost."""
        node = Node(self.api, f"/api/v1/nodes/{NODE}")
        await self.api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        try:
            await node._ready("True")
            yield node
        finally:
            await self.api.delete(node.path, {})

    async def operator_role(self) -> Json:
        """What the operator may do in the served namespace."""
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}/roles"
        roles = (await self.api.list_all(path))[0]
        kept = ("metadata", "rules")
        role = next(role for role in roles if any("pods" in rule["resources"] for rule in role["rules"]))
        return {key: role[key] for key in kept}

    async def write_role(self, role: Json) -> None:
        """Change what it may do."""
        name = role["metadata"]["name"]
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}/roles/{name}"
        await self.api.merge(path, {"rules": role["rules"]})

    async def lease_holder(self) -> str:
        """Who leads; empty: nobody."""
        try:
            lease = await self.api.get(names.lease(system_namespace(self.namespace), "kubecal-operator"))
        except ApiError as error:
            if error.not_found:
                return ""
            raise
        holder: str = lease["spec"].get("holderIdentity", "")
        return holder

    # ------------------------------------------------------------------ what is seen

    async def session(self, name: str = "morning") -> Json | None:
        """The object; None: there is none."""
        try:
            return await self.api.get(names.custom(self.namespace, names.SESSIONS, name))
        except ApiError as error:
            if error.not_found:
                return None
            raise

    async def status(self, name: str = "morning") -> Json:
        """The session's status; empty while nobody has written one."""
        body = await self.session(name)
        status: Json = (body or {}).get("status", {})
        return status

    async def chip_status(self, name: str = "fridge-a") -> Json:
        """The chip's status."""
        body = await self.api.get(names.custom(self.namespace, names.CHIPS, name))
        status: Json = body.get("status", {})
        return status

    async def chip_holders(self, name: str = "fridge-a") -> list[str]:
        """The sessions that hold the chip."""
        return [one["session"] for one in (await self.chip_status(name)).get("holders", [])]

    async def pods(self) -> list[Json]:
        """The task pods there are."""
        return (await self.api.list_all(names.pods(self.namespace)))[0]

    async def rows(self) -> list[Json]:
        """All rows of task_result_history of this lab's database."""
        return await self.documents("task_result_history")

    async def executions(self) -> list[Json]:
        """All documents of execution_history of this lab's database."""
        return await self.documents("execution_history")

    async def documents(self, collection: str) -> list[Json]:
        """All documents of a collection of this lab's database."""
        store = RecordStore(self.mongodb_uri)
        try:
            async with store.connected() as database:
                return await database[collection].find({}).to_list()
        finally:
            await store.close()

    # ------------------------------------------------------------------ waiting

    async def until(self, holds: Callable[[], Any], described: str, timeout_s: float = 30) -> Any:
        """Wait until an asynchronous question is answered with something true, and return that."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = await holds()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{described} did not happen within {timeout_s:.0f} s\n{await self.account()}")
            self._alive()
            await asyncio.sleep(0.05)

    async def phase(self, *phases: str, name: str = "morning", timeout_s: float = 30) -> Json:
        """Wait until the session is in one of the phases; its status then."""

        async def reached() -> Json | None:
            status = await self.status(name)
            phase = status.get("phase")
            assert phase not in FINAL or phase in phases, f"{name} ended as {phase}: {status}\n{self._said()}"
            return status if phase in phases else None

        status: Json = await self.until(reached, f"phase {' or '.join(phases)} of {name}", timeout_s)
        return status

    async def condition(self, kind: str, reason: str, *, name: str = "morning", timeout_s: float = 20) -> Json:
        """Wait until the session has a condition with this reason."""

        async def reached() -> Json | None:
            conditions = (await self.status(name)).get("conditions", [])
            return next((one for one in conditions if (one["type"], one["reason"]) == (kind, reason)), None)

        condition: Json = await self.until(reached, f"{kind} with reason {reason} of {name}", timeout_s)
        return condition

    async def gone(self, name: str = "morning", timeout_s: float = 30) -> None:
        """Wait until the session is no more."""

        async def is_gone() -> bool:
            return await self.session(name) is None

        await self.until(is_gone, f"the end of {name}", timeout_s)

    def _alive(self) -> None:
        for operator in self.operators:
            code = operator.process.poll()
            if code is not None and code > 0:
                raise AssertionError(f"an operator ended by itself with code {code}:\n{tail(operator.said)}")

    async def account(self) -> str:
        """How things stand, for whoever reads a failure."""
        sessions = (await self.api.list_all(names.custom(self.namespace, names.SESSIONS, "").rstrip("/")))[0]
        pods = [f"{pod['metadata']['name']} {pod['status'].get('phase')}" for pod in await self.pods()]
        states = [f"{one['metadata']['name']}: {one.get('status')}" for one in sessions]
        return "\n".join([*states, *pods[-20:], self._said()])

    def _said(self) -> str:
        return "\n".join(f"--- {operator.log.name}\n{tail(operator.said)}" for operator in self.operators)

    # ------------------------------------------------------------------ the audit log

    def audit(self) -> list[AuditEvent]:
        """What was written in this namespace since the test began."""
        events = self.control_plane.audit_events(self.audit_from)
        return [event for event in events if event.namespace == self.namespace]


def new_namespace() -> str:
    """A name nobody else uses."""
    return f"lab-{secrets.token_hex(4)}"


def system_namespace(namespace: str) -> str:
    """Where the operator that serves a namespace has its service account and its Lease."""
    return f"{namespace}-system"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def labels(pod: Mapping[str, Any]) -> tuple[str, str]:
    """(task, target) of a pod."""
    found = pod["metadata"]["labels"]
    return found[names.LABEL_TASK], found[names.LABEL_TARGET]
