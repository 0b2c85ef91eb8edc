"""What the chart makes of its values, and which it refuses with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.binaries import installed
from tests.cluster.errors import ClusterError
from tests.cluster.process import run

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "kubecal"
URI = "mongodb://db:27017/kubecal?replicaSet=rs0"


def made(*templates: str, release: str = "kubecal", namespace: str = "kubecal", **values: Any) -> list[dict[str, Any]]:
    """Objects of some templates, or of all; Any: values and manifests."""
    return [
        one for one in yaml.safe_load_all(rendered(*templates, release=release, namespace=namespace, **values)) if one
    ]


def rendered(*templates: str, release: str = "kubecal", namespace: str = "kubecal", **values: Any) -> str:
    words: list[str | Path] = ["template", release, CHART, "--namespace", namespace]
    for template in templates:
        words += ["--show-only", f"templates/{template}"]
    return run([installed("helm"), *words, "--values", "-"], given=json.dumps(values).encode())


def named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {
        f"{one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one
        for one in objects
        if one["kind"] == kind
    }


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "kubecal needs a MongoDB replica set: set mongodb.uri"),
        (
            {"mongodb": {"uri": URI, "existingSecret": "db"}},
            "mongodb.uri and mongodb.existingSecret are both set: keep one",
        ),
        (
            {"mongodb": {"uri": URI, "deploy": True}},
            "mongodb.deploy makes a MongoDB of the chart's own, and mongodb.uri",
        ),
        (
            {"mongodb": {"uri": URI}, "api": {"networkPolicy": {"enabled": True}}},
            "api.networkPolicy.enabled without api.networkPolicy.from would let nobody in",
        ),
        (
            {"mongodb": {"uri": URI}, "people": {"viewers": [{"kind": "Everybody", "name": "a"}]}},
            "/people/viewers/0/kind",
        ),
        ({"mongodb": {"uri": URI}, "people": {"owners": []}}, "'owners' not allowed"),
        ({"mongodb": {"deploy": True, "storage": {"size": "much"}}}, "/mongodb/storage/size"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClusterError) as refused:
        rendered(**values)
    assert sentence in " ".join(str(refused.value).split())


def test_pods_that_read_records_have_no_rights_of_their_own() -> None:
    objects = made("api.yaml", "mongodb.yaml", mongodb={"deploy": True})
    pods = [one["spec"]["template"]["spec"] for one in objects if "template" in one["spec"]]
    assert len(pods) == 2
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        assert "serviceAccountName" not in pod
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_charts_own_mongodb_is_what_the_secrets_name() -> None:
    objects = made("secret.yaml", mongodb={"deploy": True}, namespaces=["lab"])
    uris = {name: one["stringData"]["uri"] for name, one in named(objects, "Secret").items()}
    uri = "mongodb://kubecal-mongodb-0.kubecal-mongodb.kubecal.svc:27017/kubecal?replicaSet=rs0"
    assert uris == {"lab/kubecal-mongodb": uri, "kubecal/kubecal-mongodb": uri}
    (server,) = named(made("mongodb.yaml", mongodb={"deploy": True}), "StatefulSet").values()
    (container,) = server["spec"]["template"]["spec"]["containers"]
    member = {one["name"]: one["value"] for one in container["env"]}["KUBECAL_MEMBER"]
    assert f"//{member}/" in uri, "a replica set is known by the name that its only member gives itself"


def test_a_mongodb_that_is_named_is_the_only_one() -> None:
    kinds = {one["kind"] for one in made(mongodb={"uri": URI})}
    assert "StatefulSet" not in kinds


def test_people_are_bound_where_they_work_and_where_they_ask() -> None:
    alice = [{"kind": "Group", "name": "physicists"}]
    objects = made("people.yaml", mongodb={"uri": URI}, namespaces=["lab"], people={"experimenters": alice})
    bound = {name: one["roleRef"]["name"] for name, one in named(objects, "RoleBinding").items()}
    assert bound == {
        "lab/kubecal-experimenters": "kubecal-experimenter",
        "kubecal/kubecal-experimenters": "kubecal-viewer",
    }


@pytest.mark.parametrize(("release", "namespace", "role"), [("kubecal", "kubecal", "kubecal"), ("b", "a", "a-b")])
def test_roles_of_two_installations_have_names_of_their_own(release: str, namespace: str, role: str) -> None:
    objects = made("people.yaml", release=release, namespace=namespace, mongodb={"uri": URI})
    assert set(named(objects, "ClusterRole")) == {f"/{role}-{one}" for one in ("viewer", "experimenter", "admin")}


def test_nothing_for_people_is_aggregated_and_no_role_reads_secrets_or_makes_pods() -> None:
    roles = named(made("people.yaml", mongodb={"uri": URI}), "ClusterRole").values()
    for role in roles:
        assert "aggregationRule" not in role
        assert not any(label.startswith("rbac.authorization.k8s.io/") for label in role["metadata"]["labels"])
        for rule in role["rules"]:
            assert "secrets" not in rule["resources"]
            assert not ("pods" in rule["resources"] and "create" in rule["verbs"])
            assert "*" not in (*rule["resources"], *rule["verbs"])
            if "services/proxy" in rule["resources"]:
                assert rule["resourceNames"] == ["kubecal-api:http", "kubecal-operator:http"]
