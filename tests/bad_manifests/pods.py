"""Chips with one mistake each in what their pods may be."""

from __future__ import annotations

from tests.bad_manifests.table import bad_chip

_AMOUNT = "write an amount as Kubernetes does, like 2, 200m or 256Mi; with a point in quotes, like '0.5'"
_LABEL_VALUE = "a label's value has letters, digits, -, _ and ., and begins and ends with a letter or digit"
_IMAGE = {"name": "mylab", "image": "registry.example/mylab", "catalogue": "mylab-catalogue"}

BAD_PODS = (
    bad_chip(
        "an amount with a blank",
        {"spec.pods": {"resources": {"requests": {"cpu": "200 m"}}}},
        "spec.pods.resources.requests.cpu",
        _AMOUNT,
    ),
    bad_chip(
        "an amount below zero",
        {"spec.pods": {"resources": {"requests": {"cpu": -1}}}},
        "spec.pods.resources.requests.cpu",
        _AMOUNT,
    ),
    bad_chip(
        "an amount with a point",
        {"spec.pods": {"resources": {"limits": {"cpu": 0.5}}}},
        "spec.pods.resources.limits.cpu",
        _AMOUNT,
        "must be of type integer",
    ),
    bad_chip(
        "a label that is none",
        {"spec.pods": {"nodeSelector": {"kubecal.io/instruments": "fridge a"}}},
        "spec.pods.nodeSelector.kubecal.io/instruments",
        _LABEL_VALUE,
    ),
    bad_chip(
        "a label's key that is none",
        {"spec.pods": {"nodeSelector": {"of what": "a"}}},
        "spec.pods.nodeSelector.of what",
        "write label keys as Kubernetes does, like kubecal.io/instruments",
    ),
    bad_chip(
        "a toleration of everything with a value",
        {"spec.pods": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}},
        "spec.pods.tolerations[0]",
        "Exists has no value: remove value, or use operator Equal",
    ),
    bad_chip(
        "a toleration without a key",
        {"spec.pods": {"tolerations": [{"value": "b"}]}},
        "spec.pods.tolerations[0]",
        "Equal needs a key: add key, or use operator Exists",
    ),
    bad_chip(
        "seconds for pods that stay",
        {"spec.pods": {"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 5}]}},
        "spec.pods.tolerations[0]",
        "tolerationSeconds belongs to effect NoExecute: remove it, or change effect",
    ),
    bad_chip(
        "a device of nowhere",
        {"spec.pods": {"resourceClaims": [{"name": "awg"}]}},
        "spec.pods.resourceClaims[0]",
        "give one of resourceClaimName and resourceClaimTemplateName",
    ),
    bad_chip(
        "no time to stop",
        {"spec.pods": {"terminationGracePeriodSeconds": 0}},
        "spec.pods.terminationGracePeriodSeconds",
        "must be at least 1, not 0",
        "should be greater than or equal to 1",
    ),
    bad_chip(
        "a claim in capitals",
        {"spec.pods": {"resourceClaims": [{"name": "awg", "resourceClaimName": "AWG"}]}},
        "spec.pods.resourceClaims[0].resourceClaimName",
        "write the name of an object: lower-case letters, digits, - and .",
    ),
    bad_chip(
        "a claim of a name in capitals",
        {"spec.pods": {"resourceClaims": [{"name": "AWG", "resourceClaimName": "awg"}]}},
        "spec.pods.resourceClaims[0].name",
        "write lower-case letters, digits and -",
    ),
    bad_chip(
        "a label's key without end",
        {"spec.pods": {"nodeSelector": {"k" * 318: "a"}}},
        f"spec.pods.nodeSelector.{'k' * 318}",
        "must have at most 317 characters, not 318",
        "a name here has more than 317 characters: shorten it",
    ),
    bad_chip(
        "a resource with a name without end",
        {"spec.pods": {"resources": {"limits": {"r" * 254: 1}}}},
        f"spec.pods.resources.limits.{'r' * 254}",
        "must have at most 253 characters, not 254",
        "a name here has more than 253 characters: shorten it",
    ),
    bad_chip(
        "an image without an address",
        {"spec.pods": {"images": [{"name": "mylab", "catalogue": "mylab-catalogue"}]}},
        "spec.pods.images[0].image",
        "is required: add it",
        "spec.pods.images[0].image: Required value",
    ),
    bad_chip(
        "an image with an empty address",
        {"spec.pods": {"images": [{**_IMAGE, "image": ""}]}},
        "spec.pods.images[0].image",
        "must not be empty",
        "spec.pods.images[0].image in body should be at least 1 chars long",
    ),
    bad_chip(
        "an image without a catalogue",
        {"spec.pods": {"images": [{"name": "mylab", "image": "registry.example/mylab"}]}},
        "spec.pods.images[0].catalogue",
        "is required: add it",
        "spec.pods.images[0].catalogue: Required value",
    ),
    bad_chip(
        "a catalogue in capitals",
        {"spec.pods": {"images": [{**_IMAGE, "catalogue": "Catalogue"}]}},
        "spec.pods.images[0].catalogue",
        "write the name of a ConfigMap: lower-case letters, digits, - and .",
    ),
    bad_chip(
        "an image with an empty name",
        {"spec.pods": {"images": [{**_IMAGE, "name": ""}]}},
        "spec.pods.images[0].name",
        "write the short name of an image: lower-case letters, digits and -",
    ),
    bad_chip(
        "an image twice",
        {"spec.pods": {"images": [_IMAGE, _IMAGE]}},
        "spec.pods.images",
        'lists "mylab" twice: remove or rename one',
        "spec.pods.images[1]: Duplicate value",
    ),
)
