"""Catalogues of authors' images, from ConfigMaps."""

from __future__ import annotations

from typing import Any

import pytest

from kubecal.engine.model import ChipView
from kubecal_operator.catalogues import named, read_config_map
from tests.unit.kubecal.engine.builders import CATALOGUE, chip, recorded, session

REMEDY = ": apply what `kubecal tasks export --configmap mylab-catalogue` prints in that image"


def _config_map(data: dict[str, str] | None) -> dict[str, Any]:
    body: dict[str, Any] = {"metadata": {"name": "mylab-catalogue", "namespace": "lab"}}
    return body if data is None else {**body, "data": data}


def _with_image(name: str, catalogue: str) -> ChipView:
    return chip(name, pods={"images": [{"name": "mylab", "image": "mylab:1", "catalogue": catalogue}]})


def test_a_config_map_holds_a_catalogue() -> None:
    found = read_config_map(_config_map({"catalogue.json": CATALOGUE.to_json()}))
    assert found == CATALOGUE


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "has no key catalogue.json"),
        ({"catalogue": "{}"}, "has no key catalogue.json"),
        ({"catalogue.json": "tasks"}, "holds no catalogue of this version (Invalid JSON"),
        ({"catalogue.json": "{}"}, "holds no catalogue of this version (tasks: Field required)"),
        ({"catalogue.json": '{"tasks": [], "backends": [], "colour": 1}'}, "(colour: Extra inputs are not permitted)"),
    ],
)
def test_a_config_map_that_holds_none_becomes_a_sentence(data: dict[str, str] | None, sentence: str) -> None:
    found = read_config_map(_config_map(data))
    assert isinstance(found, str)
    assert found.startswith("ConfigMap mylab-catalogue ")
    assert sentence in found
    assert found.endswith(REMEDY)


def test_what_chips_name_now_and_what_sessions_began_with_are_read() -> None:
    view = recorded(session(), on=_with_image("fridge-a", "before"))
    chips = [_with_image("fridge-a", "after"), _with_image("fridge-b", "after"), chip("fridge-c")]
    assert named(chips, [view, session("evening")]) == {("lab", "before"), ("lab", "after")}
