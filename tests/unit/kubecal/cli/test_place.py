"""Which lab a command speaks to."""

from __future__ import annotations

import pytest

from kubecal.cli.place import Place, PlaceError, Said, Where, chosen_place

PLUGIN = ["/usr/local/bin/kubectl-kubecal", "get"]
PROGRAM = ["/usr/bin/kubecal", "get"]


@pytest.mark.parametrize(
    ("said", "environment", "arguments", "where"),
    [
        (Said(), {}, PROGRAM, Where.LOCAL),
        (Said(), {}, PLUGIN, Where.CLUSTER),
        (Said(), {"KUBECAL_LAB": "cluster"}, PROGRAM, Where.CLUSTER),
        (Said(), {"KUBECAL_LAB": "local"}, PROGRAM, Where.LOCAL),
        (Said(), {"KUBECAL_LAB": ""}, PROGRAM, Where.LOCAL),
        (Said(), {"KUBECAL_LAB": "local"}, PLUGIN, Where.CLUSTER),
        (Said(cluster=True), {"KUBECAL_LAB": "local"}, PROGRAM, Where.CLUSTER),
        (Said(namespace="lab"), {}, PROGRAM, Where.CLUSTER),
        (Said(context="kind"), {}, PROGRAM, Where.CLUSTER),
        (Said(local=True), {"KUBECAL_LAB": "cluster"}, PLUGIN, Where.LOCAL),
        (Said(mongo_uri="mongodb://host"), {"KUBECAL_LAB": "cluster"}, PROGRAM, Where.LOCAL),
        (Said(cluster=True), {"KUBECAL_MONGO_URI": "mongodb://host"}, PROGRAM, Where.CLUSTER),
    ],
)
def test_what_is_typed_wins_over_how_it_is_called_and_that_over_the_environment(
    said: Said, environment: dict[str, str], arguments: list[str], where: Where
) -> None:
    assert chosen_place(said, environment, arguments).where is where


def test_a_lab_has_all_that_was_said_about_it() -> None:
    said = Said(namespace="lab", context="kind", operator_namespace="ops", release="blue")
    assert chosen_place(said, {}, PROGRAM) == Place(Where.CLUSTER, "lab", "kind", "ops", "blue")
    assert chosen_place(Said(), {"KUBECAL_MONGO_URI": "mongodb://host"}, PROGRAM).mongo_uri == "mongodb://host"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            Said(local=True, namespace="lab"),
            "--local is about this computer and --namespace about a cluster: give one of them",
        ),
        (
            Said(mongo_uri="mongodb://host", operator_namespace="ops"),
            "--mongo-uri is about this computer and --operator-namespace about a cluster: give one of them",
        ),
    ],
)
def test_contradictions_are_named(said: Said, sentence: str) -> None:
    with pytest.raises(PlaceError, match=sentence):
        chosen_place(said, {}, PROGRAM)


def test_an_environment_that_is_mistyped_is_named() -> None:
    with pytest.raises(PlaceError, match="the environment variable KUBECAL_LAB is 'cloud': set cluster or local"):
        chosen_place(Said(), {"KUBECAL_LAB": "cloud"}, PROGRAM)


@pytest.mark.parametrize(
    ("place", "arguments", "line"),
    [
        (Place(Where.LOCAL), PROGRAM, "kubecal watch morning"),
        (Place(Where.CLUSTER), PROGRAM, "kubecal watch morning --cluster"),
        (Place(Where.CLUSTER), PLUGIN, "kubectl kubecal watch morning"),
        (Place(Where.CLUSTER, "lab", "kind"), PROGRAM, "kubecal watch morning -n lab --context kind"),
        (Place(Where.CLUSTER, "lab"), PLUGIN, "kubectl kubecal watch morning -n lab"),
    ],
)
def test_a_message_names_a_command_for_the_same_lab(
    monkeypatch: pytest.MonkeyPatch, place: Place, arguments: list[str], line: str
) -> None:
    monkeypatch.setattr("sys.argv", arguments)
    assert place.again("watch", "morning") == line
