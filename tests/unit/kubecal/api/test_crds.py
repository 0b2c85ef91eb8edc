"""The CRDs: current, structural, described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecal.api.crds import chart_template, chip_crd, crd_text, session_crd, write_chart_templates, write_crds
from kubecal.api.session import FIXED_FIELDS, SessionSpec
from tests.bad_manifests import BAD_MANIFESTS

CRDS = {"chips": chip_crd(), "calibrationsessions": session_crd()}
Node = dict[str, Any]
"""A schema's node: any JSON."""


def schema_of(crd: Node) -> Node:
    (version,) = crd["spec"]["versions"]
    schema: Node = version["schema"]["openAPIV3Schema"]
    return schema


def nodes(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    yield path, node
    for name, one in node.get("properties", {}).items():
        yield from nodes(one, f"{path}.{name}".lstrip("."))
    if isinstance(node.get("items"), dict):
        yield from nodes(node["items"], f"{path}[]")
    if isinstance(node.get("additionalProperties"), dict):
        yield from nodes(node["additionalProperties"], f"{path}{{}}")


ALL_NODES = [(f"{name} {path}", node) for name, crd in CRDS.items() for path, node in nodes(schema_of(crd))]


def at(crd: Node, path: str) -> Node:
    return dict(nodes(schema_of(crd)))[path]


@pytest.mark.parametrize("name", CRDS)
def test_the_files_are_current(name: str) -> None:
    stored = Path("crds", f"{name}.yaml").read_text()
    assert stored == crd_text(CRDS[name]), "run `make crds`"


@pytest.mark.parametrize("name", CRDS)
def test_the_charts_copies_are_current(name: str) -> None:
    stored = Path("charts/kubecal/templates/crds", f"{name}.yaml").read_text()
    assert stored == chart_template(CRDS[name]), "run `make crds`"


def test_both_are_written_to_a_folder_that_need_not_exist(tmp_path: Path) -> None:
    for write in (write_crds, write_chart_templates):
        written = write(tmp_path / write.__name__ / "deep")
        assert [yaml.safe_load(path.read_text())["kind"] for path in written] == ["CustomResourceDefinition"] * 2


@pytest.mark.parametrize("name", CRDS)
def test_a_chart_keeps_them_when_the_release_goes(name: str) -> None:
    template = yaml.safe_load(chart_template(CRDS[name]).replace("{{ `{{` }}", "{{"))
    assert template["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert template["spec"] == CRDS[name]["spec"]


def test_helm_reads_no_braces_of_descriptions_as_its_own() -> None:
    bare = chart_template(chip_crd()).replace("{{ `{{` }}", "")
    assert "{{" not in bare


def test_every_field_is_described() -> None:
    fields = [(path, node) for path, node in ALL_NODES if "." in path and not path.endswith(("[]", "{}"))]
    assert [path for path, node in fields if not node.get("description", "").endswith(".")] == []


def test_no_node_has_what_a_structural_schema_may_not() -> None:
    forbidden = {"$ref", "title", "anyOf", "const", "propertyNames", "examples"}
    assert [path for path, node in ALL_NODES if forbidden & set(node)] == []


def test_only_what_the_design_leaves_untyped_is_untyped() -> None:
    untyped = {path for path, node in ALL_NODES if "x-kubernetes-preserve-unknown-fields" in node}
    assert untyped == {
        "chips spec.backend.config",
        "calibrationsessions spec.parameters.defaults",
        "calibrationsessions spec.parameters.tasks{}",
        "calibrationsessions spec.parking.tasks[].parameters",
        "calibrationsessions spec.steps[].tasks[].parameters",
    }


def is_bounded(node: Node) -> bool:
    bound = {"array": "maxItems", "string": "maxLength", "integer": "maximum"}.get(node.get("type", ""))
    if node.get("type") == "object" and "properties" not in node:
        bound = "maxProperties"
    return bound is None or bound in node or "enum" in node


def test_everything_a_person_writes_is_bounded() -> None:
    """An unbounded list, map or text makes every rule above it unaffordable."""
    written = [(path, node) for path, node in ALL_NODES if " spec" in path]
    assert [path for path, node in written if not is_bounded(node)] == []


def test_defaults_are_those_of_the_models() -> None:
    spec = at(CRDS["calibrationsessions"], "spec")["properties"]
    assert spec["deadlines"]["default"] == {}
    assert spec["deadlines"]["properties"]["sessionSeconds"]["default"] == 86400
    assert spec["onTargetFailure"]["default"] == "StopTarget"
    assert "default" not in spec["note"], "what is empty is not written into stored objects"
    pods = at(CRDS["chips"], "spec.pods")["properties"]
    assert pods["resources"]["default"] == {"requests": {"cpu": "200m", "memory": "256Mi"}}


def test_a_status_has_no_defaults() -> None:
    assert [path for path, node in ALL_NODES if " status" in path and "default" in node] == []


def test_every_field_of_a_session_is_fixed_or_changeable_on_purpose() -> None:
    names = {field.alias for field in SessionSpec.model_fields.values()}
    changeable = {"suspend", "cancel", "priority", "note", "tags", "ttlSecondsAfterFinished"}
    with_a_rule_of_their_own = {"steps", "open", "outcome"}
    assert names - set(FIXED_FIELDS) == changeable | with_a_rule_of_their_own


def test_a_step_that_is_there_stays_as_it_is() -> None:
    step = at(CRDS["calibrationsessions"], "spec.steps[]")
    assert "self == oldSelf" in [rule["rule"] for rule in step["x-kubernetes-validations"]]
    assert at(CRDS["calibrationsessions"], "spec.steps")["x-kubernetes-list-map-keys"] == ["name"]


def test_sentences_of_rules_are_short_enough_for_a_terminal() -> None:
    rules = [rule for _, node in ALL_NODES for rule in node.get("x-kubernetes-validations", ())]
    assert rules
    assert [rule["message"] for rule in rules if len(rule["message"]) > 120] == []


def test_columns_show_how_a_session_stands() -> None:
    (version,) = session_crd()["spec"]["versions"]
    names = [column["name"] for column in version["additionalPrinterColumns"]]
    assert names == ["Phase", "Progress", "Failed", "Chip", "Execution", "Age"]


def test_every_rule_has_a_manifest_that_breaks_it() -> None:
    rules = [rule for _, node in ALL_NODES for rule in node.get("x-kubernetes-validations", ())]
    of_one_object = {rule["message"] for rule in rules if "oldSelf" not in rule["rule"]}
    assert of_one_object - {bad.server or bad.sentence for bad in BAD_MANIFESTS} == set()


def test_every_bare_pattern_has_a_manifest_that_breaks_it() -> None:
    patterns = {path.split(" ")[1] for path, node in ALL_NODES if "pattern" in node}
    broken = {re.sub(r"\[\d+\]", "[]", bad.place) for bad in BAD_MANIFESTS if "should match" in bad.server}
    assert patterns == broken


def test_what_may_occur_too_often_for_a_rule_has_a_bare_pattern() -> None:
    """The API server refuses a CRD whose rules could cost too much on the largest object there might be."""
    few, many = (at(CRDS["calibrationsessions"], f"spec.{of}targets.couplings.ids[]") for of in ("", "steps[]."))
    assert (len(few["x-kubernetes-validations"]), "pattern" in few) == (1, False)
    assert ("x-kubernetes-validations" in many, many["pattern"]) == (False, "^((0|[1-9][0-9]*)-(0|[1-9][0-9]*))$")
