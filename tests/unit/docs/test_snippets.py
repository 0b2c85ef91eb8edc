"""What stands in fenced blocks is true: manifests are valid, quotations are current, commands are understood."""

from __future__ import annotations

import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from kubecal.api.crds import chip_crd, session_crd
from kubecal.api.manifests import load_manifests
from kubecal.cli.main import app
from tests.documents import ROOT, Block, blocks

LANGUAGES = {"sh", "yaml", "python", "toml", "dockerfile", "text"}
"""``sh`` is typed, ``text`` is what is printed or drawn."""
PROGRAMS = {
    *("kubecal", "kubectl", "helm", "make", "docker", "pip", "python3", "python", "venv/bin/pip", "source"),
    *("venv/bin/kubecal", "mongodump", "mongorestore", "cp", "PYTHONPATH=tests/image"),
}
Schema = Mapping[str, Any]
"""A structural schema: any JSON."""


def ids(found: list[Block]) -> list[str]:
    return [block.place for block in found]


YAML = [block for block in blocks("yaml") if not block.path]
QUOTED = [block for block in blocks() if block.path]
SHELL = list(blocks("sh"))


def test_every_block_says_what_it_is() -> None:
    assert [block.place for block in blocks() if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("block", QUOTED, ids=ids(QUOTED))
def test_a_quotation_is_what_the_file_says(block: Block) -> None:
    text = (ROOT / block.path).read_text()
    indented = (textwrap.indent(block.text, " " * depth) for depth in (0, 4, 8))
    assert block.text.strip(), f"{block.place} quotes nothing"
    assert any(one in text for one in indented), f"{block.place}: {block.path} has no such lines"


@pytest.mark.parametrize("block", YAML, ids=ids(YAML))
def test_a_manifest_or_a_part_of_one_is_valid(block: Block, tmp_path: Path) -> None:
    documents = [one for one in yaml.safe_load_all(block.text) if one is not None]
    if all("apiVersion" in one for one in documents if isinstance(one, dict)) and isinstance(documents[0], dict):
        path = tmp_path / "manifest.yaml"
        path.write_text(block.text)
        load_manifests([path])
        return
    for document in documents:
        assert any(_fits(document, schema) for schema in _schemas()), f"{block.place}: no manifest has these"


def _schemas() -> Iterator[Schema]:
    """Every object of both kinds, the whole of them first."""
    for crd in (session_crd(), chip_crd()):
        yield from _objects(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])


def _objects(schema: Schema) -> Iterator[Schema]:
    yield schema
    for inner in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _objects(inner)


def _fits(value: object, schema: Schema) -> bool:
    """Whether every field that is given is one that the schema has, with a value of its kind."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return isinstance(value, dict)
    match value:
        case dict():
            fields, others = schema.get("properties", {}), schema.get("additionalProperties")
            if schema.get("type") != "object" or not (fields or others):
                return False
            inner = {name: fields.get(name, others) for name in value}
            return all(isinstance(found, dict) and _fits(value[name], found) for name, found in inner.items())
        case list():
            return schema.get("type") == "array" and all(_fits(one, schema["items"]) for one in value)
        case _:
            enum = schema.get("enum")
            return schema.get("type") not in ("object", "array") and (enum is None or value in enum)


@pytest.mark.parametrize("block", SHELL, ids=ids(SHELL))
def test_a_command_is_understood(block: Block) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, f"{block.place}: {checked.stderr}"
    for command in block.commands:
        for part in re.split(r"\s(?:\||&&|;)\s|[;]\s", command):
            _check(block.place, shlex.split(part.split(" > ")[0], comments=True))


def _check(place: str, words: list[str]) -> None:
    assert words[0] in PROGRAMS, f"{place}: {words[0]} is no program that these documents use"
    match words[0].rpartition("/")[2]:
        case "kubecal":
            _parse(place, words[1:])
        case "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert words[1] in targets, f"{place}: there is no make {words[1]}"
        case "helm":
            _check_values(place, words)
    named = [word for word in words if re.match(r"(examples|charts)/", word)]
    assert [word for word in named if not (ROOT / word).exists()] == [], place


def _parse(place: str, words: list[str]) -> None:
    """As the command line would, without calling anything."""
    command = get_command(app)
    context = Context(command, info_name="kubecal")
    while isinstance(command, TyperGroup):
        name, inner, words = command.resolve_command(context, words)
        assert inner is not None, f"{place}: there is no kubecal {name}"
        command, context = inner, Context(inner, parent=context, info_name=name)
    try:
        command.parse_args(context, list(words))
    except Exception as error:
        pytest.fail(f"{place}: kubecal {' '.join(words)}: {error}")


def _check_values(place: str, words: list[str]) -> None:
    """Every value that is set exists in the chart."""
    values = yaml.safe_load((ROOT / "charts/kubecal/values.yaml").read_text())
    for option, given in pairwise(words):
        if option in ("--set", "--set-string"):
            node: Any = values
            for name in given.partition("=")[0].split("."):
                assert name in node, f"{place}: the chart has no value {given.partition('=')[0]}"
                node = node[name]
