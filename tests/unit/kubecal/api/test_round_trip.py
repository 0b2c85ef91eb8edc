"""Any session comes back from its shortest manifest as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from kubecal.api.manifests import parse_manifest
from kubecal.api.session import SessionSpec
from tests.unit.kubecal.api.manifest_strategies import SPEC_FIELDS, session_manifests


def test_the_sessions_that_are_tried_have_every_field() -> None:
    names = {field.alias for field in SessionSpec.model_fields.values()}
    assert names == {"chip", "targets", "steps"} | set(SPEC_FIELDS)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(session_manifests())
def test_a_session_comes_back_from_its_shortest_manifest(manifest: dict[str, Any]) -> None:
    session = parse_manifest(manifest, "manifest")
    shortest = session.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    kind = {"apiVersion": session.api_version, "kind": session.kind}
    assert parse_manifest({**kind, **shortest}, "shortest manifest") == session
