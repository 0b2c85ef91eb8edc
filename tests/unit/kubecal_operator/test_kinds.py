"""Whom a change of a chip concerns."""

from __future__ import annotations

from typing import Any, cast

from kubecal_operator.cache import Cache
from kubecal_operator.catalogues import AuthorCatalogues
from kubecal_operator.client import ApiClient
from kubecal_operator.kinds import Kinds
from kubecal_operator.observe import Observer
from tests.unit.kubecal.engine.builders import CATALOGUE


def _body(namespace: str, version: str) -> dict[str, Any]:
    meta = {"uid": f"chip-in-{namespace}", "namespace": namespace, "name": "fridge-a", "resourceVersion": version}
    created = {"creationTimestamp": f"2026-11-23T12:00:0{version}Z"}
    spec = {"topology": {"squareLattice": {"rows": 2, "columns": 2}}, "backend": {"name": "fake"}}
    return {"metadata": {**meta, **created}, "spec": spec}


def test_a_chip_that_goes_concerns_those_of_its_name_elsewhere() -> None:
    cache, poked = Cache(), set[str | None]()
    kinds = Kinds(cast(ApiClient, None), cache, poked.add, lambda: None)
    kinds.take_chip(False, _body("lab", "1"))
    kinds.take_chip(False, _body("annex", "2"))
    images = AuthorCatalogues(cast(ApiClient, None), cache, poked.add, cast(Any, None))
    seen = Observer(cache, CATALOGUE, "kubecal/tasks:1", images, lambda: True).observe("annex/fridge-a")
    assert [chip.namespace for chip in seen.chips] == ["annex"]
    assert [chip.namespace for chip in seen.chips_elsewhere] == ["lab"]

    poked.clear()
    kinds.take_chip(True, _body("lab", "1"))
    assert poked == {"lab/fridge-a", "annex/fridge-a"}
