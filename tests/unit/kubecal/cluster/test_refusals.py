"""What the API server and our services refuse, in words that people can act on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubecal.cluster.api import ApiServer, Refusal, UnreachableError, _refusal
from kubecal.cluster.services import NotAskedError, Service

MALLORY = (
    'x is forbidden: User "mallory" cannot {verb} resource "{resource}" in API group "kubecal.io" in the '
    'namespace "lab"'
)


def invalid(*causes: tuple[str, str]) -> Refusal:
    told = {"causes": [{"field": field, "message": message} for field, message in causes]}
    return Refusal(422, "Invalid", 'CalibrationSession.kubecal.io "morning" is invalid: many things', told)


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            Refusal(403, "Forbidden", MALLORY.format(verb="create", resource="calibrationsessions")),
            "user 'mallory' may not create calibrationsessions in namespace 'lab': "
            "ask for the ClusterRole kubecal-experimenter there",
        ),
        (
            Refusal(403, "Forbidden", MALLORY.format(verb="patch", resource="chips")),
            "user 'mallory' may not patch chips in namespace 'lab': ask for the ClusterRole kubecal-admin there",
        ),
        (
            Refusal(403, "Forbidden", MALLORY.format(verb="watch", resource="chips")),
            "user 'mallory' may not watch chips in namespace 'lab': ask for the ClusterRole kubecal-viewer there",
        ),
        (Refusal(403, "Forbidden", "exceeded quota: pods"), "exceeded quota: pods"),
        (
            invalid(
                ("spec", 'Invalid value: "object": steps cannot be changed: append them'),
                ("spec.note", 'Invalid value: "string": spec.note is too long: shorten it'),
                ("spec", 'Invalid value: "object": steps cannot be changed: append them'),
            ),
            "spec: steps cannot be changed: append them; spec.note is too long: shorten it",
        ),
        (invalid(("spec.cancel", "Forbidden: cancel cannot be undone")), "spec.cancel: cancel cannot be undone"),
        (
            invalid(("spec.tags", 'Invalid value: {"a":"b: c"}: tags are texts')),
            "spec.tags: tags are texts",
        ),
        (
            invalid(("patch", 'Invalid value: "[{}]": strict decoding error: unknown field "spec.not"')),
            'unknown field "spec.not"',
        ),
        (Refusal(422, "Invalid", 'Chip.kubecal.io "a" is invalid: spec: wrong'), "spec: wrong"),
        (
            Refusal(
                400,
                "BadRequest",
                'CalibrationSession in version "v1alpha1" cannot be handled as a CalibrationSession: '
                'strict decoding error: unknown field "spec.not"',
            ),
            'unknown field "spec.not"',
        ),
    ],
)
def test_a_refusal_is_said_without_what_it_is_wrapped_in(refusal: Refusal, sentence: str) -> None:
    assert refusal.sentence == sentence


@pytest.mark.parametrize(
    ("text", "answered", "kind", "sentence"),
    [
        (
            "dial tcp 10.0.0.1:6443: connect: connection refused\n",
            False,
            UnreachableError,
            "the cluster does not answer (dial tcp 10.0.0.1:6443: connect: connection refused)",
        ),
        (
            "dial tcp 127.0.0.1:8080: connect: connection refused\n",
            False,
            UnreachableError,
            "the cluster does not answer (dial tcp 127.0.0.1:8080: connect: connection refused): "
            "is there a kubeconfig?",
        ),
        ("404 page not found\n", True, Refusal, "404 page not found"),
        ("[]", True, Refusal, "[]"),
    ],
)
def test_kubectls_own_word_is_told_from_the_servers(
    text: str, answered: bool, kind: type[Exception], sentence: str
) -> None:
    error = _refusal(500, text.encode(), answered=answered)
    assert type(error) is kind
    assert str(error) == sentence


class Answering(ApiServer):
    """An API server that refuses in one way."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(Path("/nowhere"))
        self.asked = ""
        self._refuses = refusal

    async def get(self, path: str, **query: str) -> bytes:
        self.asked = path
        raise self._refuses


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            (404, "NotFound", 'services "kubecal-api" not found'),
            "there is no kubecal-api in namespace 'kubecal' (no Service 'kubecal-api'): say where kubecal is with "
            "--operator-namespace and --release, or upgrade it: it comes with the chart",
        ),
        (
            (503, "ServiceUnavailable", 'no endpoints available for service "http:kubecal-api:"'),
            "kubecal-api in namespace 'kubecal' is not ready: see kubectl get pods -n kubecal",
        ),
        (
            (403, "Forbidden", 'services "kubecal-api:http" is forbidden: User "m" cannot get resource'),
            "you may not ask kubecal-api: you need the right to get services/proxy in namespace 'kubecal', which the "
            'ClusterRole kubecal-viewer gives there (services "kubecal-api:http" is forbidden: User "m" cannot get '
            "resource)",
        ),
        (
            (503, "ServiceUnavailable", "error trying to reach service: dial tcp: i/o timeout"),
            "kubecal-api in namespace 'kubecal' does not answer the API server: error trying to reach service: dial "
            "tcp: i/o timeout",
        ),
        ((404, "", "404: Not Found"), "kubecal-api in namespace 'kubecal' does not know this question: upgrade it"),
    ],
)
async def test_a_service_that_cannot_be_asked_says_why(refusal: tuple[Any, ...], sentence: str) -> None:
    api = Answering(Refusal(*refusal))
    with pytest.raises(NotAskedError) as not_asked:
        await Service(api, "kubecal", "kubecal", "api").get("v1/chips")
    assert str(not_asked.value) == sentence
    assert api.asked == "/api/v1/namespaces/kubecal/services/kubecal-api:http/proxy/v1/chips"


async def test_what_the_service_itself_says_stays_its_own_word() -> None:
    refusal = Refusal(404, "NotFound", "there is no execution '1' here: there is none yet")
    with pytest.raises(Refusal) as told:
        await Service(Answering(refusal), "kubecal", "kubecal", "api").get("v1/executions/1")
    assert told.value is refusal
