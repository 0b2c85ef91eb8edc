"""What does the operator add to a chain of pods?

    python -m tests.bench.chain [--rounds 3]

Ten no-op tasks on one qubit, each to begin when the one before it has ended: once as a session, once as the same
ten pods (image, command, request, resources, their rows opened beforehand) that a script creates one by one, each as
soon as its watch shows the container of the one before `terminated`. Both kinds of chain alternate on one kind
cluster, and one watch times both: from the first pod's creation to the last container's end.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

from pymongo import MongoClient

from kubecal.api.request import REQUEST_VARIABLE, TaskRequest
from kubecal.records.documents import following_row
from kubecal_operator import names
from kubecal_operator.client import ApiClient
from tests.bench.figures import Figure, check
from tests.cluster.errors import ClusterError
from tests.cluster.kind import KindCluster
from tests.e2e.images import build_all
from tests.e2e.install import SERVED, install_chart, install_mongodb
from tests.e2e.lab import DATABASE, Lab, port_forward
from tests.e2e.manifests import chip, session

LENGTH = 10
MOST = 1.05
_LABEL = "kubecal.io/bench"
_AWAY_S = 120.0

Json = dict[str, Any]


@dataclass
class Chain:
    """What the watch saw of one chain."""

    created: dict[str, float] = field(default_factory=dict)
    """Monotonic time of each pod's creation, by name."""
    ended: dict[str, float] = field(default_factory=dict)
    """Monotonic time of each container's `terminated`."""
    pods: dict[str, Json] = field(default_factory=dict)
    """As the watch first showed them: the operator removes pods that have ended."""

    @property
    def seconds(self) -> float:
        """From the first creation to the last end."""
        return max(self.ended.values()) - min(self.created.values())

    def take(self, pod: Json) -> str:
        """A pod as the watch shows it; its name, if its container has just ended."""
        name, now = pod["metadata"]["name"], time.monotonic()
        self.created.setdefault(name, now)
        self.pods.setdefault(name, pod)
        states = [one.get("state", {}) for one in pod.get("status", {}).get("containerStatuses", ())]
        if name in self.ended or not any("terminated" in state for state in states):
            return ""
        exits = [state["terminated"]["exitCode"] for state in states]
        if any(exits):
            raise ClusterError(f"pod {name} exited with {exits}: {json.dumps(states)}")
        self.ended[name] = now
        return str(name)


@asynccontextmanager
async def _watched(client: ApiClient, selector: str) -> AsyncIterator[AsyncIterator[Json]]:
    """The pods with a label, from now on."""
    path = names.pods(SERVED)
    _, version = await client.list_all(path, labelSelector=selector)
    events = client.watch(path, version, labelSelector=selector)
    yield (event["object"] async for event in events if event["type"] in ("ADDED", "MODIFIED"))


async def by_session(lab: Lab, client: ApiClient, name: str) -> Chain:
    """The chain as a session."""
    chain = Chain()
    async with _watched(client, f"{names.LABEL_SESSION}={name}") as pods:
        lab.apply(session(name, ["Noop"] * LENGTH, qubits=["0"], mode="Serial"))
        async for pod in pods:
            chain.take(pod)
            if len(chain.ended) == LENGTH:
                break
    lab.wait_phase(name, "Completed")
    return chain


async def by_script(client: ApiClient, bodies: Sequence[Json]) -> Chain:
    """The chain as a script would have it."""
    chain = Chain()
    path, waiting = names.pods(SERVED), list(bodies)
    async with _watched(client, f"{_LABEL}={bodies[0]['metadata']['labels'][_LABEL]}") as pods:
        await client.create(path, waiting.pop(0))
        async for pod in pods:
            if chain.take(pod) and waiting:
                await client.create(path, waiting.pop(0))
            if len(chain.ended) == LENGTH:
                break
    return chain


def scripted_pods(lab: Lab, pods: Collection[Json], mark: str) -> Iterator[Json]:
    """The pods of a session once more, for a session that does not exist, with their rows opened."""
    attempts = lab.database[DATABASE].task_result_history
    for pod in sorted(pods, key=lambda one: _request(one).ordinal):
        request = _request(pod)
        again = request.model_copy(update={"session_uid": mark})
        row = attempts.find_one({"_id": request.task_id})
        if row is None:
            raise ClusterError(f"pod {pod['metadata']['name']} has no row in MongoDB")
        now = datetime.now(UTC)
        attempts.insert_one(following_row(row | {"session_uid": mark}, 1, again.task_id, again.task_id, now))
        yield _body(pod, again, mark)


def _body(pod: Json, request: TaskRequest, mark: str) -> Json:
    spec = copy.deepcopy(pod["spec"])
    for added in ("nodeName", "serviceAccount", "serviceAccountName", "priority", "preemptionPolicy"):
        spec.pop(added, None)
    variable = next(one for one in spec["containers"][0]["env"] if one["name"] == REQUEST_VARIABLE)
    variable["value"] = request.to_json()
    # Without the labels and the owner of a task pod the operator has nothing to do with it.
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"script-{mark}-{request.ordinal}", "labels": {_LABEL: mark}},
        "spec": spec,
    }


def _request(pod: Mapping[str, Any]) -> TaskRequest:
    values = {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}
    return TaskRequest.model_validate_json(str(values[REQUEST_VARIABLE]))


async def alternate(lab: Lab, rounds: int) -> list[tuple[float, float]]:
    """Both chains by turns; seconds of (session, script) of each round."""
    client = ApiClient()
    times: list[tuple[float, float]] = []
    try:
        for number in range(rounds):
            name, mark = f"chain-{number}", secrets.token_hex(5)
            measured = await asyncio.wait_for(by_session(lab, client, name), _AWAY_S)
            bodies = list(scripted_pods(lab, measured.pods.values(), mark))
            scripted = await asyncio.wait_for(by_script(client, bodies), _AWAY_S)
            rows = lab.database[DATABASE].task_result_history.count_documents(
                {"session_uid": mark, "status": "completed"}
            )
            if rows != LENGTH:
                raise ClusterError(f"{LENGTH - rows} of the script's {LENGTH} tasks stored no result")
            times.append((measured.seconds, scripted.seconds))
            print(f"round {number + 1}: session {measured.seconds:.2f} s, script {scripted.seconds:.2f} s", flush=True)
            lab.cluster.kubectl("delete", "pods", "-n", SERVED, "-l", f"{_LABEL}={mark}", "--wait=true")
            lab.delete_session(name, wait=True)
    finally:
        await client.close()
    return times


def figures(lab: Lab, rounds: int) -> Iterator[Figure]:
    """Run and compare."""
    lab.apply(chip(rows=2, columns=2))
    asyncio.run(alternate(lab, 1))  # warm: images mapped, connections open
    times = asyncio.run(alternate(lab, rounds))
    by_operator, by_hand = (median(column) for column in zip(*times, strict=True))
    yield Figure(f"chain of {LENGTH} no-op tasks as a session", by_operator, "s")
    yield Figure(f"the same {LENGTH} pods by a script", by_hand, "s")
    why = "the operator reacts to `terminated`, as the script does"
    yield Figure("session over script", by_operator / by_hand, "x", most=MOST, why=why)


def main() -> int:
    """A cluster, both chains, their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with KindCluster.ensure() as cluster:
        images = build_all(cluster.docker)
        cluster.load_images(images.tags)
        install_mongodb(cluster, images)
        install_chart(cluster, images)
        os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
        with port_forward(cluster, "kubecal-mongodb", "service/mongodb", 27017) as port:
            uri = f"mongodb://127.0.0.1:{port}/kubecal?directConnection=true"
            database: MongoClient[Json] = MongoClient(uri, tz_aware=True)
            lab = Lab(cluster=cluster, namespace=SERVED, uri=uri, database=database)
            lab.clear()
            try:
                return check(figures(lab, options.rounds))
            finally:
                lab.clear()
                database.close()


if __name__ == "__main__":
    sys.exit(main())
