"""YAML that kubectl and Python read alike."""

from __future__ import annotations

import pytest
import yaml

from kubecal.api.yaml_text import yaml_text


@pytest.mark.parametrize("key", ["y", "Y", "n", "N", "yes", "no", "on", "off"])
def test_what_yaml_1_1_takes_for_a_truth_value_is_quoted(key: str) -> None:
    text = yaml_text({key: 0})
    assert text == f"'{key}': 0\n"
    assert yaml.safe_load(text) == {key: 0}


def test_several_documents_stand_apart_and_keep_the_order_of_their_keys() -> None:
    assert yaml_text({"b": "ü", "a": [1]}, {"c": None}) == "b: ü\na:\n- 1\n---\nc: null\n"
